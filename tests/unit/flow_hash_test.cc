#include "lookup/flow_hash.hh"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fixtures.hh"
#include "lookup/siphash.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kSeed = 0x12345678;
constexpr std::array<std::uint8_t, 4> kPolicies = {0, 1, 2, 3};

Settings With(std::uint8_t policy, std::uint32_t fields = 0x37, std::uint32_t seed = kSeed) {
  Settings settings;
  for (const int family : {0, 1}) {
    settings.multipath_policy[family] = policy;
    settings.multipath_fields[family] = fields;
  }
  settings.multipath_seed = seed;
  return settings;
}

MultipathFlow Udp4() {
  MultipathFlow flow;
  flow.src = Address("10.0.0.1");
  flow.dst = Address("192.0.2.9");
  flow.proto = IPPROTO_UDP;
  flow.sport = 40000;
  flow.dport = 53;
  return flow;
}

MultipathFlow Udp6() {
  MultipathFlow flow = Udp4();
  flow.src = Address("fd00::1");
  flow.dst = Address("2001:db8::9");
  flow.flow_label = 0xabcde;
  return flow;
}

std::uint32_t HashOf(const std::vector<std::uint8_t> &block) {
  const std::uint64_t half = std::uint64_t{kSeed} << 32 | kSeed;
  return static_cast<std::uint32_t>(SipHash({half, half}, block)) >> 1;
}

// The block of the kernel's flow_keys in which all is 0 but these bytes.
std::vector<std::uint8_t> Block(std::size_t size,
                                std::vector<std::pair<std::size_t, std::vector<std::uint8_t>>> in) {
  std::vector<std::uint8_t> block(size);
  for (const auto &[at, bytes] : in)
    std::ranges::copy(bytes, block.begin() + static_cast<std::ptrdiff_t>(at));
  return block;
}

std::vector<std::uint8_t> BytesOf(absl::string_view address) {
  const IpAddress ip = Address(address);
  return {ip.bytes().begin(), ip.bytes().begin() + static_cast<std::ptrdiff_t>(ip.size())};
}

TEST(FlowHash, LaysOutIPv4AddressesInTheHostsOrderOfNumbers) {
  // 0x0100000a and 0x090200c0 on a little-endian host.
  EXPECT_EQ(FlowHash(With(0), Udp4()),
            HashOf(Block(48, {{36, BytesOf("10.0.0.1")}, {40, BytesOf("192.0.2.9")}})));
  MultipathFlow flow = Udp4();
  flow.src = Address("10.0.0.200");
  EXPECT_EQ(FlowHash(With(0), flow),
            HashOf(Block(48, {{36, BytesOf("192.0.2.9")}, {40, BytesOf("10.0.0.200")}})));
}

TEST(FlowHash, LaysOutProtocolAndPorts) {
  const auto with_ports = [](std::vector<std::uint8_t> ports) {
    return HashOf(Block(48, {{2, {IPPROTO_UDP}},
                             {28, std::move(ports)},
                             {36, BytesOf("10.0.0.1")},
                             {40, BytesOf("192.0.2.9")}}));
  };
  // 40000 is 0x9c40, and 0x409c as it lies in memory; 53 is 0x3500 there, 443 is 0xbb01.
  MultipathFlow flow = Udp4();
  EXPECT_EQ(FlowHash(With(1), flow), with_ports({0x00, 0x35, 0x9c, 0x40}));
  flow.dport = 443;
  EXPECT_EQ(FlowHash(With(1), flow), with_ports({0x9c, 0x40, 0x01, 0xbb}));
}

TEST(FlowHash, LaysOutIPv6AddressesInTheOrderOfTheirBytes) {
  EXPECT_EQ(FlowHash(With(0), Udp6()), HashOf(Block(72, {{2, {IPPROTO_UDP}},
                                                         {5, {0x0a, 0xbc, 0xde}},
                                                         {36, BytesOf("2001:db8::9")},
                                                         {52, BytesOf("fd00::1")}})));
}

TEST(FlowHash, IsTheSameInBothDirections) {
  for (const MultipathFlow &flow : {Udp4(), Udp6()}) {
    MultipathFlow back = flow;
    std::swap(back.src, back.dst);
    std::swap(back.sport, back.dport);
    for (const std::uint8_t policy : kPolicies)
      EXPECT_EQ(FlowHash(With(policy), flow), FlowHash(With(policy), back));
  }
}

// What a change of each member of the flow does to the hash: one letter a member that counts.
std::string Counted(const Settings &settings, const MultipathFlow &flow) {
  const auto hash = FlowHash(settings, flow);
  std::string counted;
  const auto try_out = [&](char letter, auto change) {
    MultipathFlow other = flow;
    change(other);
    if (FlowHash(settings, other) != hash) counted += letter;
  };
  const bool v4 = flow.dst.is_v4();
  try_out('s', [&](MultipathFlow &f) { f.src = Address(v4 ? "10.0.0.2" : "fd00::2"); });
  try_out('d', [&](MultipathFlow &f) { f.dst = Address(v4 ? "192.0.2.1" : "2001:db8::1"); });
  try_out('p', [](MultipathFlow &f) { f.proto = IPPROTO_TCP; });
  try_out('l', [](MultipathFlow &f) { f.flow_label = 1; });
  try_out('S', [](MultipathFlow &f) { f.sport = 1; });
  try_out('D', [](MultipathFlow &f) { f.dport = 1; });
  try_out('?', [](MultipathFlow &f) { f.any_sport = true; });
  return counted;
}

TEST(FlowHash, CountsWhatThePolicySays) {
  EXPECT_EQ(Counted(With(0), Udp4()), "sd");
  EXPECT_EQ(Counted(With(0), Udp6()), "sdpl");
  EXPECT_EQ(Counted(With(1), Udp4()), "sdpSD?");
  EXPECT_EQ(Counted(With(1), Udp6()), "sdpSD?");
  EXPECT_EQ(Counted(With(2), Udp4()), "sd");
  EXPECT_EQ(Counted(With(2), Udp6()), "sdpl");
}

TEST(FlowHash, CountsTheFieldsOfPolicy3) {
  const std::vector<std::pair<std::uint32_t, const char *>> fields = {
      {0x1, "s"}, {0x2, "d"}, {0x4, "p"}, {0x8, "l"}, {0x10, "S?"}, {0x20, "D"}, {0x37, "sdpSD?"}};
  for (const auto &[bits, counted] : fields) {
    EXPECT_EQ(Counted(With(3, bits), Udp6()), counted);
    EXPECT_EQ(Counted(With(3, bits), Udp4()), bits == 0x8 ? "" : counted);
  }
}

TEST(FlowHash, Is0WhereNoFieldOfTheOuterHeaderIsHashed) {
  EXPECT_EQ(FlowHash(With(3, 0xfc0), Udp4()), 0u);
  EXPECT_EQ(FlowHash(With(3, 0, 0), Udp6()), 0u) << "whatever the secret seed";
}

TEST(FlowHash, IsUnknownWithoutASeed) {
  for (const std::uint8_t policy : kPolicies) {
    EXPECT_EQ(FlowHash(With(policy, 0x37, 0), Udp4()), std::nullopt);
    EXPECT_EQ(FlowHash(With(policy, 0x37, 0), Udp6()), std::nullopt);
  }
}

TEST(FlowHash, IsUnknownUnderAPolicyOfAnotherKernel) {
  EXPECT_EQ(FlowHash(With(4), Udp4()), std::nullopt);
}

TEST(FlowHash, TakesTheSettingsOfTheFlowsFamily) {
  Settings settings = With(0);
  settings.multipath_policy[1] = 1;
  EXPECT_EQ(Counted(settings, Udp4()), "sd");
  EXPECT_EQ(Counted(settings, Udp6()), "sdpSD?");
}

TEST(FlowHash, DependsOnTheSeed) {
  EXPECT_NE(FlowHash(With(0), Udp4()), FlowHash(With(0, 0x37, 1), Udp4()));
}

}  // namespace
}  // namespace srcsel
