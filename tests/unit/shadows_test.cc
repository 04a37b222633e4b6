// Rules that an earlier one leaves nothing for.

#include "policy_text.hh"

namespace srcsel {
namespace {

// Whether a rule with the first selectors leaves nothing for one with the second.
bool Shadowed(absl::string_view early, absl::string_view late) {
  const std::string text =
      absl::StrCat("[set.wide]\nprefixes = ['10.0.0.0/8', '10.1.0.0/16', 'fd00::/8']\n",
                   "[set.narrow]\nprefixes = ['10.1.0.0/24', 'fd00:1::/32']\n",
                   "[[rule]]\nmark = 1\n", early, "\n[[rule]]\nmark = 2\n", late, "\n");
  int shadowed = 0;
  for (const Finding &finding : ReadPolicyText(text, "p").findings) {
    EXPECT_EQ(finding.severity, Severity::kWarning) << finding.ToString();
    shadowed += finding.message == "never holds: p:5 holds wherever it would";
  }
  return shadowed > 0;
}

TEST(Shadows, AreCastByWiderSelectors) {
  EXPECT_TRUE(Shadowed("", ""));
  EXPECT_TRUE(Shadowed("", "ipproto = 'tcp'"));
  EXPECT_TRUE(Shadowed("ipproto = ['tcp', 'udp']", "ipproto = 'udp'"));
  EXPECT_TRUE(Shadowed("dport = '1-1023'", "dport = [80, '443-444']"));
  EXPECT_TRUE(Shadowed("uidrange = '0-999'", "uidrange = 33"));
  EXPECT_TRUE(Shadowed("gid = 7", "gid = 7"));
  EXPECT_TRUE(Shadowed("classid = '1:0-1:f'", "classid = ['1:1', 0x10002]"));
  EXPECT_TRUE(Shadowed("cgroup = '/a'", "cgroup = ['/a', '/a/b']"));
  EXPECT_TRUE(Shadowed("cgroup = '/'", "cgroup = '/x'"));
  EXPECT_TRUE(Shadowed("comm = ['a', 'b']", "comm = 'b'"));
  EXPECT_TRUE(Shadowed("if-mark = '0x10/0xf0'", "if-mark = '0x12/0xff'"));
  EXPECT_TRUE(Shadowed("to = '10.0.0.0/8'", "to = ['10.1.0.0/16', '10.0.0.0/8']"));
  EXPECT_TRUE(Shadowed("to = '@wide'", "to = '@narrow'"));
  EXPECT_TRUE(Shadowed("to = '@wide'", "to = '@wide'\ndport = 80"));
  EXPECT_TRUE(Shadowed("to = '@wide'", "to = '10.200.0.0/16'"));
  EXPECT_TRUE(Shadowed("to = ['10.0.0.0/8', 'fd00::/8']", "to = '@narrow'"));
}

TEST(Shadows, AreNotCastByNarrowerOnes) {
  EXPECT_FALSE(Shadowed("ipproto = 'tcp'", ""));
  EXPECT_FALSE(Shadowed("ipproto = 'tcp'", "ipproto = ['tcp', 'udp']"));
  EXPECT_FALSE(Shadowed("dport = 80", "dport = '80-81'"));
  EXPECT_FALSE(Shadowed("uidrange = '1-999'", "uidrange = '0-999'"));
  EXPECT_FALSE(Shadowed("gid = 7", "gid = 8"));
  EXPECT_FALSE(Shadowed("classid = '1:1'", "classid = '1:1-1:2'"));
  EXPECT_FALSE(Shadowed("cgroup = '/a/b'", "cgroup = '/a'"));
  EXPECT_FALSE(Shadowed("cgroup = '/a'", "cgroup = '/ab'"));
  EXPECT_FALSE(Shadowed("comm = 'a'", "comm = 'b'"));
  EXPECT_FALSE(Shadowed("if-mark = '0x10/0xf0'", "if-mark = '0x10/0x10'"));
  EXPECT_FALSE(Shadowed("if-mark = 1", "if-mark = 2"));
  EXPECT_FALSE(Shadowed("to = '10.0.0.0/8'", ""));
  EXPECT_FALSE(Shadowed("to = '10.1.0.0/16'", "to = '10.0.0.0/8'"));
  EXPECT_FALSE(Shadowed("to = '@narrow'", "to = '@wide'"));
  EXPECT_FALSE(Shadowed("to = '@wide'", "to = ['10.0.0.0/8', '11.0.0.0/8']"));
  EXPECT_FALSE(Shadowed("to = '10.0.0.0/8'", "to = '@narrow'"));
  EXPECT_FALSE(Shadowed("to = '0.0.0.0/0'", "to = '::/0'"));
  EXPECT_FALSE(Shadowed("dport = 80\nipproto = 'tcp'", "dport = 80"));
}

}  // namespace
}  // namespace srcsel
