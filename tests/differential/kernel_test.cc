// The engine against the kernel: random namespaces with rules and tables of all kinds, and for
// random flows the source the tables give against the one the kernel gives a socket that bears the
// mark before it connects.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.hh"
#include "draw.hh"
#include "image/compile.hh"
#include "image/key.hh"
#include "lab/netns.hh"
#include "lab/process.hh"
#include "lab/run_eventually.hh"
#include "lookup/decide.hh"
#include "netlink/read_state.hh"
#include "oracle.hh"

namespace srcsel {
namespace {

constexpr int kNamespaces = 16;
constexpr int kFlows = 600;  // a namespace
constexpr int kLinks = 3;
const std::vector<std::uint32_t> kMarks = {1, 2, 0x11, 0x64};

// ---- a random namespace, in the words of `ip -batch` ------------------------------------------

class Words {
 public:
  // Rules that select by source act on the lookups after the first, too.
  Words(Draw &draw, bool from) : draw_(draw), from_(from) {}

  std::string Links() {
    Add("link set lo up");
    for (int i = 0; i < kLinks; ++i) AddLink(i);
    return Taken();
  }

  // Of "-4" or "-6".
  std::string Routing(absl::string_view family) {
    for (int i = 0; i < 60; ++i) AddRoute(family);
    for (int i = 0; i < 14; ++i) AddRule(family);
    return Taken();
  }

 private:
  template <typename... T>
  void Add(const T &...words) {
    lines_.push_back(absl::StrJoin(std::tuple(words...), " "));
  }

  std::string Taken() { return absl::StrJoin(std::exchange(lines_, {}), "\n") + "\n"; }

  void AddLink(int i) {
    Add(absl::StrCat("link add v", i, " type veth peer name w", i));
    for (const char *end : {"v", "w"}) {
      Add(absl::StrCat("link set ", end, i, " addrgenmode none"));
      Add(absl::StrCat("link set ", end, i, " up group ", draw_.Below(3)));
    }
    const std::string dev = absl::StrCat("dev v", i);
    if (draw_.Once(3)) Add("address add", absl::StrCat("192.168.", i, ".1/32"), dev, "scope link");
    Add("address add", absl::StrCat("10.1", i, ".0.1/24"), dev);
    Add("address add", absl::StrCat("10.1", i, ".0.2/24"), dev);
    if (draw_.Once(2)) Add("address add", absl::StrCat("10.1", i, ".9.1/16"), dev);
    for (int host : {1, 2})
      Add("address add", absl::StrCat("fd10:", i, "::", host, "/64"), dev, "nodad");
    // Without this, neighbours that do not answer would take part in the kernel's choice.
    for (const std::string &gateway :
         {absl::StrCat("10.1", i, ".0.254"), absl::StrCat("10.1", i, ".9.254"),
          absl::StrCat("fd10:", i, "::fe")})
      Add("neigh add", gateway, "lladdr 02:00:00:00:00:01 nud permanent", dev);
  }

  bool V4(absl::string_view family) const { return family == "-4"; }

  std::string Own(absl::string_view family) {
    const unsigned link = draw_.Below(kLinks), host = 1 + draw_.Below(2);
    return V4(family) ? absl::StrCat("10.1", link, ".0.", host)
                      : absl::StrCat("fd10:", link, "::", host);
  }

  std::string PrefixIn(absl::string_view family) {
    if (draw_.Once(6)) return "default";
    if (V4(family))
      return absl::StrCat(Net("20.", draw_.Below(4), ".", draw_.Below(4) * 64, ".",
                              draw_.Below(256), "/", 6 + draw_.Below(27)));
    return absl::StrCat(Net("fd20:", draw_.Below(4), ":", draw_.Below(4), "000::", draw_.Below(9),
                            "/", 16 + draw_.Below(113)));
  }
  template <typename... T>
  static std::string Net(const T &...parts) {
    return Prefix::Parse(absl::StrCat(parts...)).value().Network().ToString();
  }

  std::string Hop(absl::string_view family) {
    const unsigned link = draw_.Below(kLinks);
    if (draw_.Once(2)) return absl::StrCat("dev v", link);
    return V4(family)
               ? absl::StrCat("via 10.1", link, draw_.Once(4) ? ".9" : ".0", ".254 dev v", link)
               : absl::StrCat("via fd10:", link, "::fe dev v", link);
  }

  void AddRoute(absl::string_view family) {
    const std::string table =
        draw_.Once(4) ? "table main" : absl::StrCat("table ", 100 + draw_.Below(4));
    const std::string metric = draw_.Once(3) ? absl::StrCat("metric ", 1 + draw_.Below(3)) : "";
    const std::string tos = V4(family) && draw_.Once(10) ? "tos 0x10" : "";
    const std::string prefix = PrefixIn(family), hop = Hop(family);
    // Of several gateways appended to an IPv6 prefix, the dump shows one source for all.
    const bool appends = draw_.Once(5) && (V4(family) || hop.find("via") == std::string::npos);
    const std::string verb = appends ? "route append" : "route add";
    if (draw_.Once(6)) {
      static const std::vector<std::string> kTypes = {"unreachable", "blackhole", "prohibit",
                                                      "throw"};
      Add(verb, draw_.OneOf(kTypes), prefix, table, metric, tos);
      return;
    }
    const std::string src = draw_.Once(2) ? "src " + Own(family) : "";
    const bool several = !appends && draw_.Once(8);
    const std::string hops =
        several ? absl::StrCat("nexthop ", hop, " nexthop ", Hop(family)) : hop;
    Add(verb, prefix, table, metric, tos, src, hops);
  }

  void AddRule(absl::string_view family) {
    std::string rule = absl::StrCat("pref ", 1 + draw_.Below(20));
    const auto select = [&](unsigned times, const std::string &words) {
      if (draw_.Once(times)) absl::StrAppend(&rule, " ", words);
    };
    if (draw_.Once(6)) rule = "not " + rule;
    select(2, absl::StrCat("fwmark ", draw_.OneOf(kMarks)));
    if (rule.find("fwmark") == std::string::npos) select(4, "fwmark 0x1/0xf");
    if (const std::string to = PrefixIn(family); to != "default") select(3, "to " + to);
    if (from_) select(5, V4(family) && draw_.Once(2) ? "from 0.0.0.0/1" : "from " + Own(family));
    select(5, draw_.Once(2) ? "ipproto udp" : "ipproto tcp");
    select(5, draw_.Once(2) ? "dport 80" : "dport 400-500");
    select(8, draw_.Once(2) ? "uidrange 0-0" : "uidrange 1-1000");
    select(12, "iif lo");
    select(20, "oif v0");
    Add("rule add", rule, ActionOf());
  }

  std::string ActionOf() {
    switch (draw_.Below(14)) {
      case 0:
        return "unreachable";
      case 1:
        return "prohibit";
      case 2:
        return "blackhole";
      case 3:
        return absl::StrCat("goto ", 21 + draw_.Below(2));
      case 4:
        return absl::StrCat("goto ", 5 + draw_.Below(15));  // backward ones are refused
      case 5:
        return "nop";
      case 6:
        return absl::StrCat("table main suppress_prefixlength ",
                            draw_.Once(2) ? 0 : draw_.Below(24));
      case 7:
        return absl::StrCat("table ", 100 + draw_.Below(4), " suppress_ifgroup ", draw_.Below(3));
      default:
        return absl::StrCat("table ", 100 + draw_.Below(5));
    }
  }

  Draw &draw_;
  const bool from_;
  std::vector<std::string> lines_;
};

// ---- flows ------------------------------------------------------------------------------------

Dial DrawFlow(Draw &draw) {
  Dial flow;
  flow.to = IpAddress::Parse(draw.Once(2) ? absl::StrCat("20.", draw.Below(5), ".",
                                                         draw.Below(4) * 64, ".", draw.Below(256))
                                          : absl::StrCat("fd20:", draw.Below(5), ":", draw.Below(4),
                                                         "000::", draw.Below(9)))
                .value();
  if (draw.Once(30)) flow.to = IpAddress::Parse(draw.Once(2) ? "10.11.0.1" : "fd10:1::1").value();
  flow.type = draw.Once(4) ? SOCK_STREAM : SOCK_DGRAM;
  flow.port = draw.OneOf(std::vector<std::uint16_t>{80, 400, 500, 501});
  flow.mark = draw.OneOf(kMarks);
  return flow;
}

srcsel_decision Mirror(const Image &image, const Dial &flow) {
  srcsel_flow asked{};
  asked.dst = KeyOf(flow.to);
  asked.family = static_cast<__u8>(FamilyOf(flow.to));
  asked.netns = image.header().netns;
  asked.proto = flow.type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
  asked.dport = flow.port;
  asked.unknown = SRCSEL_IN_OPAQUE | SRCSEL_IN_SPORT;
  return Decide(image, asked);
}

// ---- the comparison ---------------------------------------------------------------------------

class KernelTest : public testing::Test {
 protected:
  using Counts = std::array<std::array<int, SRCSEL_WHY_COUNT>, SRCSEL_FAMILIES>;

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  }

  static std::string Ip(const lab::Netns &netns, std::vector<std::string> argv,
                        const std::string &input = "") {
    lab::Command ip;
    argv.insert(argv.begin(), "ip");
    ip.argv = std::move(argv);
    ip.netns = netns.fd().get();
    ip.input = input;
    const absl::StatusOr<lab::Result> result = lab::RunCommand(ip);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->out : "";
  }

  // Routes to own IPv6 addresses are added later, by a thread of the kernel.
  static bool HasOwnRoutes(const lab::Netns &netns) {
    const std::string routes =
        Ip(netns, {"-6", "route", "show", "table", "local", "type", "local", "root", "fd10::/16"});
    return std::ranges::count(routes, '\n') == 2 * kLinks;
  }

  // Some of the words ask for what is there already, or leads backward: `ip` passes over them.
  static std::string Furnish(const lab::Netns &netns, Words words) {
    std::string all = words.Links();
    Ip(netns, {"-batch", "-"}, all);
    EXPECT_TRUE(lab::Eventually([&] { return HasOwnRoutes(netns); }));
    for (const char *family : {"-4", "-6"}) {
      const std::string routing = words.Routing(family);
      Ip(netns, {family, "-force", "-batch", "-"}, routing);
      absl::StrAppend(&all, "ip ", family, " -force -batch -\n", routing);
    }
    return all;
  }

  // In the namespace. With rules `from`, what follows the first lookup may fail for the very source
  // that the first one gave: binding that source must then fail in the same way.
  void Compare(const Image &image, const Dial &flow, bool from) {
    const srcsel_decision decision = Mirror(image, flow);
    const Connected kernel = Connect(flow);
    const IpAddress source = FromWire(FamilyOf(flow.to), decision.source);
    ++counts_[FamilyOf(flow.to)][decision.reason];
    SCOPED_TRACE(absl::StrCat(flow.ToString(), ": mirror says ", ReasonText(decision.reason), " ",
                              source.ToString(), " by rule ", decision.rule, " table ",
                              decision.table, ", the kernel ", kernel.source.ToString(), " error ",
                              kernel.error));
    switch (decision.reason) {
      case SRCSEL_WHY_TABLE:
        if (kernel.error && from) {
          Dial bound = flow;
          bound.from = source;
          EXPECT_EQ(Connect(bound).error, kernel.error);
        } else {
          EXPECT_EQ(kernel.source, source);
        }
        break;
      case SRCSEL_WHY_NO_ROUTE:
        if (flow.to.is_v4() || !from) {
          EXPECT_NE(kernel.error, 0);
        }
        break;
      case SRCSEL_WHY_LOCAL:
        EXPECT_EQ(kernel.source, flow.to);
        break;
      case SRCSEL_WHY_AMBIGUOUS:
      case SRCSEL_WHY_NO_SOURCE:
        break;
      default:
        ADD_FAILURE() << "no flow here can have this reason";
    }
  }

  absl::Status CompareAll(Draw &draw, bool from) {
    SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
    SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
    EXPECT_GT(state.routes.size(), 60u);
    EXPECT_GT(state.rules.size(), 15u);
    std::map<std::uint32_t, Image> images;
    for (const std::uint32_t mark : kMarks) {
      PolicyRule bind;
      bind.mark = Mark{mark, 0xffffffff};
      bind.apply = Apply::kBind;
      SRCSEL_ASSIGN_OR_RETURN(Image image, Compile(state, Policy{{bind}}, 1));
      images.emplace(mark, std::move(image));
    }
    for (int i = 0; i < kFlows; ++i) {
      const Dial flow = DrawFlow(draw);
      Compare(images.at(flow.mark), flow, from);
    }
    return absl::OkStatus();
  }

  int Total(srcsel_family family) const {
    int total = 0;
    for (const int count : counts_[family]) total += count;
    return total;
  }

  Counts counts_{};
};

TEST_F(KernelTest, ChoosesTheSourceThatTheTablesGive) {
  Draw draw(Seed());
  for (int i = 0; i < kNamespaces && !HasFailure(); ++i) {
    const bool from = i % 3 == 0;
    const lab::Netns netns = lab::Netns::Create().value();
    const std::string words = Furnish(netns, Words(draw, from));
    const absl::Status compared = lab::Within(netns.fd(), [&] { return CompareAll(draw, from); });
    ASSERT_TRUE(compared.ok()) << compared;
    if (HasFailure()) std::cout << "namespace " << i << ":\n" << words;
  }
  for (const srcsel_family family : {SRCSEL_V4, SRCSEL_V6}) {
    const auto &counts = counts_[family];
    std::cout << (family == SRCSEL_V4 ? "IPv4:" : "IPv6:");
    for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
      if (counts[reason]) std::cout << ' ' << ReasonText(reason) << ' ' << counts[reason];
    std::cout << " of " << Total(family) << std::endl;
    EXPECT_GT(counts[SRCSEL_WHY_TABLE], Total(family) / 4);
    EXPECT_GT(counts[SRCSEL_WHY_NO_ROUTE], Total(family) / 50);
    EXPECT_GT(counts[SRCSEL_WHY_LOCAL], 0);
    EXPECT_LT(counts[SRCSEL_WHY_AMBIGUOUS] + counts[SRCSEL_WHY_NO_SOURCE], Total(family) * 2 / 5);
  }
}

}  // namespace
}  // namespace srcsel
