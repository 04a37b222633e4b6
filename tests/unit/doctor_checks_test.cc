// What doctor says of facts that a test cannot make on the host it runs on.

#include <functional>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "srcsel/doctor/checks.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

// As on a host that is well.
Facts Well() {
  Facts facts;
  facts.host.kernel = {6, 18};
  facts.host.bpffs = "/sys/fs/bpf";
  facts.host.jit = 1;
  facts.host.release = "1.2.3";
  return facts;
}

UpStatus WellUp() {
  UpStatus status;
  status.state.pid = 7;
  status.state.cgroup = "/";
  status.state.version = "1.2.3";
  status.following = true;
  status.abi = SRCSEL_ABI_VERSION;
  for (const char *name :
       {"bind4", "bind6", "setsockopt", "create", "connect4", "connect6", "sendmsg4", "sendmsg6"})
    status.hooks.push_back({.name = name, .program = 1, .cgroup = 1});
  return status;
}

// "broken lockdown", one after the other.
std::string Said(const Facts &facts) {
  constexpr const char *kWords[] = {"note", "warning", "broken"};
  return absl::StrJoin(Examine(facts), ", ", [&](std::string *out, const Complaint &complaint) {
    absl::StrAppend(out, kWords[static_cast<int>(complaint.gravity)], " ", complaint.id);
  });
}

std::string SaidAfter(const std::function<void(Facts &)> &change) {
  Facts facts = Well();
  change(facts);
  return Said(facts);
}

std::string RemedyAfter(const std::function<void(Facts &)> &change) {
  Facts facts = Well();
  change(facts);
  const Complaints found = Examine(facts);
  return found.size() == 1 ? found[0].remedy : "";
}

TEST(DoctorChecks, NothingIsSaidOfAHostThatIsWell) {
  EXPECT_EQ(Said(Well()), "");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.up.status = WellUp(); }), "");
}

TEST(DoctorChecks, IdsAreUnique) {
  std::set<std::string> ids;
  for (const DoctorCheck &check : DoctorChecks())
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
}

TEST(DoctorChecks, OfTheMachine) {
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.missing_caps = {"CAP_BPF"}; }), "broken privilege");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.may_pin = false; }), "warning privilege");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.jit = 0; }), "warning jit");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.jit.reset(); }), "");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.btf = false; }), "note btf");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.has_bpffs = false; }), "note bpffs");
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.cgroup2 = absl::NotFoundError("none"); }),
            "broken cgroup2");
}

TEST(DoctorChecks, WhereRemediesAreTyped) {
  EXPECT_EQ(RemedyAfter([](Facts &f) {
              f.host.cgroup2 = absl::NotFoundError("none");
              f.host.cgroup2_point = "/sys/fs/cgroup";
            }),
            "mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  // Root without CAP_SYS_ADMIN; who is not root may mount nothing anywhere.
  const auto hidden = [](Facts &f) {
    f.host.cgroup2 = absl::PermissionDeniedError("mount");
    f.host.cgroup2_point = "/sys/fs/cgroup";
  };
  EXPECT_EQ(RemedyAfter(hidden),
            "mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  Facts user = Well();
  user.host.may_pin = false;
  hidden(user);
  for (const Complaint &complaint : Examine(user))
    EXPECT_EQ(complaint.remedy, "sudo srcsel doctor");
  EXPECT_EQ(Said(user), "broken cgroup2, warning privilege");
  EXPECT_EQ(RemedyAfter([](Facts &f) {
              f.host.jit = 0;
              f.host.jit_elsewhere = true;
            }),
            "nsenter --net=/proc/1/ns/net sysctl -w net.core.bpf_jit_enable=1");
}

TEST(DoctorChecks, OfOldKernelsOnly) {
  const auto with = [](std::pair<int, int> kernel) {
    return SaidAfter([&](Facts &f) {
      f.host.kernel = kernel;
      f.host.v1_in_use = {"net_cls"};
      f.host.memlock = 65536;
    });
  };
  EXPECT_EQ(with({6, 1}), "");
  EXPECT_EQ(with({5, 15}), "note kernel");
  EXPECT_EQ(with({5, 14}), "warning cgroup-v1, note kernel");
  EXPECT_EQ(with({5, 10}), "warning cgroup-v1, warning memlock, note kernel");
}

TEST(DoctorChecks, LockdownIsACauseOnlyOfWhatFails) {
  EXPECT_EQ(SaidAfter([](Facts &f) { f.host.lockdown = "confidentiality"; }), "");
  EXPECT_EQ(SaidAfter([](Facts &f) {
              f.host.lockdown = "confidentiality";
              f.probes.trouble = "load BPF programs: Operation not permitted";
            }),
            "broken hooks, broken lockdown");
}

TEST(DoctorChecks, EachHookThatDoesNotWork) {
  EXPECT_EQ(SaidAfter([](Facts &f) {
              f.probes.probes = {{"bind4", "notices", ""},
                                 {"connect4", "gives", "has 192.0.2.1, not 192.0.2.2"},
                                 {"connect6", "gives", "no"}};
            }),
            "broken hooks, broken hooks");
}

TEST(DoctorChecks, WhatIsUp) {
  EXPECT_EQ(SaidAfter([](Facts &f) { f.up.unread = "no"; }), "broken up");
  const auto up = [](const std::function<void(UpStatus &)> &change) {
    return [change](Facts &f) {
      f.up.status = WellUp();
      change(*f.up.status);
    };
  };
  const auto older = up([](UpStatus &s) { s.state.version = "1.0"; });
  EXPECT_EQ(SaidAfter(older), "note up-version");
  EXPECT_EQ(RemedyAfter(older), "srcsel down && srcsel up");
  EXPECT_EQ(SaidAfter(up([](UpStatus &s) { s.abi = SRCSEL_ABI_VERSION + 1; })),
            "broken up-version");
  const auto dead = up([](UpStatus &s) {
    s.following = false;
    s.state.policy = "/etc/it's here";
    s.state.cgroup = "/a.slice";
    s.state.steered = true;
    s.state.netns_name = "blue";
    s.state.trial = 60;
  });
  EXPECT_EQ(SaidAfter(dead), "broken up");
  EXPECT_EQ(
      RemedyAfter(dead),
      "srcsel up --policy '/etc/it'\\''s here' --cgroup /a.slice --steer --netns blue --try 60s");
  EXPECT_EQ(RemedyAfter(up([](UpStatus &s) { s.hooks[0].cgroup = 0; })), "srcsel down");
  EXPECT_EQ(RemedyAfter(up([](UpStatus &s) {
              s.hooks[0].cgroup = 0;
              s.cgroup_is_back = true;
            })),
            "srcsel down && srcsel up");
  EXPECT_EQ(RemedyAfter(up([](UpStatus &s) {
              s.following = false;
              s.state.until = absl::Now() - absl::Seconds(1);
            })),
            "srcsel down");
  EXPECT_EQ(RemedyAfter(up([](UpStatus &s) { s.hooks.clear(); })), "srcsel down && srcsel up");
  EXPECT_EQ(RemedyAfter(up([](UpStatus &s) { s.stopped = true; })), "kill -CONT 7");
  for (const bool attached : {true, false})
    EXPECT_EQ(RemedyAfter(up([attached](UpStatus &s) {
                s.state = {};
                s.following = false;
                if (!attached) s.hooks.clear();
              })),
              "srcsel down");
  EXPECT_EQ(SaidAfter(up([](UpStatus &s) { s.state.stale = "read routes"; })), "broken up");
}

TEST(DoctorChecks, SourceNatIsAFaultOnceAllIsUp) {
  const auto with = [](const char *cgroup) {
    return SaidAfter([&](Facts &f) {
      f.network.nats.needless = {{"iptables nat: -A POSTROUTING -j MASQUERADE", true, false, "rm"}};
      if (*cgroup == '\0') return;
      f.up.status = WellUp();
      f.up.status->state.cgroup = cgroup;
    });
  };
  EXPECT_EQ(with(""), "note source-nat");
  EXPECT_EQ(with("/a.slice"), "note source-nat");
  EXPECT_EQ(with("/"), "warning source-nat");
}

TEST(DoctorChecks, ADeviceWithADotInItsName) {
  const auto strict = [](Facts &f) {
    f.network.state.links = {{.index = 2, .name = "eth0.5"}};
    f.network.reverse_paths = {{2, 1, false}};
    f.network.strays = {
        {IpAddress::Parse("10.0.0.1").value(), {2}, "10.0.0.1 strays", {"mend", ""}}};
  };
  EXPECT_EQ(SaidAfter(strict), "warning rp-filter, warning from-rule");
  Facts facts = Well();
  strict(facts);
  EXPECT_EQ(Examine(facts)[0].remedy, "sysctl -w net/ipv4/conf/eth0.5/rp_filter=2");
}

TEST(DoctorChecks, AFirewallThatIsNotReadIsSaid) {
  EXPECT_EQ(SaidAfter([](Facts &f) { f.network.firewall.skipped = {"nft: no"}; }), "note firewall");
  const auto remedy_for = [](const char *skipped) {
    return RemedyAfter([&](Facts &f) { f.network.firewall.skipped = {"nft: no", skipped}; });
  };
  EXPECT_EQ(remedy_for("run iptables-nft-save: no"), "");
  EXPECT_EQ(remedy_for("no program ip6tables-nft-save"), "apt install iptables");
}

}  // namespace
}  // namespace srcsel
