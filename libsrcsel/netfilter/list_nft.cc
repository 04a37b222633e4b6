#include "netfilter/list_nft.hh"

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include <nftables/libnftables.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/status.hh"
#include "netfilter/nft_netlink.hh"

namespace srcsel {
namespace {

// What libnftables 1.1 does not say by its error buffer: it ends the process where it gets no such
// socket, and prints a line where it is not allowed to ask.
absl::Status CheckAllowed() {
  const Fd kernel(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!kernel) return absl::ErrnoToStatus(errno, "list the nft rules: open a socket");
  const std::string request = NftRequest(NFT_MSG_GETGEN, 0, AF_UNSPEC, 1).Finish();
  struct {
    nlmsghdr header;
    nlmsgerr failed;
  } answer{};
  if (send(kernel.get(), request.data(), request.size(), 0) < 0 ||
      recv(kernel.get(), &answer, sizeof(answer), 0) < 0)
    return absl::ErrnoToStatus(errno, "list the nft rules: ask the kernel");
  if (answer.header.nlmsg_type != NLMSG_ERROR || answer.failed.error != -EPERM)
    return absl::OkStatus();
  return absl::PermissionDeniedError("list the nft rules: that takes CAP_NET_ADMIN");
}

}  // namespace

absl::StatusOr<std::string> ListNft(const std::string &command, bool elements) {
  SRCSEL_RETURN_IF_ERROR(CheckAllowed());
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
