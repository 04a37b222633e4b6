// The engine's choice of IPv6 sources against the kernel's: in random namespaces, the source that a
// compiled image gives, and the one a datagram socket has after connect().

#include "engine/source6.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "image/compile.hh"
#include "image/key.hh"
#include "lookup/decide.hh"
#include "namespace6.hh"

namespace srcsel {
namespace {

constexpr int kNamespaces = 60;
constexpr int kFlows = 400;  // a namespace
constexpr std::uint32_t kMark = 1;

absl::StatusOr<State> ReadAll() {
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  return reader.Read();
}

// ---- the two answers --------------------------------------------------------------------------

struct Flow {
  IpAddress to;
  std::uint32_t oif = 0;  // a link it is bound to
  int prefer = 0;         // IPV6_ADDR_PREFERENCES
};

Flow DrawFlow(Draw &draw, const Namespace6 &in) {
  Flow flow;
  const bool bound = draw.Once(2);
  std::string to = DrawText6(draw);
  if (draw.Once(12)) to = absl::StrCat("4000::", 1 + draw.Below(9));
  if (bound && draw.Once(6)) to = absl::StrCat("ff0", absl::Hex(1 + draw.Below(15)), "::1");
  flow.to = IpAddress::Parse(to).value();
  if (bound) flow.oif = in.LinkIndex(static_cast<int>(draw.Below(kLinks)));
  if (bound && draw.Once(2))
    flow.prefer = draw.OneOf(std::vector<int>{IPV6_PREFER_SRC_TMP, IPV6_PREFER_SRC_PUBLIC,
                                              IPV6_PREFER_SRC_COA,
                                              IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_COA});
  return flow;
}

struct Answer {
  int error = 0;
  IpAddress source;
};

Answer Kernel(const Flow &flow) {
  const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto set = [&](int level, int option, int value) {
    EXPECT_EQ(setsockopt(socket.get(), level, option, &value, sizeof(value)), 0) << option;
  };
  if (flow.oif) set(SOL_SOCKET, SO_BINDTOIFINDEX, static_cast<int>(flow.oif));
  if (flow.prefer) set(IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, flow.prefer);
  sockaddr_in6 address{};
  socklen_t size = sizeof(address);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(80);
  std::memcpy(&address.sin6_addr, flow.to.bytes().data(), sizeof(address.sin6_addr));
  if (connect(socket.get(), reinterpret_cast<sockaddr *>(&address), size) != 0) return {errno, {}};
  EXPECT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr *>(&address), &size), 0);
  return {0, IpAddress::FromBytes(AF_INET6, &address.sin6_addr)};
}

struct Sourced {
  std::uint32_t verdict;  // enum srcsel_sourced
  IpAddress source;
};

class Mirror {
 public:
  explicit Mirror(const Image &image) : image_(image), memory_(image_.memory()) {}

  srcsel_decision Tables(const IpAddress &to) const {
    srcsel_flow asked{};
    asked.dst = KeyOf(to);
    asked.family = SRCSEL_V6;
    asked.netns = image_.header().netns;
    asked.proto = IPPROTO_UDP;
    asked.dport = 80;
    asked.unknown = SRCSEL_IN_OPAQUE | SRCSEL_IN_SPORT;
    return Decide(image_, asked);
  }

  Sourced Source(const Flow &flow) const {
    const srcsel_key dst = KeyOf(flow.to);
    alignas(8) __u8 wire[16];
    const std::uint32_t verdict = srcsel_source6(&memory_, srcsel_open(&memory_), &dst, flow.oif,
                                                 static_cast<__u32>(flow.prefer), wire);
    return {verdict, FromWire(SRCSEL_V6, wire)};
  }

  // The rule by which the best address is before the next best.
  std::string DecidedBy(const Flow &flow) const {
    const srcsel_key dst = KeyOf(flow.to);
    srcsel_source_walk walk;
    srcsel_source_begin(&walk, &memory_, srcsel_open(&memory_), &dst, flow.oif,
                        static_cast<__u32>(flow.prefer));
    std::vector<std::uint64_t> scores;
    for (const srcsel_address &a : image_.Section<srcsel_address>(image_.header().addresses))
      scores.push_back(srcsel_score6(&walk, &a));
    std::ranges::sort(scores, std::greater());
    if (scores.size() < 2 || scores[1] == 0) return "no other";
    const std::uint64_t difference = scores[0] ^ scores[1];
    const std::vector<std::pair<std::uint64_t, const char *>> rules = {
        {SRCSEL_SCORE_ONLY, "only"},
        {SRCSEL_SCORE_SAME, "same"},
        {SRCSEL_SCORE_SCOPE, "scope"},
        {SRCSEL_SCORE_PREFERRED, "preferred"},
        {SRCSEL_SCORE_HOME, "home"},
        {SRCSEL_SCORE_OIF, "oif"},
        {SRCSEL_SCORE_LABEL, "label"},
        {SRCSEL_SCORE_PRIVACY, "privacy"},
        {SRCSEL_SCORE_ORCHID, "orchid"},
        {SRCSEL_SCORE_PREFIX, "prefix"},
        {SRCSEL_SCORE_NOT_OPTIMISTIC, "optimistic"}};
    for (const auto &[lowest, name] : rules)
      if (difference >= lowest) return name;
    return "order";
  }

 private:
  const Image &image_;
  const srcsel_memory memory_;
};

// ---- the comparison ---------------------------------------------------------------------------

class Source6Test : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  }

  void Expect(const Sourced &mirror, const Flow &flow, const std::string &by) {
    const Answer kernel = Kernel(flow);
    SCOPED_TRACE(absl::StrCat(flow.to.ToString(), " oif ", flow.oif, " prefer ", flow.prefer,
                              ": mirror ", mirror.verdict, " ", mirror.source.ToString(), " by ",
                              by, ", the kernel ", kernel.source.ToString(), " error ",
                              kernel.error));
    if (mirror.verdict == SRCSEL_SOURCED) {
      EXPECT_EQ(kernel.source, mirror.source);
    } else if (mirror.verdict == SRCSEL_NO_SOURCE) {
      EXPECT_EQ(kernel.error, EADDRNOTAVAIL);
    }
    EXPECT_TRUE(mirror.verdict != SRCSEL_SOURCE_UNKNOWN || !order_known_);
    ++counts_[mirror.verdict == SRCSEL_SOURCE_UNKNOWN ? "unknown" : by];
  }

  // Out of the link that the socket is bound to, or out of none.
  void CompareEngine(const Mirror &mirror, const Flow &flow) {
    const Sourced sourced = mirror.Source(flow);
    Expect(sourced, flow, sourced.verdict == SRCSEL_NO_SOURCE ? "none" : mirror.DecidedBy(flow));
  }

  // By the tables.
  void CompareDecision(const Mirror &mirror, const Flow &flow) {
    const srcsel_decision decision = mirror.Tables(flow.to);
    const std::string by = absl::StrCat("tables: ", ReasonText(decision.reason));
    const IpAddress source = FromWire(SRCSEL_V6, decision.source);
    switch (decision.reason) {
      case SRCSEL_WHY_TABLE:
        return Expect({SRCSEL_SOURCED, source}, flow, by);
      case SRCSEL_WHY_LOCAL:
        return Expect({SRCSEL_SOURCED, flow.to}, flow, by);
      case SRCSEL_WHY_NO_SOURCE:
        return Expect({SRCSEL_NO_SOURCE, source}, flow, by);
      case SRCSEL_WHY_NO_ROUTE:
        return Expect(mirror.Source(flow), flow, by);
      case SRCSEL_WHY_AMBIGUOUS:
        return Expect({SRCSEL_SOURCE_UNKNOWN, source}, flow, by);
      default:
        ADD_FAILURE() << "no flow here can have this reason: " << by;
    }
  }

  absl::Status CompareAll(Draw &draw, const Namespace6 &in) {
    SRCSEL_ASSIGN_OR_RETURN(State state, ReadAll());
    mobility_ = state.settings.mobility6;
    order_known_ = !draw.Once(3);
    if (!order_known_) std::erase_if(state.device_order, [&](auto) { return draw.Once(2); });
    PolicyRule bind;
    bind.mark = Mark{kMark, 0xffffffff};
    bind.apply = Apply::kBind;
    SRCSEL_ASSIGN_OR_RETURN(const Image image, Compile(state, Policy{{bind}}, 1));
    const Mirror mirror(image);
    for (int i = 0; i < kFlows && !HasFailure(); ++i) {
      const Flow flow = DrawFlow(draw, in);
      if (flow.oif) {
        CompareEngine(mirror, flow);
      } else if (!flow.to.IsLinkLocal()) {
        CompareDecision(mirror, flow);
      }
    }
    return absl::OkStatus();
  }

  bool mobility_ = false;
  bool order_known_ = true;  // of the namespace at hand
  std::map<std::string, int> counts_;
};

TEST_F(Source6Test, IsTheKernels) {
  Draw draw(Seed());
  for (int i = 0; i < kNamespaces && !HasFailure(); ++i) {
    const absl::StatusOr<Namespace6> in = Namespace6::Create(draw);
    ASSERT_TRUE(in.ok()) << in.status();
    const absl::Status compared = lab::Within(in->fd(), [&] { return CompareAll(draw, *in); });
    ASSERT_TRUE(compared.ok()) << compared;
    if (HasFailure()) std::cout << "namespace " << i << ":\n" << in->words();
  }
  for (const auto &[what, count] : counts_) std::cout << what << ' ' << count << '\n';
  for (const char *what :
       {"only", "same", "scope", "preferred", "oif", "label", "privacy", "orchid", "prefix",
        "optimistic", "order", "no other", "none", "unknown", "tables: table", "tables: local",
        "tables: no-source", "tables: no-route"})
    EXPECT_GT(counts_[what], 0) << what;
  EXPECT_EQ(counts_["home"] > 0, mobility_);
}

}  // namespace
}  // namespace srcsel
