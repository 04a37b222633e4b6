// srcsel check on the host with two uplinks: what it prints, word for word, and that the commands
// it prints mend what it complains about.

#include <sys/stat.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/cgroup.hh"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;

class CheckPolicyTest : public testing::Test {
 protected:
  // With the policy's folder taken out of what is printed.
  Result Check(absl::string_view text, const std::vector<std::string> &options = {}) const {
    EXPECT_TRUE(folder_.Write("p.toml", text).ok());
    std::vector<std::string> words{SRCSEL, "check"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(folder_.path() + "/p.toml");
    Result result = client_.Run({.argv = std::move(words)}).value();
    absl::StrReplaceAll({{absl::StrCat(folder_.path(), "/"), ""}}, &result.out);
    return result;
  }

  void ExpectPrinted(absl::string_view policy, int status, const std::string &printed) const {
    const Result check = Check(policy);
    EXPECT_EQ(check.out, printed) << policy;
    EXPECT_EQ(check.status, status) << check.ToString();
    EXPECT_EQ(check.err, "");
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  TempDir folder_ = TempDir::Make().value();
};

TEST_F(CheckPolicyTest, WhatIsRightIsSaidInALine) {
  ExpectPrinted("[[rule]]\nmark = 100\nipproto = 'tcp'\n", 0,
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, CompilesOverNothingButWhatItCompiled) {
  const std::string rule = "[[rule]]\nmark = 100\n", image = folder_.path() + "/image";
  for (int times = 0; times < 2; ++times) EXPECT_EQ(Check(rule, {"--compile", image}).status, 0);
  const std::string pipe = folder_.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string &other : {pipe, folder_.path() + "/p.toml"}) {
    const Result check = Check(rule, {"--compile", other});
    EXPECT_EQ(check.status, 2);
    EXPECT_THAT(check.err, HasSubstr(other + " is there and is no compiled policy"));
  }
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(std::filesystem::file_size(folder_.path() + "/p.toml"), rule.size());
}

TEST_F(CheckPolicyTest, MistakesOfTheFileComeAllAtOnce) {
  ExpectPrinted(
      "[set.lan]\nfile = 'lan.txt'\n[[rule]]\nto = '@wan'\nmark = 'blue'\n[[rule]]\ndprot = 80\n"
      "ports = '9-1'\n",
      2,
      "p.toml:1: warning: set.lan: no rule uses it\n"
      "p.toml:2: error: set.lan.file: lan.txt cannot be read: No such file or directory\n"
      "p.toml:4: error: rule.to: no [set.wan] is defined; [set.lan] is\n"
      "p.toml:5: error: rule.mark: 'blue' is not a mark: V or V/M with numbers up to 0xffffffff, "
      "as in 100 or 0x64/0xff\n"
      "p.toml:7: error: rule.dprot: is no key here; 'dport' is\n"
      "p.toml:8: error: rule.ports: '9-1' ends before it begins: write 1-9\n"
      "p.toml: 2 rules, 5 errors, 1 warning\n");
}

TEST_F(CheckPolicyTest, AnUnreadableFile) {
  Result check = client_.Run({.argv = {SRCSEL, "check", "/no/such.toml"}}).value();
  EXPECT_EQ(check.out,
            "/no/such.toml: error: cannot be read: No such file or directory\n"
            "/no/such.toml: 0 rules, 1 error, 0 warnings\n");
  EXPECT_EQ(check.status, 2);
  check = client_.Run({.argv = {SRCSEL, "check"}}).value();
  EXPECT_EQ(check.err, "srcsel: no policy to check: srcsel check FILE\n");
  EXPECT_EQ(check.status, 2);
}

TEST_F(CheckPolicyTest, AMarkThatNoIpRuleUses) {
  ExpectPrinted("[[rule]]\nmark = '0x65/0xff'\n", 0,
                "p.toml:2: warning: rule.mark: no ip rule selects fwmark 0x65/0xff: routes and "
                "sources stay as they are without it\n"
                "p.toml: 1 rule, 0 errors, 1 warning\n");
}

TEST_F(CheckPolicyTest, ATableThatAMarkLeadsTo) {
  ExpectPrinted("[[rule]]\nlookup = 100\nipproto = 'tcp'\n", 0,
                "p.toml:2: note: rule.lookup: mark 0x64 leads to table 100\n"
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, ATableThatNoMarkLeadsTo) {
  const std::string policy = "[[rule]]\nlookup = 200\n";
  ASSERT_TRUE(client_.Ip("rule add not fwmark 7 lookup 200").ok());
  ASSERT_TRUE(client_.Ip("rule add fwmark 8 to 192.0.2.0/24 lookup 200").ok());
  ExpectPrinted(policy, 2,
                "p.toml:2: error: rule.lookup: no ip rule leads to table 200 by fwmark alone; this "
                "does: ip rule add fwmark 200 lookup 200\n"
                "p.toml: 1 rule, 1 error, 0 warnings\n");
  ASSERT_TRUE(client_.Ip("route add default via 10.0.0.254 table 200").ok());
  ASSERT_TRUE(client_.Ip("rule add fwmark 200 lookup 200").ok());
  ExpectPrinted(policy, 0,
                "p.toml:2: note: rule.lookup: mark 0xc8 leads to table 200\n"
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, ATableThatLeadsNowhere) {
  ASSERT_TRUE(
      client_
          .IpBatch("-4", {"route flush table 100", "route add default via 10.1.0.254 metric 500"})
          .ok());
  ExpectPrinted(
      "[[rule]]\nto = '192.0.2.0/24'\nmark = 100\n", 0,
      "p.toml:3: warning: rule.mark: ip rule 32765 leads mark 0x64 to table 100, which is "
      "empty: what has the mark is routed as if it had none; ip route add default via "
      "10.1.0.254 dev eth1 table 100\n"
      "p.toml: 1 rule, 0 errors, 1 warning\n");
  ExpectPrinted("[[rule]]\nto = '2001:db8:80::/64'\nipproto = 'tcp'\nmark = 100\n", 0,
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

// Of a rule that has none itself.
TEST_F(CheckPolicyTest, WhatTheHostSaysBesideMistakes) {
  ExpectPrinted(
      "[[rule]]\nmark = 'blue'\nsource = 'dev wan8'\n"
      "[[rule]]\nto = '192.0.2.0/24'\nmark = 100\nsource = 'dev wan7'\n",
      2,
      "p.toml:2: error: rule.mark: 'blue' is not a mark: V or V/M with numbers up to 0xffffffff, "
      "as in 100 or 0x64/0xff\n"
      "p.toml:7: warning: rule.source: dev wan7: no such interface; this namespace has lo, eth0, "
      "eth1; the rule goes without a source until it is up and has an address, which srcsel "
      "follows: till then the kernel chooses\n"
      "p.toml: 2 rules, 1 error, 1 warning\n");
}

TEST_F(CheckPolicyTest, WhatIsSaidOfTwoMembersIsSaidOnce) {
  const Result check =
      Check("[[rule]]\nsource = 'pool a'\n[pool.a]\nmembers = ['10.1.0.1', 'dev eth1']\n");
  EXPECT_EQ(check.status, 0);
  const std::string note =
      "p.toml:2: note: rule.source: the first datagram of an unconnected UDP "
      "socket has no mark yet: 10.1.0.1 ";
  const std::size_t first = check.out.find(note);
  ASSERT_NE(first, std::string::npos) << check.out;
  EXPECT_EQ(check.out.find(note, first + 1), std::string::npos) << check.out;
}

TEST_F(CheckPolicyTest, SourcesThatBindRefuses) {
  ExpectPrinted(
      "[[rule]]\nto = '192.0.2.0/24'\nmark = 100\nsource = '203.0.113.9'\n", 2,
      "p.toml:4: error: rule.source: 203.0.113.9: Cannot assign requested address; this namespace "
      "has 10.0.0.1, 10.1.0.1, 10.1.0.2\n"
      "p.toml: 1 rule, 1 error, 0 warnings\n");
}

TEST_F(CheckPolicyTest, InterfacesThatAreAway) {
  const auto said_of = [&](const std::string &device) {
    const Result check =
        Check("[[rule]]\nmark = 100\nipproto = 'tcp'\non-fail = 'reject'\nsource = 'dev " + device +
              "'\n");
    EXPECT_EQ(check.status, 0);
    return check.out;
  };
  const std::string follows =
      "; the rule goes without a source until it is up and has an address, "
      "which srcsel follows: till then calls fail\n";
  EXPECT_EQ(said_of("wan7"),
            "p.toml:5: warning: rule.source: dev wan7: no such interface; this namespace has "
            "lo, eth0, eth1" +
                follows + "p.toml: 1 rule, 0 errors, 1 warning\n");
  ASSERT_TRUE(client_.Ip("link set eth1 down").ok());
  EXPECT_THAT(said_of("eth1"),
              HasSubstr("p.toml:5: warning: rule.source: dev eth1: the interface is down; ip link "
                        "set eth1 up" +
                        follows));
  ASSERT_TRUE(client_.Ip("address flush dev eth1").ok());
  ASSERT_TRUE(client_.Ip("link set eth1 up").ok());
  EXPECT_THAT(said_of("eth1"),
              HasSubstr("p.toml:5: warning: rule.source: dev eth1: the interface has no global "
                        "address to lend; add one with: ip address add ADDR/LEN dev eth1" +
                        follows));
}

TEST_F(CheckPolicyTest, PoolsGoWithoutMembersThatAreGone) {
  const std::string rule =
      "[[rule]]\nipproto = 'tcp'\nmark = 100\nsource = 'pool a'\n[pool.a]\nmembers = ";
  ExpectPrinted(rule + "['10.1.0.1', '10.1.0.9']\n", 0,
                "p.toml:4: warning: rule.source: pool a goes without 10.1.0.9: Cannot assign "
                "requested address; this namespace has 10.0.0.1, 10.1.0.1, 10.1.0.2\n"
                "p.toml: 1 rule, 0 errors, 1 warning\n");
  EXPECT_THAT(Check(rule + "['10.1.0.8', '10.1.0.9']\n").out,
              HasSubstr("error: rule.source: pool a has no member that this host can use"));
  EXPECT_EQ(Check(rule + "['10.1.0.9', 'kernel']\n").status, 0);
}

TEST_F(CheckPolicyTest, ASourceThatAFwmarkRuleSteers) {
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nsource = '10.1.0.1'\n", 0,
                "p.toml:3: note: rule.source: leaves by its uplink with mark 0x64, which is set "
                "too: ip rule 32765 has it look up table 100\n"
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nsource = ['10.1.0.1', 'fd00:1::1']\n", 0,
                "p.toml:3: note: rule.source: leaves by its uplink with mark 0x64, which is set "
                "too: ip rule 32765 has it look up table 100\n"
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, ASourceThatNeedsNoSteering) {
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nsource = ['10.0.0.1', 'fd00::1']\n", 0,
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
  ASSERT_TRUE(client_.Ip("-4 address add 10.99.0.1/32 dev lo").ok());
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nsource = '10.99.0.1'\n", 0,
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nsource = ['10.1.0.1', 'fd00:1::1']\n", 0,
                "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

// Of an inverted fwmark rule no mark leads anywhere.
TEST_F(CheckPolicyTest, ASourceThatGoesAstray) {
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"rule del fwmark 100 table 100",
                                  "rule add pref 40000 not fwmark 5 table 100"})
                  .ok());
  const std::string policy = "[[rule]]\nto = '192.0.2.0/24'\nsource = 'dev eth1'\n";
  ExpectPrinted(policy, 0,
                "p.toml:3: warning: rule.source: 10.1.0.1 leaves by eth0, not by eth1, for example "
                "to 192.0.2.0; "
                "unless a mark set in OUTPUT sends it there: ip rule add pref 32765 from 10.1.0.1 "
                "lookup 100\n"
                "p.toml: 1 rule, 0 errors, 1 warning\n");
  ASSERT_TRUE(client_.Ip("rule add pref 32765 from 10.1.0.1 lookup 100").ok());
  ExpectPrinted(policy, 0, "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, ASourceWhoseUplinkNoTableLeadsTo) {
  ASSERT_TRUE(client_
                  .IpBatch("-6", {"rule del fwmark 100 table 100", "route flush table 100",
                                  "route add default via fd00:1::254 metric 4096"})
                  .ok());
  const std::string policy = "[[rule]]\nto = '2001:db8:80::/64'\nsource = 'fd00:1::1'\n";
  ExpectPrinted(
      policy, 0,
      "p.toml:3: warning: rule.source: fd00:1::1 leaves by eth0, not by eth1, for example to "
      "2001:db8:80::; "
      "unless a mark set in OUTPUT sends it there: ip -6 route add default via fd00:1::254 dev "
      "eth1 table 101 && ip -6 rule add pref 32765 from fd00:1::1 lookup 101\n"
      "p.toml: 1 rule, 0 errors, 1 warning\n");
  ASSERT_TRUE(client_
                  .IpBatch("-6", {"route add default via fd00:1::254 dev eth1 table 101",
                                  "rule add pref 32765 from fd00:1::1 lookup 101"})
                  .ok());
  ExpectPrinted(policy, 0, "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

// One mark cannot lead to both uplinks.
TEST_F(CheckPolicyTest, APoolOverTwoUplinksNeedsFromRules) {
  const std::string policy =
      "[[rule]]\nsource = 'pool a'\n[pool.a]\nmembers = ['10.0.0.1', '10.1.0.1']\n";
  ExpectPrinted(
      policy, 0,
      "p.toml:2: warning: rule.source: 10.1.0.1 leaves by eth0, not by eth1, for example to "
      "1.77.131.9; unless a mark set in OUTPUT sends it there: ip rule add pref 32765 from "
      "10.1.0.1 lookup "
      "100\n"
      "p.toml: 1 rule, 0 errors, 1 warning\n");
  ASSERT_TRUE(client_.Ip("rule add pref 32765 from 10.1.0.1 lookup 100").ok());
  ExpectPrinted(policy, 0, "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, FirstDatagramsThatHaveNoMarkYet) {
  const std::string policy = "[[rule]]\nto = ['192.0.2.0/24', '2001:db8:80::/64']\nmark = 100\n";
  ExpectPrinted(
      policy, 0,
      "p.toml:3: note: rule.mark: the first datagram of an unconnected UDP socket has "
      "no mark yet: 10.1.0.1 leaves by eth0, not by eth1, for example to 192.0.2.0; "
      "unless a mark set "
      "in OUTPUT sends it there: ip rule add pref 32765 from 10.1.0.1 lookup 100\n"
      "p.toml:3: note: rule.mark: the first datagram of an unconnected UDP socket has "
      "no mark yet: fd00:1::1 leaves by eth0, not by eth1, for example to 2001:db8:80::; "
      "unless a mark "
      "set in OUTPUT sends it there: ip -6 rule add pref 32765 from fd00:1::1 lookup 100\n"
      "p.toml: 1 rule, 0 errors, 0 warnings\n");
  ASSERT_TRUE(client_.Ip("rule add pref 32765 from 10.1.0.1 lookup 100").ok());
  ASSERT_TRUE(client_.Ip("-6 rule add pref 32765 from fd00:1::1 lookup 100").ok());
  ExpectPrinted(policy, 0, "p.toml: 1 rule, 0 errors, 0 warnings\n");
}

TEST_F(CheckPolicyTest, CgroupsByTheirIds) {
  const TestCgroup cgroup = TestCgroup::Create().value();
  const std::string name = cgroup.path().substr(cgroup.path().rfind('/'));
  EXPECT_EQ(
      Check(absl::StrCat("[[rule]]\nipproto = 'tcp'\nmark = 100\ncgroup = '", name, "'\n")).out,
      "p.toml: 1 rule, 0 errors, 0 warnings\n");
  ExpectPrinted("[[rule]]\nipproto = 'tcp'\nmark = 100\ncgroup = '/no/such.slice'\n", 0,
                "p.toml:4: warning: rule.cgroup: find cgroup /no/such.slice: No such file or "
                "directory; the rule holds for nothing in it until the policy is read again\n"
                "p.toml: 1 rule, 0 errors, 1 warning\n");
}

TEST_F(CheckPolicyTest, AsJson) {
  const Result check =
      Check("[[rule]]\nlookup = 100\nipproto = 'tcp'\n[[rule]]\nipproto = 'tcp'\nmark = 101\n",
            {"--json"});
  EXPECT_EQ(check.status, 0);
  EXPECT_EQ(nlohmann::ordered_json::parse(check.out).dump(1),
            R"({
 "file": "p.toml",
 "rules": 2,
 "errors": 0,
 "warnings": 2,
 "notes": 1,
 "findings": [
  {
   "severity": "note",
   "file": "p.toml",
   "line": 2,
   "key": "rule.lookup",
   "message": "mark 0x64 leads to table 100"
  },
  {
   "severity": "warning",
   "file": "p.toml",
   "line": 4,
   "key": "rule",
   "message": "never holds: p.toml:1 holds wherever it would"
  },
  {
   "severity": "warning",
   "file": "p.toml",
   "line": 6,
   "key": "rule.mark",
   "message": "no ip rule selects fwmark 0x65: routes and sources stay as they are without it"
  }
 ]
})");
}

TEST_F(CheckPolicyTest, OfAnotherNamespace) {
  ASSERT_TRUE(folder_.Write("p.toml", "[[rule]]\nlookup = 100\n").ok());
  const Result here =
      lab_.host("telecom").Run({.argv = {SRCSEL, "check", folder_.path() + "/p.toml"}}).value();
  EXPECT_EQ(here.status, 2) << here.ToString();
  const Result there = lab_.host("telecom")
                           .Run({.argv = {SRCSEL, "check", "--netns", client_.netns().Path(),
                                          folder_.path() + "/p.toml"}})
                           .value();
  EXPECT_EQ(there.status, 0) << there.ToString();
  const Result nowhere =
      client_.Run({.argv = {SRCSEL, "check", "--netns", "/no/such", "p.toml"}}).value();
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("/no/such"));
}

}  // namespace
}  // namespace srcsel::lab
