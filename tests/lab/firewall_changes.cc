#include "lab/firewall_changes.hh"

#include <algorithm>
#include <chrono>

#include <nftables/libnftables.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel::lab {

std::int64_t Microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void NftDriver::Free::operator()(nft_ctx *context) const {
  nft_ctx_free(context);
}

absl::StatusOr<NftDriver> NftDriver::Enter(const Fd &netns) {
  SRCSEL_RETURN_IF_ERROR(EnterNetns(netns));
  nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
  if (context == nullptr) return absl::InternalError("change the nft rules: no memory");
  nft_ctx_buffer_output(context);
  nft_ctx_buffer_error(context);
  return NftDriver(context);
}

absl::Status NftDriver::Do(const std::string &commands) {
  if (nft_run_cmd_from_buffer(context_.get(), commands.c_str()) == 0) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat(commands.substr(0, 80), ": ", nft_ctx_get_error_buffer(context_.get())));
}

std::vector<Dialled> ReadDialled(absl::string_view lines) {
  std::vector<Dialled> all;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    Dialled one{words[0], 0, 0};
    if (words.size() == 5 && absl::SimpleAtoi(words[3], &one.from) &&
        absl::SimpleAtoi(words[4], &one.to))
      all.push_back(std::move(one));
  }
  return all;
}

bool Fits(const Dialled &dialled, const std::vector<SourceChange> &changes, std::int64_t grace) {
  for (std::size_t i = 0; i < changes.size() && changes[i].begun <= dialled.to; ++i)
    if (changes[i].source == dialled.source &&
        (i + 1 == changes.size() || changes[i + 1].done >= dialled.from - grace))
      return true;
  return false;
}

std::size_t OutOfOrder(const std::vector<Dialled> &all, const std::vector<SourceChange> &changes) {
  std::size_t wrong = 0, now = 0;
  for (const Dialled &one : all) {
    std::size_t then = now;
    while (then < changes.size() && changes[then].source != one.source) ++then;
    if (then < changes.size() && changes[then].begun <= one.to)
      now = then;
    else
      ++wrong;
  }
  return wrong;
}

std::vector<std::int64_t> Delays(const std::vector<Dialled> &all,
                                 const std::vector<SourceChange> &changes) {
  std::vector<std::int64_t> delays(changes.size(), 0);
  std::size_t now = 0;
  for (const Dialled &one : all) {
    while (now + 1 < changes.size() && changes[now + 1].begun <= one.from) ++now;
    if (one.from > changes[now].done && one.source != changes[now].source)
      delays[now] = std::max(delays[now], one.from - changes[now].done);
  }
  delays.erase(delays.begin());
  return delays;
}

}  // namespace srcsel::lab
