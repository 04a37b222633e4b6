// Remedies, as somebody types them who is in another network namespace.

#include "base/in_netns.hh"

#include "gtest/gtest.h"

namespace srcsel {
namespace {

TEST(InNetns, HereTheyStay) {
  EXPECT_EQ(InNetns("", "ip rule add from 10.1.0.1 lookup 100"),
            "ip rule add from 10.1.0.1 lookup 100");
  EXPECT_EQ(InNetns("blue", ""), "");
}

TEST(InNetns, ByName) {
  EXPECT_EQ(InNetns("blue", "ip -6 rule add pref 9 lookup 7 && ip -6 rule del pref 10"),
            "ip -n blue -6 rule add pref 9 lookup 7 && ip -n blue -6 rule del pref 10");
  EXPECT_EQ(InNetns("blue", "sysctl -w net.ipv4.tcp_fwmark_accept=1"),
            "ip netns exec blue sysctl -w net.ipv4.tcp_fwmark_accept=1");
}

TEST(InNetns, ByPath) {
  EXPECT_EQ(InNetns("/proc/7/ns/net", "ip rule del pref 10"),
            "nsenter --net=/proc/7/ns/net ip rule del pref 10");
}

TEST(InNetns, WhatTheProcessTells) {
  EXPECT_EQ(AsTyped("ip rule del pref 10"), "ip rule del pref 10");
  TellCommandsFor("blue");
  EXPECT_EQ(AsTyped("ip rule del pref 10"), "ip -n blue rule del pref 10");
  TellCommandsFor("");
  EXPECT_TRUE(GoIntoNetns("").ok());
  EXPECT_FALSE(GoIntoNetns("/no/such").ok());
  EXPECT_EQ(AsTyped("ip rule del pref 10"), "ip rule del pref 10");
}

TEST(InNetns, OurOwnVerbsHaveAnOption) {
  EXPECT_EQ(InNetns("blue", "srcsel run --mark 0x64 -- COMMAND  # one command && more"),
            "srcsel run --netns blue --mark 0x64 -- COMMAND  # one command && more");
  EXPECT_EQ(InNetns("/a/b", "srcsel up  # all"), "srcsel up --netns /a/b  # all");
}

}  // namespace
}  // namespace srcsel
