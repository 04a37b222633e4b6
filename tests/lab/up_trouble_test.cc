// srcsel up, where the firewall or the process that follows it comes to grief: what then holds, and
// what is said about it.

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UpTroubleTest : public UpTest {
 protected:
  void MarkUdp() const {
    ASSERT_TRUE(client_
                    .Nft("table inet uplinks {\n chain output {\n  type route hook output "
                         "priority mangle;\n  udp dport 53 meta mark set 100\n }\n}\n")
                    .ok());
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
  // A program of this name, to be found before the real one.
  Command WithProgram(const char *name, absl::string_view script, Words words) const {
    EXPECT_TRUE(folder_.Write(name, script).ok());
    EXPECT_EQ(chmod((folder_.path() + "/" + name).c_str(), 0755), 0);
    words.insert(words.begin(), SRCSEL);
    Command command = CommandOf(std::move(words), keeper_.path());
    command.env.push_back(absl::StrCat("PATH=", folder_.path(), ":/usr/sbin:/usr/bin:/sbin:/bin"));
    return command;
  }
};

TEST_F(UpTroubleTest, AFollowerThatIsKilledLeavesWhatIsInForce) {
  MarkUdp();
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  ASSERT_EQ(Source(), kUnicomSource4);
  KillFollower();
  ASSERT_TRUE(client_.Do("nft flush ruleset").ok());
  EXPECT_EQ(Source(), kUnicomSource4) << "nobody follows";
  EXPECT_THAT(Srcsel({"status"}).out, HasSubstr("so no change is followed: srcsel up --cgroup "));
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  EXPECT_EQ(Status().at("trouble"), "");
}

TEST_F(UpTroubleTest, AFlushedRuleSetIsOneThatMarksNothing) {
  MarkUdp();
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  ASSERT_EQ(Source(), kUnicomSource4);
  ASSERT_TRUE(client_.Do("nft flush ruleset").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kTelecomSource4; }));
  const Json status = Status();
  EXPECT_THAT(status.at("rules"), IsEmpty());
  EXPECT_THAT(status.at("limits"), IsEmpty());
  EXPECT_EQ(status.at("trouble"), "");
  EXPECT_EQ(status.at("following"), true);
}

// A directory in the image's place cannot be replaced by a file.
TEST_F(UpTroubleTest, WhatCouldNotBePublishedIsTriedAgain) {
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  const std::string image = run_ + "/image";
  ASSERT_TRUE(std::filesystem::remove(image));
  ASSERT_TRUE(std::filesystem::create_directories(image + "/full"));
  MarkUdp();
  EXPECT_TRUE(Eventually([&] { return Status().at("trouble") != ""; }));
  EXPECT_EQ(Status().at("following"), true);
  std::filesystem::remove_all(image);
  EXPECT_TRUE(Eventually([&] { return Status().at("trouble") == ""; }));
  EXPECT_TRUE(std::filesystem::is_regular_file(image));
  EXPECT_EQ(Source(), kUnicomSource4);
}

// Without a descriptor left no map is made for the next image; changes come, and nothing is heard
// of them later.
TEST_F(UpTroubleTest, WhatCouldNotBePutInForceIsTriedAgain) {
  ASSERT_TRUE(client_
                  .Nft(absl::StrCat(
                      "table inet uplinks {\n set far { type ipv4_addr; elements = { ", kServer4,
                      " } }\n chain output {\n  type route hook output priority "
                      "mangle;\n  ip daddr @far meta mark set 100\n }\n}\n"))
                  .ok());
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  const auto pid = Status().at("pid").get<pid_t>();
  rlimit before{}, none{};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
  none.rlim_cur = 5;  // what poll() is asked about; all lower ones are open
  none.rlim_max = before.rlim_max;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &none, nullptr), 0);
  const auto tries = [&] {
    std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
    std::string word;
    long count = 0;
    while (file >> word)
      if (word == "voluntary_ctxt_switches:") file >> count;
    return count;
  };
  const long tries_before = tries();
  ASSERT_TRUE(client_.Do("nft flush set inet uplinks far").ok());
  ASSERT_TRUE(Eventually([&] { return tries() > tries_before + 1; }));
  EXPECT_EQ(Source(), kUnicomSource4) << "it cannot be in force";
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_TRUE(Eventually([&] { return Source() == kTelecomSource4; }));
  EXPECT_TRUE(Eventually([&] {
    const Json status = Status();
    return status.at("trouble") == "" && status.at("limits").empty();
  }));
}

// Its name is gone; it lives as long as somebody is in it, and the follower is.
TEST_F(UpTroubleTest, ANamespaceThatIsRemovedIsFollowedToItsEnd) {
  const std::string name = absl::StrCat("srcsel-gone-", getpid());
  ASSERT_TRUE(client_.Do("ip netns add " + name).ok());
  const Result up = UpByMarks({"-q", "--netns", name});
  const Result removed =
      client_.Run(CommandOf({"ip", "netns", "del", name}, keeper_.path())).value();
  ASSERT_TRUE(up.ok()) << up.ToString();
  ASSERT_TRUE(removed.ok()) << removed.ToString();
  EXPECT_EQ(Source(), kTelecomSource4) << "it is not this one";
  const Json status = Status();
  EXPECT_EQ(status.at("following"), true);
  EXPECT_EQ(status.at("trouble"), "");
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  ExpectNothingLeft();
}

// With a firewall that marks, and a program in it that goes on.
TEST_F(UpTroubleTest, ANamespaceThatIsRemovedKeepsItsMarksAndFlows) {
  const std::string name = absl::StrCat("srcsel-left-", getpid());
  const auto in = [&](absl::string_view words) {
    return client_.Do(absl::StrCat("ip netns exec ", name, " ", words)).status();
  };
  ASSERT_TRUE(client_.Do("ip netns add " + name).ok());
  ASSERT_TRUE(folder_
                  .Write("left.ip",
                         "link add d0 type veth peer p0\nlink add d1 type veth peer p1\n"
                         "link set p0 up\nlink set p1 up\nlink set d0 up\nlink set d1 up\n"
                         "addr add 10.5.0.1/24 dev d0\naddr add 10.6.0.1/24 dev d1\n"
                         "route add default dev d0 src 10.5.0.1\nrule add fwmark 100 table 100\n"
                         "route add default dev d1 src 10.6.0.1 table 100\n")
                  .ok());
  ASSERT_TRUE(folder_
                  .Write("left.nft",
                         "table inet uplinks {\n chain output {\n  type route hook output priority "
                         "mangle;\n  udp dport 53 meta mark set 100\n }\n}\n")
                  .ok());
  ASSERT_EQ(in(absl::StrCat("ip -batch ", folder_.path(), "/left.ip")), absl::OkStatus());
  ASSERT_EQ(in(absl::StrCat("nft -f ", folder_.path(), "/left.nft")), absl::OkStatus());
  const Result up = UpByMarks({"-q", "--netns", name});
  Process dial = Spawn({"ip", "netns", "exec", name, DIAL, "-u", "-n", "3", "-w", kServer4, "53"});
  const absl::Status began = dial.WaitForLine("10.6.0.1 ").status();
  const absl::Status removed = client_.Do("ip netns del " + name).status();
  ASSERT_TRUE(up.ok()) << up.ToString();
  ASSERT_EQ(began, absl::OkStatus());
  ASSERT_EQ(removed, absl::OkStatus());
  ASSERT_TRUE(dial.Write("\n").ok());
  EXPECT_TRUE(dial.WaitForLine("10.6.0.1 ").ok());
  const Json status = Status();
  EXPECT_EQ(status.at("following"), true);
  EXPECT_EQ(status.at("trouble"), "");
  EXPECT_EQ(status.at("reasons").value("mark", 0), 2);
  ASSERT_TRUE(dial.Write("\n").ok());
  EXPECT_TRUE(dial.Wait().ok());
  EXPECT_EQ(Status().at("trouble"), "");
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  ExpectNothingLeft();
}

// What came after that line is not known: nothing of the table is taken for the whole of it.
TEST_F(UpTroubleTest, AMalformedLineLeavesItsTableToTheKernel) {
  ASSERT_TRUE(
      client_.Do("iptables-nft -t mangle -A OUTPUT -p udp --dport 53 -j MARK --set-mark 100").ok());
  const Command command =
      WithProgram("iptables-nft-save",
                  "#!/bin/sh\necho '*mangle'\necho ':OUTPUT ACCEPT [0:0]'\n"
                  "echo '-A OUTPUT -p udp -m udp --dport 53 -j MARK --set-xmark 0x64/0xffffffff'\n"
                  "echo '-A OUTPUT \"-j'\necho COMMIT\n",
                  {"up", "--cgroup", cgroup_.path()});
  const Result up = client_.Run(command).value();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr("not known, and left to the kernel:"),
                            HasSubstr("iptables-save: line 4 is not understood: -A OUTPUT \"-j")));
  EXPECT_EQ(Source(), kTelecomSource4);
  EXPECT_THAT(Status().at("limits"), Not(IsEmpty()));
}

TEST_F(UpTroubleTest, AProgramThatFailsIsNamed) {
  ASSERT_TRUE(
      client_.Do("iptables-nft -t mangle -A OUTPUT -p udp --dport 53 -j MARK --set-mark 100").ok());
  const Result up = client_
                        .Run(WithProgram("iptables-nft-save", "#!/bin/sh\necho no >&2\nexit 3\n",
                                         {"up", "--cgroup", cgroup_.path()}))
                        .value();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, HasSubstr("run iptables-nft-save -t mangle: no"));
  EXPECT_EQ(Source(), kTelecomSource4);
}

// A set that cannot be taken in would be named; this one is.
TEST_F(UpTroubleTest, ASetOf100000ElementsIsUnderstood) {
  std::string elements;
  for (int i = 0; i < 100'000; ++i)
    absl::StrAppend(&elements, i == 0 ? "" : ", ", "11.", i >> 15, ".", i >> 7 & 255, ".",
                    i * 2 & 255);
  ASSERT_TRUE(client_
                  .Nft(absl::StrCat("table inet uplinks {\n set far { type ipv4_addr; flags "
                                    "interval; }\n chain output {\n  type "
                                    "route hook output priority mangle;\n  ip daddr @far udp dport "
                                    "53 meta mark set 100\n }\n}\n"
                                    "add element inet uplinks far { 192.0.2.0/24, ",
                                    elements, " }\n"))
                  .ok());
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kUnicomSource4);
  const Json status = Status();
  EXPECT_THAT(status.at("limits"), IsEmpty());
  EXPECT_EQ(status.at("trouble"), "");
  ASSERT_TRUE(client_.Do("nft delete element inet uplinks far { 192.0.2.0/24 }").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kTelecomSource4; }));
}

// Most of its rules take two rows of the image: with them it is full.
TEST_F(UpTroubleTest, AFileThatFillsTheImageLeavesTheFirewallToTheKernel) {
  MarkUdp();
  std::string file = "[[rule]]\ndport = 54\nsource = '10.1.0.2'\n";
  for (int port = 1001; port < 1992; ++port)
    absl::StrAppend(&file, "[[rule]]\nif-mark = ['1/1', '2/2']\ndport = ", port, "\nmark = 100\n");
  const Result up = Up(file + "[[rule]]\ndport = 55\nsource = '10.1.0.2'\n");
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr("not known, and left to the kernel:"),
                            HasSubstr("classes of flows, 0 fit: the rest is left to the kernel")));
  EXPECT_EQ(Source(), kTelecomSource4);
  EXPECT_THAT(Run({DIAL, "-u", kServer4, "55"}).out, HasSubstr("10.1.0.2 "));
}

TEST_F(UpTroubleTest, SetsOfIpsetAreLookedAt) {
  ASSERT_TRUE(client_.Do("ipset create far hash:net").ok());
  ASSERT_TRUE(client_
                  .Do("iptables-nft -t mangle -A OUTPUT -m set --match-set far dst -j MARK "
                      "--set-mark 100")
                  .ok());
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  ASSERT_TRUE(client_.Do("ipset add far 192.0.2.0/24").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kUnicomSource4; }));
  ASSERT_TRUE(client_.Do("ipset del far 192.0.2.0/24").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kTelecomSource4; }));
  EXPECT_THAT(Status().at("limits"), IsEmpty());
}

}  // namespace
}  // namespace srcsel::lab
