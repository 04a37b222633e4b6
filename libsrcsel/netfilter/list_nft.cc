#include "netfilter/list_nft.hh"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include <nftables/libnftables.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/fd.hh"

namespace srcsel {

absl::StatusOr<std::string> ListNft(const std::string &command, bool elements) {
  // libnftables ends the process where it gets no such socket.
  if (!Fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)))
    return absl::ErrnoToStatus(errno, "list the nft rules: open a socket");
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT),
                                                                  nft_ctx_free);
  if (context == nullptr) return absl::InternalError("list the nft rules: no memory");
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE |
                                              NFT_CTX_OUTPUT_NUMERIC_PROTO |
                                              NFT_CTX_OUTPUT_NUMERIC_PRIO |
                                              (elements ? 0u : unsigned{NFT_CTX_OUTPUT_TERSE}));
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), command.c_str()) != 0)
    return absl::UnavailableError(
        absl::StrCat("nft ", command, ": ",
                     absl::StripAsciiWhitespace(nft_ctx_get_error_buffer(context.get()))));
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

}  // namespace srcsel
