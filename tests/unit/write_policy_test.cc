// What is written reads back as the same policy.

#include "policy/write_policy.hh"

#include <gtest/gtest.h>

#include "fixtures.hh"
#include "policy/read_policy.hh"

namespace srcsel {
namespace {

// Names are places in the text that is read.
void ExpectSame(PolicyRule written, PolicyRule read) {
  written.name = read.name = "";
  written.cgroups.clear();
  read.cgroups.clear();
  ASSERT_EQ(written.sets.size(), read.sets.size());
  for (std::size_t i = 0; i < written.sets.size(); ++i)
    EXPECT_EQ(written.sets[i]->prefixes, read.sets[i]->prefixes);
  written.sets.clear();
  read.sets.clear();
  ASSERT_EQ(written.pool == nullptr, read.pool == nullptr);
  if (written.pool != nullptr) {
    EXPECT_EQ(written.pool->members, read.pool->members);
    EXPECT_EQ(written.pool->pick, read.pool->pick);
  }
  written.pool = read.pool = nullptr;
  EXPECT_EQ(written, read);
}

TEST(WritePolicy, ReadsBack) {
  PolicyRule all = Marking("0x64/0xff");
  all.name = "somebody's \n line";
  all.to = {Net("10.0.0.0/8"), Net("fd00::1/128")};
  all.sets = {std::make_shared<const PrefixSet>(PrefixSet{"of nft.1", {Net("192.0.2.0/24")}}),
              std::make_shared<const PrefixSet>(PrefixSet{"", {Net("198.51.100.1/32")}}),
              std::make_shared<const PrefixSet>(PrefixSet{"of nft.1", {Net("203.0.113.0/24")}})};
  all.protos = {6, 17};
  all.dports = {{80, 80}, {1000, 2000}};
  all.uids = {{0, 0}, {1000, 1999}};
  all.gids = {{5, 5}};
  all.classids = {{0x10001, 0x10001}, {0xa0000, 0xa000f}};
  all.cgroups = {{"/a/b", 0, 2}};
  all.comms = {"a \"b\" \\c"};
  all.marks = {{0, 0xff00}};
  all.ports = Range16{2000, 2999};
  all.on_fail = OnFail::kReject;
  PolicyRule bind = Binding("0x10");
  PolicyRule sources = Sourcing({Address("10.0.0.1"), Address("fd00::1")});
  PolicyRule device = Sourcing({DeviceSource{"eth1"}});
  PolicyRule lookup;
  lookup.lookup = 100;
  PolicyRule leave;
  leave.to = {Net("0.0.0.0/0")};
  leave.leave = true;
  PolicyRule pool;
  pool.pool = std::make_shared<const Pool>(
      Pool{"wan2", {{Address("10.1.0.1"), 3}, {std::nullopt, 1}}, Pick::kRoundRobin});
  const Policy policy{{all, bind, sources, device, lookup, leave, pool, pool}};

  const std::string text = WritePolicy(policy);
  const PolicyFile read = ReadPolicyText(text, "written.toml");
  ASSERT_FALSE(HasErrors(read.findings)) << read.findings.front().ToString() << "\n" << text;
  ASSERT_EQ(read.policy.rules.size(), policy.rules.size()) << text;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "rule " << i << " of\n" << text);
    ExpectSame(policy.rules[i], read.policy.rules[i]);
  }
  EXPECT_EQ(read.policy.rules[0].cgroups.at(0).path, "/a/b");
}

TEST(WritePolicy, OfNothingIsEmpty) {
  EXPECT_EQ(WritePolicy({}), "");
}

}  // namespace
}  // namespace srcsel
