#include "lookup/flow_hash.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "lookup/siphash.hh"

namespace srcsel {
namespace {

// The bits of fib_multipath_hash_fields that concern the outer header.
enum Field : std::uint32_t {
  kSrc = 0x1,
  kDst = 0x2,
  kProto = 0x4,
  kFlowLabel = 0x8,
  kSport = 0x10,
  kDport = 0x20,
  kOuter = 0x3f,
};

std::optional<std::uint32_t> FieldsOf(const Settings &settings, bool is_v4) {
  const std::size_t family = is_v4 ? 0 : 1;
  switch (settings.multipath_policy[family]) {
    case 0:
    case 2:  // the headers inside a tunnel's, which a flow of this host does not have
      return is_v4 ? kSrc | kDst : kSrc | kDst | kProto | kFlowLabel;
    case 1:
      return kSrc | kDst | kProto | kSport | kDport;
    case 3:
      return settings.multipath_fields[family] & kOuter;
    default:
      return std::nullopt;
  }
}

// What the kernel hashes: the tail of its struct flow_keys, most of which stays 0 here. Of the two
// ends of a flow the lesser comes first, so that both directions hash alike.
class Block {
 public:
  explicit Block(bool is_v4) : is_v4_(is_v4) {}

  void SetProto(std::uint8_t proto) { bytes_[2] = proto; }
  void SetFlowLabel(std::uint32_t label) {
    bytes_[5] = static_cast<std::uint8_t>(label >> 16 & 0xf);
    SetWord(6, static_cast<std::uint16_t>(label));
  }
  void SetPorts(std::uint16_t src, std::uint16_t dst) {
    SetWord(28, src);
    SetWord(30, dst);
    if (NumberAt<std::uint16_t>(30) < NumberAt<std::uint16_t>(28)) Swap(28, 2);
  }
  void SetAddresses(const IpAddress &src, const IpAddress &dst) {
    const std::size_t size = is_v4_ ? 4 : 16, second = kAddresses + size;
    std::memcpy(&bytes_[kAddresses], src.bytes().data(), size);
    std::memcpy(&bytes_[second], dst.bytes().data(), size);
    const bool wrong = is_v4_
                           ? NumberAt<std::uint32_t>(second) < NumberAt<std::uint32_t>(kAddresses)
                           : std::memcmp(&bytes_[second], &bytes_[kAddresses], size) < 0;
    if (wrong) Swap(kAddresses, size);
  }

  std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(is_v4_ ? 48 : 72); }

 private:
  static constexpr std::size_t kAddresses = 36;

  void SetWord(std::size_t at, std::uint16_t value) {
    bytes_[at] = static_cast<std::uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<std::uint8_t>(value);
  }
  // In the host's byte order, though what is there is in network order: the kernel compares so.
  template <typename T>
  T NumberAt(std::size_t at) const {
    T number;
    std::memcpy(&number, &bytes_[at], sizeof(number));
    return number;
  }
  // Two neighbours of that size.
  void Swap(std::size_t at, std::size_t size) {
    std::swap_ranges(&bytes_[at], &bytes_[at] + size, &bytes_[at] + size);
  }

  bool is_v4_;
  std::array<std::uint8_t, 72> bytes_{};
};

}  // namespace

std::optional<std::uint32_t> FlowHash(const Settings &settings, const MultipathFlow &flow) {
  const bool is_v4 = flow.dst.is_v4();
  const std::optional<std::uint32_t> fields = FieldsOf(settings, is_v4);
  if (!fields) return std::nullopt;
  if (*fields == 0) return 0;
  if (settings.multipath_seed == 0) return std::nullopt;
  if (flow.any_sport && *fields & kSport) return std::nullopt;

  const auto kept = [&](Field field, auto value) {
    return *fields & field ? value : decltype(value){};
  };
  Block block(is_v4);
  block.SetAddresses(kept(kSrc, flow.src), kept(kDst, flow.dst));
  block.SetProto(kept(kProto, flow.proto));
  if (!is_v4) block.SetFlowLabel(kept(kFlowLabel, flow.flow_label));
  block.SetPorts(kept(kSport, flow.sport), kept(kDport, flow.dport));

  const std::uint64_t half = std::uint64_t{settings.multipath_seed} << 32 | settings.multipath_seed;
  const auto hash = static_cast<std::uint32_t>(SipHash({half, half}, block.bytes()));
  return std::max(hash, 1u) >> 1;
}

}  // namespace srcsel
