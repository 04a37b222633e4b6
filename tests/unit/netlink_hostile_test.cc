// The decoders against messages cut short and bytes turned over. Every copy lies in memory that
// ends where the message does, so that the sanitizer sees a read beyond it, and once more against a
// page that cannot be read, so that one inside libnl is seen too.

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "netlink/decode_address.hh"
#include "netlink/decode_address_label.hh"
#include "netlink/decode_link.hh"
#include "netlink/decode_neighbour.hh"
#include "netlink/decode_nexthop_object.hh"
#include "netlink/decode_route.hh"
#include "netlink/decode_rule.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

class GuardedPage {
 public:
  GuardedPage()
      : size_(static_cast<std::size_t>(getpagesize())),
        pages_(static_cast<std::uint8_t *>(
            mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    mprotect(pages_ + size_, size_, PROT_NONE);
  }
  GuardedPage(const GuardedPage &) = delete;
  GuardedPage &operator=(const GuardedPage &) = delete;
  ~GuardedPage() { munmap(pages_, 2 * size_); }

  // A copy that ends before the guard, less the padding that alignment needs.
  std::uint8_t *Copy(const Bytes &bytes) {
    std::uint8_t *start = pages_ + size_ - NLMSG_ALIGN(bytes.size());
    std::memcpy(start, bytes.data(), bytes.size());
    return start;
  }

 private:
  std::size_t size_;
  std::uint8_t *pages_;
};

template <typename T>
absl::Status Try(absl::StatusOr<T> (*decode)(const nlmsghdr &), Bytes bytes, GuardedPage &guard) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &length, sizeof(length));
  const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  const absl::Status status = decode(*reinterpret_cast<nlmsghdr *>(copy.get())).status();
  EXPECT_EQ(decode(*reinterpret_cast<nlmsghdr *>(guard.Copy(bytes))).status(), status);
  return status;
}

bool CutsAnAttribute(const Bytes &whole, std::size_t begin, std::size_t size) {
  while (begin < size) {
    nlattr attribute;
    std::memcpy(&attribute, whole.data() + begin, sizeof(attribute));
    if (size < begin + attribute.nla_len) return true;
    begin += NLA_ALIGN(attribute.nla_len);
  }
  return false;
}

// Cut inside its header or inside an attribute, the message is refused.
template <typename T>
void TryPrefixes(absl::StatusOr<T> (*decode)(const nlmsghdr &), const Message &message,
                 std::size_t header_size, GuardedPage &guard) {
  const Bytes &whole = message.bytes();
  const std::size_t begin = NLMSG_SPACE(header_size);
  ASSERT_TRUE(Try(decode, whole, guard).ok());
  for (std::size_t size = NLMSG_HDRLEN; size < whole.size(); ++size) {
    const absl::Status status = Try(decode, Bytes(whole.begin(), whole.begin() + size), guard);
    if (size < begin || CutsAnAttribute(whole, begin, size)) {
      EXPECT_FALSE(status.ok()) << size;
    }
  }
}

template <typename T>
void TryMutations(absl::StatusOr<T> (*decode)(const nlmsghdr &), const Message &message,
                  GuardedPage &guard) {
  std::mt19937 random(1);
  int refused = 0, accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = message.bytes();
    for (unsigned turns = 1 + random() % 4; turns > 0; --turns)
      bytes[NLMSG_HDRLEN + random() % (bytes.size() - NLMSG_HDRLEN)] =
          static_cast<std::uint8_t>(random() % 3 ? random() % 40 : random());
    ++(Try(decode, bytes, guard).ok() ? accepted : refused);
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(accepted, 0);
}

template <typename T, typename Header>
void TryAll(absl::StatusOr<T> (*decode)(const nlmsghdr &), int type, const Header &header,
            const AttributeBytes &attributes) {
  GuardedPage guard;
  const Message message(type, header, attributes);
  TryPrefixes(decode, message, sizeof(Header), guard);
  TryMutations(decode, message, guard);
}

TEST(HostileMessages, Link) {
  const std::vector<std::uint32_t> settings(60, 1);
  const auto conf = [&](int type) {
    return AttributeBytes().PutBytes(type, settings.data(), settings.size() * 4);
  };
  ifinfomsg header{};
  header.ifi_index = 2;
  TryAll(DecodeLink, RTM_NEWLINK, header,
         AttributeBytes()
             .PutText(IFLA_IFNAME, "eth0")
             .Put<std::uint32_t>(IFLA_GROUP, 1)
             .PutNested(IFLA_AF_SPEC, AttributeBytes()
                                          .PutNested(AF_INET, conf(IFLA_INET_CONF))
                                          .PutNested(AF_INET6, conf(IFLA_INET6_CONF)))
             .PutNested(IFLA_LINKINFO, AttributeBytes().PutText(IFLA_INFO_KIND, "vrf"))
             .Put<std::uint32_t>(IFLA_MASTER, 1));
}

TEST(HostileMessages, Address) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET6;
  header.ifa_prefixlen = 64;
  TryAll(DecodeAddress, RTM_NEWADDR, header,
         AttributeBytes()
             .PutAddress(IFA_ADDRESS, "fd00::1")
             .PutAddress(IFA_LOCAL, "fd00::2")
             .Put<std::uint32_t>(IFA_FLAGS, 128));
}

TEST(HostileMessages, Rule) {
  fib_rule_hdr header{};
  header.family = AF_INET;
  header.src_len = 8;
  TryAll(DecodeRule, RTM_NEWRULE, header,
         AttributeBytes()
             .PutAddress(FRA_SRC, "10.0.0.0")
             .PutText(FRA_IIFNAME, "lo")
             .PutText(FRA_OIFNAME, "eth0")
             .Put<std::uint32_t>(FRA_TABLE, 100)
             .Put<std::uint8_t>(FRA_IP_PROTO, 6)
             .Put<std::uint64_t>(FRA_TUN_ID, 6)
             .Put(FRA_UID_RANGE, fib_rule_uid_range{1, 2})
             .Put(FRA_DPORT_RANGE, fib_rule_port_range{1, 2}));
}

TEST(HostileMessages, Route) {
  AttributeBytes hops;
  for (int index : {2, 3}) {
    rtnexthop hop{};
    hop.rtnh_len = sizeof(hop) + 8;
    hop.rtnh_ifindex = index;
    hops.PutRaw(hop).PutAddress(RTA_GATEWAY, "10.0.0.254");
  }
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 8;
  TryAll(DecodeRoute, RTM_NEWROUTE, header,
         AttributeBytes()
             .PutAddress(RTA_DST, "10.0.0.0")
             .PutNested(RTA_MULTIPATH, hops)
             .PutNested(RTA_METRICS, AttributeBytes().Put<std::uint32_t>(RTAX_MTU, 1400))
             .PutAddress(RTA_PREFSRC, "10.0.0.1")
             .Put(RTA_CACHEINFO, rta_cacheinfo{})
             .PutBytes(RTA_VIA, "\2\0\12\0\0\1", 6));
}

TEST(HostileMessages, NexthopObject) {
  const nexthop_grp group[] = {{3, 1, 0, 0}, {4, 2, 1, 0}};
  nhmsg header{};
  header.nh_family = AF_INET;
  TryAll(
      DecodeNexthopObject, RTM_NEWNEXTHOP, header,
      AttributeBytes()
          .Put<std::uint32_t>(NHA_ID, 9)
          .PutBytes(NHA_GROUP, group, sizeof(group))
          .Put<std::uint16_t>(NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES)
          .PutNested(NHA_RES_GROUP, AttributeBytes().Put<std::uint16_t>(NHA_RES_GROUP_BUCKETS, 8))
          .PutAddress(NHA_GATEWAY, "10.0.0.254")
          .Put<std::uint32_t>(NHA_OIF, 2));
}

TEST(HostileMessages, NexthopBucket) {
  const AttributeBytes bucket = AttributeBytes()
                                    .Put<std::uint16_t>(NHA_RES_BUCKET_INDEX, 7)
                                    .Put<std::uint32_t>(NHA_RES_BUCKET_NH_ID, 3);
  TryAll(DecodeNexthopBucket, RTM_NEWNEXTHOPBUCKET, nhmsg{},
         AttributeBytes().Put<std::uint32_t>(NHA_ID, 9).PutNested(NHA_RES_BUCKET, bucket));
}

TEST(HostileMessages, Neighbour) {
  ndmsg header{};
  header.ndm_family = AF_INET6;
  TryAll(DecodeNeighbour, RTM_NEWNEIGH, header,
         AttributeBytes().PutAddress(NDA_DST, "fe80::1").PutBytes(NDA_LLADDR, "123456", 6));
}

TEST(HostileMessages, AddressLabel) {
  ifaddrlblmsg header{};
  header.ifal_family = AF_INET6;
  header.ifal_prefixlen = 16;
  TryAll(DecodeAddressLabel, RTM_NEWADDRLABEL, header,
         AttributeBytes().PutAddress(IFAL_ADDRESS, "2002::").Put<std::uint32_t>(IFAL_LABEL, 2));
}

}  // namespace
}  // namespace srcsel
