// A bare LD_PRELOAD: the environment's own words, and those that people have in their scripts.

#include "lab/servers.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EnvironmentTest : public PreloadTest {
 protected:
  Words SourcesOf(const Words &env, const Words &servers = {kServer4}) const {
    Words words{Program("source")};
    words.insert(words.end(), servers.begin(), servers.end());
    return Lines(Preloaded(words, env));
  }
};

const char kTelecom[] = "10.0.0.1 0", kUnicom[] = "10.1.0.1 0", kOther[] = "10.1.0.2 0";

TEST_F(EnvironmentTest, OwnWords) {
  EXPECT_THAT(SourcesOf({}), ElementsAre(kTelecom));
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"},
                        {kServer4, kServer6, "127.0.0.1", "10.0.0.1", "::1"}),
              ElementsAre(kUnicom, "fd00:1::1 0", "127.0.0.1 0", kTelecom, "::1 0"));
  EXPECT_THAT(SourcesOf({"SRCSEL_MARK=100"}, {kServer4, kServer6, "10.0.0.1"}),
              ElementsAre(kUnicom, "fd00:1::1 0", kTelecom));
  EXPECT_THAT(SourcesOf({"SRCSEL_MARK=0x64/0xff"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.2,fd00:1::1", "SRCSEL_PORTS=40000-40100"}),
              ElementsAre(kOther));
}

TEST_F(EnvironmentTest, WithThePrivilegeAMarkIsSet) {
  const Result result = Run({.argv = {Program("source"), kServer4, "10.0.0.1"},
                             .env = {"SRCSEL_MARK=100", "LD_PRELOAD=" + library()}});
  EXPECT_EQ(result.out, "10.1.0.1 100\n10.0.0.1 0\n");
}

TEST_F(EnvironmentTest, WhatIsNotUnderstoodIsNotDone) {
  for (const char *word :
       {"SRCSEL_SOURCE=10.1.0", "SRCSEL_SOURCE=10.1.0.1x", "SRCSEL_SOURCE=dev eth1",
        "SRCSEL_SOURCE=", "SRCSEL_MARK=hundred", "SRCSEL_MARK=0x164/0xff",
        "SRCSEL_MARK=99999999999", "SRCSEL_SOURCE=192.0.2.9"}) {
    EXPECT_THAT(SourcesOf({word}), ElementsAre(kTelecom)) << word;
  }
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.1"}, {kServer6}), ElementsAre("fd00::1 0"));
}

TEST_F(EnvironmentTest, WordsOfOthers) {
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"BIND_SOURCE_IP=10.1.0.2"}), ElementsAre(kOther));
  EXPECT_THAT(SourcesOf({"SRCIP=10.1.0.2", "DEVICE=eth1", "FWMARK=100"}), ElementsAre(kOther));
  EXPECT_THAT(SourcesOf({"FWMARK=0x64"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"BIND_INTERFACE=eth1"}, {"10.1.0.254"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"DEVICE=cuda:0"}), ElementsAre(kTelecom));
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1", "BIND_EXCLUDE=10.,192.0.2.81"},
                        {kServer4, kOtherServer4, "10.0.0.254"}),
              ElementsAre(kUnicom, kTelecom, kTelecom));
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1", "SRCSEL_SOURCE=10.0.0.1"}), ElementsAre(kTelecom));
}

TEST_F(EnvironmentTest, WordsOfOthersInIPv6) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const char telecom[] = "fd00::1 0", unicom[] = "fd00:1::1 0", other[] = "fd00:1::2 0";
  EXPECT_THAT(SourcesOf({"BIND_ADDR=fd00:1::2"}, {kServer6, kServer4}),
              ElementsAre(other, kTelecom));
  EXPECT_THAT(SourcesOf({"BIND_SOURCE_IP=fd00:1::2,10.1.0.2"}, {kServer6, kServer4}),
              ElementsAre(other, kOther));
  EXPECT_THAT(SourcesOf({"SRCIP=fd00:1::2", "DEVICE=eth1", "FWMARK=100"}, {kServer6}),
              ElementsAre(other));
  EXPECT_THAT(SourcesOf({"FWMARK=0x64"}, {kServer6, "::1", "fd00::1"}),
              ElementsAre(unicom, "::1 0", telecom));
  for (const char *word : {"BIND_INTERFACE=eth1", "DEVICE=eth1"})
    EXPECT_THAT(SourcesOf({word}, {"fd00:1::254", "::1"}),
                ElementsAre(testing::AnyOf(unicom, other), "::1 0"));
  EXPECT_THAT(SourcesOf({"BIND_ADDR=fd00:1::2", "BIND_EXCLUDE=192."}, {kServer6, "::1"}),
              ElementsAre(other, "::1 0"));
}

// A bind() that failed ended the program under one of them, for loopback too; another wrote the
// address into the caller's, and reported marks as set that were not.
TEST_F(EnvironmentTest, WordsOfOthersThatDoNotHold) {
  for (const char *word : {"SRCIP=192.0.2.9", "DEVICE=eth7", "FWMARK=7", "BIND_ADDR=192.0.2.9",
                           "BIND_INTERFACE=eth7", "BIND_SOURCE_IP=fd00::99"})
    EXPECT_THAT(SourcesOf({word}, {kServer4, "127.0.0.1", kServer6, "::1"}),
                ElementsAre(kTelecom, "127.0.0.1 0", "fd00::1 0", "::1 0"))
        << word;
}

// Of an image that others made: whether a rule by class holds it cannot know.
TEST_F(EnvironmentTest, WhatHangsOnAClassOfNetClsIsLeftAlone) {
  const auto source_by = [&](const std::string &rules) {
    EXPECT_TRUE(here_.Write("p.toml", rules).ok());
    const std::string image = here_.path() + "/image";
    const Result check =
        Run({.argv = {srcsel(), "check", here_.path() + "/p.toml", "--compile", image}});
    EXPECT_TRUE(check.ok()) << check.ToString();
    return Lines(Preloaded({Program("source"), kServer4}, {"SRCSEL_IMAGE=" + image})).front();
  };
  const std::string by_class = "[[rule]]\nclassid = 0\nsource = '10.1.0.2'\n",
                    elsewhere = "to = '192.0.2.99'\n", plain = "[[rule]]\nsource = '10.1.0.2'\n";
  EXPECT_EQ(source_by(plain), "10.1.0.2 0");
  EXPECT_EQ(source_by(by_class), "10.0.0.1 0");
  EXPECT_EQ(source_by(by_class + plain), "10.0.0.1 0");
  EXPECT_EQ(source_by(plain + by_class), "10.1.0.2 0");
  EXPECT_EQ(source_by(by_class + elsewhere + plain), "10.1.0.2 0");
}

TEST_F(EnvironmentTest, ItSaysNothingUnlessAsked) {
  const Words words{Program("source"), kServer4, "127.0.0.1", kServer4};
  EXPECT_EQ(Run(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1"})).err, "");
  EXPECT_EQ(Run(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_DEBUG=1"})).err,
            "srcsel: 192.0.2.80 port 53: source, source 10.1.0.1\n"
            "srcsel: 192.0.2.80 port 53: source, source 10.1.0.1\n"
            "srcsel: in all: 2 source, 1 loopback\n");
}

TEST_F(EnvironmentTest, ItSaysWhatItCannotRead) {
  const Words words{Program("source"), kServer4};
  const Words wrong{"SRCSEL_MARK=0x64/", "SRCSEL_SOURCE=10.1.0", "SRCSEL_PORTS=http"};
  EXPECT_EQ(Run(Preloaded(words, wrong)).err, "");
  Words debugged = wrong;
  debugged.emplace_back("SRCSEL_DEBUG=1");
  EXPECT_EQ(Run(Preloaded(words, debugged)).err,
            "srcsel: left out, for it cannot be read: SRCSEL_MARK=0x64/\n"
            "srcsel: left out, for it cannot be read: SRCSEL_SOURCE=10.1.0\n"
            "srcsel: left out, for it cannot be read: SRCSEL_PORTS=http\n");
}

TEST_F(EnvironmentTest, PortsThatCannotBeHadAreCounted) {
  const Words words{Program("linux_6_2"), Program("source"), kServer4};
  const Result result = Run(
      Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_PORTS=40000-40100", "SRCSEL_DEBUG=1"}));
  EXPECT_EQ(result.out, absl::StrCat(kUnicom, "\n"));
  EXPECT_THAT(result.err, HasSubstr("no-port, source 10.1.0.1, errno 92\n"));
  EXPECT_THAT(result.err, testing::EndsWith("srcsel: in all: 1 no-port\n"));
}

// Which goes with the datagram, and is not forgotten.
TEST_F(EnvironmentTest, APingOfIPv6LeavesByItsMark) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "0 0").ok());
  const Words words{"/usr/bin/python3", WAYS "/ways.py", "ping-sendto", kServer6};
  EXPECT_THAT(Run({.argv = words, .env = {"SRCSEL_MARK=100", "LD_PRELOAD=" + library()}}).out,
              testing::StartsWith("fd00:1::1 "));
}

TEST_F(EnvironmentTest, WhatPingsCannotHaveIsCounted) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "65534 65534").ok());
  const auto said = [this](const std::string &open, Words env) {
    env.emplace_back("SRCSEL_DEBUG=1");
    const Result result =
        Run(Preloaded({"/usr/bin/python3", "-c", "from socket import *;" + open}, env));
    EXPECT_TRUE(result.ok()) << result.ToString();
    return result.err;
  };
  EXPECT_EQ(said("socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6)"
                 ".sendto(b'\\x80' + bytes(7), ('2001:db8:80::80', 0))",
                 {"SRCSEL_SOURCE=fd00:1::1"}),
            "srcsel: 2001:db8:80:0:0:0:0:80 port 0: refused, source fd00:1:0:0:0:0:0:1, errno 99\n"
            "srcsel: in all: 1 refused\n");
  EXPECT_EQ(said("socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP).connect(('192.0.2.80', 0))",
                 {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_PORTS=40000-40100"}),
            "srcsel: 192.0.2.80 port 0: no-port, source 10.1.0.1, errno 92\n"
            "srcsel: in all: 1 no-port\n");
}

// 20 connections from 10 ports: bind() leaves the choice of the port to connect().
TEST_F(EnvironmentTest, APortServesEveryServer) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ip_local_port_range", "40000 40009").ok());
  const Nginx nginx = Nginx::Start(lab_.host("server")).value();
  const char *connect =
      "import socket\n"
      "s = [socket.create_connection((h, 80)) for h in ('192.0.2.80', '192.0.2.81') "
      "for _ in range(10)]\n"
      "print(len(s), {c.getsockname()[0] for c in s})";
  EXPECT_THAT(Lines(Preloaded({"/usr/bin/python3", "-c", connect}, {"SRCSEL_SOURCE=10.1.0.1"})),
              ElementsAre("20 {'10.1.0.1'}"));
}

// What docs/limits.md says: no port is asked for, so the kernel gives up that of a failure.
TEST_F(EnvironmentTest, AStreamThatConnectsAgainGetsAnotherPort) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Nginx nginx = Nginx::Start(lab_.host("server")).value();
  const char *connect =
      "from socket import *\n"
      "servers = '192.0.2.80', '192.0.2.81'\n"
      "held = [create_connection((h, 80)) for h in servers for _ in range(15)]\n"
      "for h in servers:\n"
      "  s = socket()\n"
      "  try: s.connect((h, 9))\n"
      "  except ConnectionRefusedError: s.connect((h, 80))\n"
      "  print(s.getsockname()[0], 40000 <= s.getsockname()[1] <= 40015)";
  EXPECT_THAT(Lines(Preloaded({"/usr/bin/python3", "-c", connect},
                              {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_PORTS=40000-40015"})),
              ElementsAre("10.1.0.1 True", "10.1.0.1 True"));
}

}  // namespace
}  // namespace srcsel::lab
