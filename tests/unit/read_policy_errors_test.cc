// Every mistake of a policy file: where it is, which key, what was read, what would be accepted.

#include <gmock/gmock.h>

#include "policy_text.hh"

namespace srcsel {
namespace {

struct Mistake {
  const char *name, *key, *found;
};

void PrintTo(const Mistake &mistake, std::ostream *out) {
  *out << mistake.name;
}

class RuleMistakeTest : public testing::TestWithParam<Mistake> {};

// In a rule that is right but for this key, which is on line 3.
TEST_P(RuleMistakeTest, IsNamed) {
  EXPECT_EQ(FoundWith(GetParam().key), std::string("p:3: error: ") + GetParam().found);
}

constexpr auto kName = [](const auto &mistake) { return mistake.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Selector, RuleMistakeTest,
    testing::Values(
        Mistake{"ToNoPrefix", "to = 'example.com'",
                "rule.to: 'example.com' is not a prefix: 10.0.0.0/8, fd00::/8, or an address "
                "alone"},
        Mistake{"ToTooLong", "to = '10.0.0.0/33'",
                "rule.to: '10.0.0.0/33' has no prefix length from 0 to 32 after the slash"},
        Mistake{"ToHostBits", "to = '10.0.0.1/8'",
                "rule.to: '10.0.0.1/8' has host bits: write 10.0.0.0/8 or 10.0.0.1"},
        Mistake{"ToMapped", "to = '::ffff:10.0.0.0/104'",
                "rule.to: '::ffff:10.0.0.0/104' is an IPv4 prefix in IPv6: write 10.0.0.0/8, which "
                "holds for IPv6 sockets that connect there too"},
        Mistake{"ToMappedHost", "to = ['::ffff:10.0.0.1']",
                "rule.to: '::ffff:10.0.0.1' is an IPv4 prefix in IPv6: write 10.0.0.1/32, which "
                "holds for IPv6 sockets that connect there too"},
        Mistake{"ToUndefinedSet", "to = '@unicom'", "rule.to: no [set.unicom] is defined"},
        Mistake{"ToNumber", "to = 10",
                "rule.to: is an integer (10); a string, or a list of such, is accepted"},
        Mistake{"ToEmpty", "to = []",
                "rule.to: is an empty list; leave the key out, or say something"},
        Mistake{"ToTable", "to = {a = 1}",
                "rule.to: is a table; a string, or a list of such, is accepted"},
        Mistake{"IpprotoUnknown", "ipproto = 'tpc'",
                "rule.ipproto: 'tpc' is no protocol: a name as in /etc/protocols or a number from "
                "1 to 255"},
        Mistake{"IpprotoZero", "ipproto = 0",
                "rule.ipproto: '0' is no protocol: a name as in /etc/protocols or a number from 1 "
                "to 255"},
        Mistake{"IpprotoTooLarge", "ipproto = 256",
                "rule.ipproto: '256' is no protocol: a name as in /etc/protocols or a number from "
                "1 to 255"},
        Mistake{"DportTooLarge", "dport = 70000",
                "rule.dport: '70000' is not a port or a range of ports: 1 to 65535, as in 443 or "
                "8000-8099"},
        Mistake{"DportZero", "dport = '0-80'",
                "rule.dport: '0-80' is not a port or a range of ports: 1 to 65535, as in 443 or "
                "8000-8099"},
        Mistake{"DportName", "dport = 'https'",
                "rule.dport: 'https' is not a port or a range of ports: 1 to 65535, as in 443 or "
                "8000-8099"},
        Mistake{"DportBackwards", "dport = '99-80'",
                "rule.dport: '99-80' ends before it begins: write 80-99"},
        Mistake{"DportOpen", "dport = '80-'",
                "rule.dport: '80-' is not a port or a range of ports: 1 to 65535, as in 443 or "
                "8000-8099"},
        Mistake{"DportFloat", "dport = 80.5",
                "rule.dport: is a float (80.5); a string or an integer, or a list of such, is "
                "accepted"},
        Mistake{"UidrangeUnknown", "uidrange = 'no-such-user'",
                "rule.uidrange: 'no-such-user' is no user of this host; a name, a number or a "
                "range is accepted, as in 1000-1999"},
        Mistake{"UidrangeTooLarge", "uidrange = '0-4294967296'",
                "rule.uidrange: '0-4294967296' is not a number or a range of users: 0 to "
                "4294967295, as in 1000 or 1000-1999"},
        Mistake{"UidrangeNegative", "uidrange = -1",
                "rule.uidrange: '-1' is not a number or a range of users: 0 to 4294967295, as in "
                "1000 or 1000-1999"},
        Mistake{"UidrangeBackwards", "uidrange = '1999-1000'",
                "rule.uidrange: '1999-1000' ends before it begins: write 1000-1999"},
        Mistake{"GidUnknown", "gid = 'no-such-group'",
                "rule.gid: 'no-such-group' is no group of this host; a name, a number or a range "
                "is accepted, as in 1000-1999"},
        Mistake{"ClassidWithoutMinor", "classid = '10:'",
                "rule.classid: '10:' is not a class of net_cls: MAJOR:MINOR in hexadecimal as tc "
                "has it, a number, or a range, as in 10:1, 0x100001 or 10:1-10:f"},
        Mistake{"ClassidTooLarge", "classid = '10:10000'",
                "rule.classid: '10:10000' is not a class of net_cls: MAJOR:MINOR in hexadecimal as "
                "tc has it, a number, or a range, as in 10:1, 0x100001 or 10:1-10:f"},
        Mistake{"ClassidBackwards", "classid = '10:f-10:1'",
                "rule.classid: '10:f-10:1' ends before it begins: write 10:1-10:f"},
        Mistake{"ClassidByItsController", "net_cls = '10:1'",
                "rule.net_cls: is no key here; 'classid' is"},
        Mistake{"CgroupRelative", "cgroup = 'backup.service'",
                "rule.cgroup: 'backup.service' is not a cgroup: a path from the root of the "
                "hierarchy, as in /system.slice/backup.service"},
        Mistake{"CgroupOfTheFileSystem", "cgroup = '/sys/fs/cgroup/a.slice'",
                "rule.cgroup: '/sys/fs/cgroup/a.slice' is a path of the file system: say it from "
                "the root of the hierarchy, /a.slice"},
        Mistake{"CgroupUnified", "cgroup = '/sys/fs/cgroup/unified/a.slice'",
                "rule.cgroup: '/sys/fs/cgroup/unified/a.slice' is a path of the file system: say "
                "it from the root of the hierarchy, /a.slice"},
        Mistake{"CgroupAbove", "cgroup = '/a/../b'",
                "rule.cgroup: '/a/../b' is not a cgroup: '..' is no name"},
        Mistake{"CommTooLong", "comm = 'systemd-networkd'",
                "rule.comm: 'systemd-networkd' has 16 bytes, and the kernel keeps 15 of a "
                "command's name: write 'systemd-network'"},
        Mistake{"CommEmpty", "comm = ''", "rule.comm: '' is no command name: 1 to 15 bytes"},
        Mistake{"CommNumber", "comm = 7",
                "rule.comm: is an integer (7); a string, or a list of such, is accepted"},
        Mistake{"IfMarkOutsideItsMask", "if-mark = '0x164/0xff'",
                "rule.if-mark: mark '0x164/0xff' has bits outside its mask: 0x164 & ~0xff is "
                "0x100"},
        Mistake{"IfMarkOfNoBit", "if-mark = '0/0'",
                "rule.if-mark: '0/0' fits every mark: leave the key out, or give a mask"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Action, RuleMistakeTest,
    testing::Values(
        Mistake{"LookupBesidesMark", "lookup = 100",
                "rule.lookup: excludes mark: it stands for the mark of the ip rule that leads to "
                "the table"},
        Mistake{"SourceNoAddress", "source = '10.1.0.300'",
                "rule.source: '10.1.0.300' is neither an address nor \"dev INTERFACE\" nor \"pool "
                "NAME\" nor \"kernel\""},
        Mistake{"SourceKernelBesidesMark", "source = 'kernel'",
                "rule.source: \"kernel\" leaves flows alone: it excludes mark, lookup and ports"},
        Mistake{"SourceTwoOfAFamily", "source = ['10.1.0.1', '10.1.0.2']",
                "rule.source: two sources of one family: 10.1.0.1 and 10.1.0.2; give at most one "
                "address a family"},
        Mistake{"SourceDeviceInAList", "source = ['dev eth1', 'fd00::1']",
                "rule.source: dev eth1 and fd00::1: an interface lends both families; give it "
                "alone"},
        Mistake{"SourcePoolInAList", "source = ['pool a', '10.0.0.1']",
                "rule.source: 'pool a' is in a list; a pool stands alone"},
        Mistake{"SourceUndefinedPool", "source = 'pool wan2'",
                "rule.source: no [pool.wan2] is defined"},
        Mistake{"SourceLongInterface", "source = 'dev sixteen-letters-'",
                "rule.source: 'sixteen-letters-' is no name of an interface: at most 15 bytes"},
        Mistake{"PortsBackwards", "ports = '29999-20000'",
                "rule.ports: '29999-20000' ends before it begins: write 20000-29999"},
        Mistake{"PortsImpossible", "ports = '60000-70000'",
                "rule.ports: '60000-70000' is not a port or a range of ports: 1 to 65535, as in "
                "443 or 8000-8099"},
        Mistake{"PortsList", "ports = ['1000-1999']",
                "rule.ports: is a list of values; a string or an integer is accepted"},
        Mistake{"ApplyUnknown", "apply = 'magic'",
                "rule.apply: 'magic' is none of \"mark\", \"bind\""},
        Mistake{"ApplyBoolean", "apply = true",
                "rule.apply: is a boolean (true); a string is accepted"},
        Mistake{"OnFailUnknown", "on-fail = 'drop'",
                "rule.on-fail: 'drop' is none of \"kernel\", \"reject\""}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Unknown, RuleMistakeTest,
    testing::Values(
        Mistake{"Typo", "dprot = 80", "rule.dprot: is no key here; 'dport' is"},
        Mistake{"Underscore", "on_fail = 'kernel'", "rule.on_fail: is no key here; 'on-fail' is"},
        Mistake{"Fwmark", "fwmark = 1",
                "rule.fwmark: is no key here; 'mark' sets a mark, 'if-mark' selects sockets that "
                "have one"},
        Mistake{"Uid", "uid = 0", "rule.uid: is no key here; 'uidrange' is"},
        Mistake{"Table", "table = 'vtab'", "rule.table: is no key here; 'lookup' is"},
        Mistake{"Nothing", "colour = 'blue'",
                "rule.colour: is no key here; there is: to, ipproto, dport, uidrange, gid, "
                "classid, cgroup, "
                "comm, if-mark, mark, lookup, source, ports, apply, on-fail"}),
    kName);

TEST(RuleMistake, OfKeysTogether) {
  EXPECT_EQ(FoundIn("[[rule]]\nto = '10.0.0.0/8'"),
            "p:1: error: rule: does nothing; say mark, lookup, source or ports");
  EXPECT_EQ(FoundIn("[[rule]]\nmrak = 100"), "p:2: error: rule.mrak: is no key here; 'mark' is")
      << "what it does is not known then";
  EXPECT_EQ(
      FoundIn("[[rule]]\nsource = '10.0.0.1'\napply = 'bind'"),
      "p:2: error: rule.source: is excluded by apply = \"bind\", which takes the source from "
      "the tables\n"
      "p:3: error: rule.apply: \"bind\" takes the source that the tables give for a mark; say "
      "mark or lookup too");
}

TEST(RuleMistake, OfAMarkToSet) {
  EXPECT_EQ(FoundIn("[[rule]]\nmark = 'blue'"),
            "p:2: error: rule.mark: 'blue' is not a mark: V or V/M with numbers up to 0xffffffff, "
            "as in 100 or 0x64/0xff");
  EXPECT_EQ(FoundIn("[[rule]]\nmark = 0"),
            "p:2: error: rule.mark: mark 0 is what every socket has; choose another");
  EXPECT_EQ(FoundIn("[[rule]]\nmark = [1]"),
            "p:2: error: rule.mark: is a list of values; a string or an integer is accepted");
}

TEST(RuleMistake, OfATableToLookUp) {
  for (const char *table : {"no-such-table", "0", "4294967296"})
    EXPECT_EQ(FoundIn(absl::StrCat("[[rule]]\nlookup = '", table, "'")),
              absl::StrCat("p:2: error: rule.lookup: '", table,
                           "' is no routing table: a name as in /etc/iproute2/rt_tables or a "
                           "number from 1 to 4294967295"));
}

TEST(RuleMistake, OfAWordInAListIsOnTheWordsLine) {
  EXPECT_EQ(FoundWith("dport = [\n  80,\n  'http',\n  443,\n  0,\n]"),
            "p:5: error: rule.dport: 'http' is not a port or a range of ports: 1 to 65535, as in "
            "443 or 8000-8099\n"
            "p:7: error: rule.dport: '0' is not a port or a range of ports: 1 to 65535, as in 443 "
            "or 8000-8099");
}

TEST(RuleMistake, OfADefinitionNamesTheNearest) {
  EXPECT_EQ(FoundIn("[set.unicom]\nprefixes=['10.0.0.0/8']\n[pool.wan2]\nmembers=['10.0.0.1']\n"
                    "[[rule]]\nto=['@unicon', '@unicom']\nsource='pool wan'\n"
                    "[[rule]]\nsource='pool wan2'\n"),
            "p:6: error: rule.to: no [set.unicon] is defined; [set.unicom] is\n"
            "p:7: error: rule.source: no [pool.wan] is defined; [pool.wan2] is");
}

TEST(PoolMistake, IsNamed) {
  const struct {
    const char *keys, *found;
  } cases[] = {
      {"members = []",
       "p:4: error: pool.a.members: is an empty list; a pool needs a member, as in [\"10.1.0.2\", "
       "\"10.1.0.3\"]"},
      {"", "p:3: error: pool.a: has no members; say members = [\"10.1.0.2\", \"10.1.0.3\"]"},
      {"members = '10.0.0.1'",
       "p:4: error: pool.a.members: is a string ('10.0.0.1'); a list of members is accepted"},
      {"members = [5]",
       "p:4: error: pool.a.members: is an integer (5); a string or a table with source and weight "
       "is accepted"},
      {"members = ['kernal']",
       "p:4: error: pool.a.members: 'kernal' is neither an address nor \"dev INTERFACE\" nor "
       "\"kernel\""},
      {"members = [{weight = 1}]",
       "p:4: error: pool.a.members: a member without a source; say source = \"10.1.0.2\""},
      {"members = [{source = '10.0.0.1', weight = 0}]",
       "p:4: error: pool.a.members.weight: is 0; 1 to 1000 is accepted"},
      {"members = [{source = '10.0.0.1', weight = 1001}]",
       "p:4: error: pool.a.members.weight: is 1001; 1 to 1000 is accepted"},
      {"members = [{source = '10.0.0.1', weight = '2'}]",
       "p:4: error: pool.a.members.weight: is a string ('2'); an integer from 1 to 1000 is "
       "accepted"},
      {"members = [{source = '10.0.0.1', wieght = 2}]",
       "p:4: error: pool.a.members.wieght: is no key here; 'weight' is"},
      {"members = ['10.0.0.1']\npick = 'first'",
       "p:5: error: pool.a.pick: 'first' is none of \"hash\", \"random\", \"round-robin\""},
      {"member = ['10.0.0.1']",
       "p:3: error: pool.a: has no members; say members = [\"10.1.0.2\", \"10.1.0.3\"]\n"
       "p:4: error: pool.a.member: is no key here; 'members' is"},
  };
  for (const auto &c : cases)
    EXPECT_EQ(FoundIn(absl::StrCat("[[rule]]\nsource = 'pool a'\n[pool.a]\n", c.keys)), c.found)
        << c.keys;
}

TEST(FileMistake, OfItsTables) {
  const struct {
    const char *text, *found;
  } cases[] = {
      {"[rule]\nmark = 1",
       "p: warning: has no [[rule]]\n"
       "p:1: error: rule: is one table; rules are a list: write [[rule]]"},
      {"rule = 'x'",
       "p: warning: has no [[rule]]\n"
       "p:1: error: rule: is a string ('x'); a list of tables, each a [[rule]], is accepted"},
      {"rule = [1, {mark = 1}]",
       "p:1: error: rule: is an integer (1); a table, [[rule]], is accepted"},
      {"[[rules]]\nmark = 1",
       "p: warning: has no [[rule]]\np:1: error: rules: is no key here; [[rule]] is"},
      {"[[rule]]\nmark = 1\n[sett.a]\n", "p:3: error: sett: is no key here; 'set' is"},
      {"set = 1\n[[rule]]\nmark = 1",
       "p:1: error: set: is an integer (1); a table for each name is accepted"},
      {"pool.a = 1\n[[rule]]\nsource = 'pool a'",
       "p:1: error: pool.a: is an integer (1); a table with members = [...] is accepted"},
      {"", "p: warning: has no [[rule]]"},
  };
  for (const auto &c : cases) EXPECT_EQ(FoundIn(c.text), c.found) << c.text;
}

TEST(FileMistake, OfTomlEndsTheReading) {
  EXPECT_THAT(FoundIn("[[rule]]\nmark = 1\nto = '10.0.0.0/8\n"),
              testing::StartsWith("p:3: error: is not TOML: "));
  EXPECT_THAT(FoundIn("[[rule]]\nmark = 1\nmark = 2\n"),
              testing::StartsWith("p:3: error: is not TOML: "));
  for (const char *text : {"[=]", "[wan\u039d]", "[\u00e9]", "\u00e9 = 1", "[]", "[a", "a", "= 1"})
    EXPECT_THAT(FoundIn(text), testing::StartsWith("p:1: error: is not TOML: ")) << text;
  EXPECT_THAT(FoundIn("a = '\xff'"), testing::StartsWith("p:1: error: is not TOML: "));
}

TEST(FileMistake, OfTooManyRules) {
  std::string text;
  for (int i = 1; i <= 1984; ++i) absl::StrAppend(&text, "[[rule]]\ndport = ", i, "\nmark = 1\n");
  EXPECT_EQ(FoundIn(text), "");
  EXPECT_EQ(FoundIn(text + "[[rule]]\nmark = 1"),
            "p:5953: error: rule: is one of 1985; 1984 are accepted");
}

TEST(FileMistake, AllAreFoundAtOnceByLine) {
  EXPECT_EQ(FoundIn("[[rule]]\nmark = 'x'\n[set.a]\nprefixes = ['10.0.0.1/8']\n[[rule]]\n"
                    "dprot = 1\nto = ['@a', '@b']\nmark = 1\n[pool.c]\nmembers = []\n"),
            "p:2: error: rule.mark: 'x' is not a mark: V or V/M with numbers up to 0xffffffff, as "
            "in 100 or 0x64/0xff\n"
            "p:4: error: set.a.prefixes: '10.0.0.1/8' has host bits: write 10.0.0.0/8 or 10.0.0.1\n"
            "p:6: error: rule.dprot: is no key here; 'dport' is\n"
            "p:7: error: rule.to: no [set.b] is defined\n"
            "p:9: warning: pool.c: no rule uses it\n"
            "p:10: error: pool.c.members: is an empty list; a pool needs a member, as in "
            "[\"10.1.0.2\", \"10.1.0.3\"]");
}

TEST(FileWarning, OfWhatNoRuleUses) {
  EXPECT_EQ(FoundIn("[set.a]\nprefixes=['10.0.0.0/8']\n[pool.b]\nmembers=['10.0.0.1']\n"
                    "[[rule]]\nmark=1"),
            "p:1: warning: set.a: no rule uses it\np:3: warning: pool.b: no rule uses it");
}

}  // namespace
}  // namespace srcsel
