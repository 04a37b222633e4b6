// What nft's netlink messages are made of: questions to the kernel, and lists in its answers.
//
// Pure. Cost: linear.

#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "netlink/attributes.hh"

namespace srcsel {

// NFPROTO_* of a family as nft's JSON names it: "ip", "ip6"; any other word is "inet".
std::uint8_t NftFamily(absl::string_view word);

class NftRequest {
 public:
  // `type` is one of NFT_MSG_*, `flags` are NLM_F_* besides NLM_F_REQUEST.
  NftRequest(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint32_t sequence);

  void Put(std::uint16_t type, const std::string &text);
  std::string Finish() &&;

 private:
  std::string message_;
};

// The items of a list, whatever their types are. It ends where one begins that is none.
void ForEachNftItem(Attributes::Bytes list, DecodeError &error,
                    absl::FunctionRef<void(const Attributes &)> each);

}  // namespace srcsel
