// A damaged image may give a wrong answer, never a wild access or an endless walk. The sanitizers
// see the first, the test's time limit the second.

#include <random>

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

State Rich() {
  std::vector<Route> routes;
  for (int i = 0; i < 300; ++i)
    routes.push_back(RouteTo(absl::StrCat("10.", i / 256, ".", i % 256, ".0/24"), RT_TABLE_MAIN, 2,
                             absl::StrCat("10.0.0.", i % 9)));
  for (int length = 3; length <= 128; length += 5)
    routes.push_back(RouteTo(absl::StrCat("2001:db8::1/", length), 100, 3, "fd00::1"));
  for (Route &route : routes) route.dst = route.dst.Network();
  routes.push_back(RouteTo("192.0.2.0/24", RT_TABLE_LOCAL, 1));
  routes.push_back(RouteTo("3fff::/20", 100, 3));
  State state =
      StateOf({On(2, "10.0.0.1/24"), On(2, "2001:db8::2/64"), On(3, "fd00::1/64")}, routes);
  state.labels = {{Net("2001:db8::/32"), 3, 2}, {Net("::/0"), 0, 1}};
  Rule jump = Lookup(5, 0), marked = Lookup(10, 100, AF_INET6);
  jump.action = SRCSEL_RULE_GOTO;
  jump.goto_pref = 32766;
  marked.mark = 100, marked.mark_mask = 0xff;
  state.rules.push_back(jump);
  state.rules.push_back(marked);
  std::ranges::stable_sort(state.rules, {}, &Rule::pref);
  return state;
}

Image Whole() {
  PolicyRule narrow = Marking("1"), wide = Binding("100");
  narrow.to = {Net("10.0.0.0/16"), Net("2001:db8::/32")};
  narrow.dports = {{1, 999}};
  narrow.comms = {"nginx"};
  wide.uids = {{0, 4999}};
  return ImageOf(Rich(), {narrow, wide});
}

std::vector<srcsel_flow> Flows() {
  std::vector<srcsel_flow> flows;
  for (const char *to : {"10.0.7.1", "10.1.43.9", "192.0.2.1", "203.0.113.1", "2001:db8::1",
                         "2001:db8:8000::", "3fff::1", "fd00::1"})
    flows.push_back(FlowTo(to));
  return flows;
}

// What the sanitizers watch: heap memory of exactly this size.
void DecideOn(std::vector<std::byte> bytes) {
  bytes.shrink_to_fit();
  const Image image(std::move(bytes));
  for (const srcsel_flow &flow : Flows())
    ASSERT_LT(Decide(image, flow).reason, std::uint32_t{SRCSEL_WHY_COUNT});
}

class DamagedImage : public testing::Test {
 protected:
  std::vector<std::byte> Bytes() const { return {image_.bytes().begin(), image_.bytes().end()}; }

  const Image image_ = Whole();
};

TEST_F(DamagedImage, IsWholeToBeginWith) {
  EXPECT_EQ(Why(Decide(image_, FlowTo("10.0.7.1"))), "table");
  EXPECT_EQ(Why(Decide(image_, FlowTo("2001:db8::1"))), "table");
  EXPECT_EQ(Why(Decide(image_, FlowTo("3fff::1"))), "table");
}

TEST_F(DamagedImage, ByTruncation) {
  for (std::size_t pages = 0; pages * SRCSEL_PAGE <= image_.bytes().size(); ++pages) {
    std::vector<std::byte> bytes = Bytes();
    bytes.resize(pages * SRCSEL_PAGE);
    DecideOn(std::move(bytes));
  }
}

TEST_F(DamagedImage, ByEveryBitOfTheHeadersFields) {
  for (std::size_t bit = 0; bit < 8 * offsetof(srcsel_header, zero); ++bit) {
    std::vector<std::byte> bytes = Bytes();
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    DecideOn(std::move(bytes));
  }
}

TEST_F(DamagedImage, ByEveryBitOfWhatComesFirst) {
  const srcsel_header &head = image_.header();
  for (const srcsel_section &section :
       {head.tables, head.nodes, head.rules[0], head.routes, head.addresses, head.labels})
    for (std::size_t bit = 0; bit < 8 * 256; ++bit) {
      std::vector<std::byte> bytes = Bytes();
      bytes[section.page * SRCSEL_PAGE + bit / 8] ^= std::byte{1} << (bit % 8);
      DecideOn(std::move(bytes));
    }
}

TEST_F(DamagedImage, ByManyBitsAnywhere) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> bytes = Bytes();
    for (std::size_t flips = 1 + random() % 256; flips > 0; --flips)
      bytes[8 + random() % (bytes.size() - 8)] ^= std::byte{1} << (random() % 8);
    DecideOn(std::move(bytes));
  }
}

TEST_F(DamagedImage, ByOnesOrNoiseAfterItsMagic) {
  std::mt19937_64 random(2);
  std::vector<std::byte> ones = Bytes(), noise = ones;
  std::fill(ones.begin() + 8, ones.end(), std::byte{0xff});
  std::generate(noise.begin() + 8, noise.end(), [&] { return static_cast<std::byte>(random()); });
  DecideOn(std::move(ones));
  DecideOn(std::move(noise));
}

}  // namespace
}  // namespace srcsel
