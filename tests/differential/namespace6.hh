// A random network namespace in which the choice of an IPv6 source is hard: many addresses of every
// kind on a few links, whose order of registration is not that of their indexes; labels; settings.
//
// Each link either does no duplicate address detection, so that temporary addresses can be had, or
// does it for ever, so that addresses stay tentative or optimistic.

#pragma once

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.hh"
#include "draw.hh"
#include "lab/host.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"
#include <srcsel/address.hh>

namespace srcsel {

inline constexpr int kLinks = 4;

inline std::string DrawText6(Draw &draw) {
  const auto any = [&](unsigned limit) { return draw.Below(limit); };
  const std::string host = absl::StrCat("::", 1 + any(6));
  switch (any(16)) {
    case 0:
      return absl::StrCat("3ffe:", any(2), host);
    case 1:
    case 2:
      return absl::StrCat("fd00:", any(2), ":", any(2), host);
    case 3:
    case 4:
      return absl::StrCat("fec0:0:0:", any(2), host);
    case 5:
    case 6:
      return absl::StrCat("fe80", host);
    case 7:
      return absl::StrCat("2001:1", any(2), host);  // an ORCHID, and Teredo's label
    case 8:
      return absl::StrCat("2001:2", any(2), ":", any(2), host);
    case 9:
      return absl::StrCat("2002:", any(2), host);
    case 10:
      return absl::StrCat("::10.0.0.", 1 + any(3));
    default:
      return absl::StrCat("2001:db8:", any(3), ":", any(3), host);
  }
}

class Namespace6 {
 public:
  static absl::StatusOr<Namespace6> Create(Draw &draw) {
    SRCSEL_ASSIGN_OR_RETURN(lab::Host host, lab::Host::Create("n6"));
    Namespace6 made(draw, std::move(host));
    SRCSEL_RETURN_IF_ERROR(made.Furnish());
    return made;
  }

  const Fd &fd() const { return host_.netns().fd(); }
  std::uint32_t LinkIndex(int link) const { return 10u + indexes_[link]; }
  // What was done to it, for whoever wants to see a failure again.
  const std::string &words() const { return words_; }

 private:
  Namespace6(Draw &draw, lab::Host host) : draw_(&draw), host_(std::move(host)) {
    for (int i = 0; i < kLinks; ++i)
      indexes_.insert(indexes_.begin() + draw.Below(static_cast<unsigned>(i) + 1), i);
  }

  absl::Status Furnish() {
    for (const char *all : {"accept_dad", "optimistic_dad", "use_optimistic"})
      SRCSEL_RETURN_IF_ERROR(Set("all", all, all[0] != 'a' && draw_->Once(4)));
    std::vector<std::string> lines = {"link set lo up"};
    for (int i = 0; i < kLinks; ++i)
      lines.push_back(
          absl::StrCat("link add v", i, " index ", LinkIndex(i), " type veth peer name w", i));
    SRCSEL_RETURN_IF_ERROR(Ip(lines));
    lines.clear();
    for (int i = 0; i < kLinks; ++i) {
      SRCSEL_RETURN_IF_ERROR(SettleDad(i));
      for (const char *end : {"v", "w"}) {
        lines.push_back(absl::StrCat("link set ", end, i, " addrgenmode none"));
        lines.push_back(absl::StrCat("link set ", end, i, " up"));
      }
    }
    SRCSEL_RETURN_IF_ERROR(Ip(lines));
    SRCSEL_RETURN_IF_ERROR(WaitUntil([&](const State &state) { return LinksAreReady(state); }));
    SRCSEL_RETURN_IF_ERROR(lab::Within(host_.netns().fd(), [&] { return AddAddresses(); }));
    SRCSEL_RETURN_IF_ERROR(WaitUntil([&](const State &state) { return AddressesAreReady(state); }));
    for (int i = 0; i < kLinks; ++i) {
      SRCSEL_RETURN_IF_ERROR(Set(absl::StrCat("v", i), "use_tempaddr", draw_->Below(3)));
      SRCSEL_RETURN_IF_ERROR(Set(absl::StrCat("v", i), "use_oif_addrs_only", draw_->Once(6)));
    }
    SRCSEL_RETURN_IF_ERROR(Ip(Labels()));
    return Ip(Routing());
  }

  absl::Status Set(const std::string &link, const std::string &name, unsigned value) {
    const std::string sysctl = absl::StrCat("net.ipv6.conf.", link, ".", name);
    absl::StrAppend(&words_, "sysctl ", sysctl, "=", value, "\n");
    return host_.SetSysctl(sysctl, absl::StrCat(value));
  }

  absl::Status Ip(const std::vector<std::string> &lines) {
    absl::StrAppend(&words_, absl::StrJoin(lines, "\n"), "\n");
    return host_.IpBatch("-6", lines);
  }

  bool DoesDad(int link) const { return link % 2 == 1; }

  absl::Status SettleDad(int i) {
    const std::string link = absl::StrCat("v", i);
    SRCSEL_RETURN_IF_ERROR(Set(link, "accept_dad", DoesDad(i)));
    SRCSEL_RETURN_IF_ERROR(Set(link, "dad_transmits", DoesDad(i) ? 10000 : 0));
    SRCSEL_RETURN_IF_ERROR(Set(link, "optimistic_dad", DoesDad(i)));
    SRCSEL_RETURN_IF_ERROR(Set(link, "use_optimistic", draw_->Once(2)));
    return Set(link, "use_tempaddr", 2);
  }

  template <typename F>
  absl::Status WaitUntil(F ready) {
    return lab::Within(host_.netns().fd(), [&]() -> absl::Status {
      SRCSEL_ASSIGN_OR_RETURN(const Follower follower, Follower::Open());
      SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
      const lab::Deadline deadline(lab::kPatience);
      for (;;) {
        SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
        if (ready(state)) return absl::OkStatus();
        pollfd heard{follower.fd(), POLLIN, 0};
        if (poll(&heard, 1, deadline.PollTimeout()) == 0)
          return absl::DeadlineExceededError("wait for links and addresses");
        SRCSEL_RETURN_IF_ERROR(follower.Drain(Gateways()).status());
      }
    });
  }

  static bool HasLocalRoute(const State &state, const Prefix &dst, std::uint32_t oif) {
    for (const Routes::Entry &route : state.routes.entries())
      if (route.dst == dst)
        for (const Nexthop &nexthop : state.routes.TermsOf(route).nexthops)
          if (nexthop.oif == oif) return true;
    return false;
  }

  // The kernel gives a link this route when it is ready to have addresses.
  bool LinksAreReady(const State &state) const {
    for (int i = 0; i < kLinks; ++i)
      if (!HasLocalRoute(state, Prefix::Parse("ff00::/8").value(), LinkIndex(i))) return false;
    return true;
  }

  bool AddressesAreReady(const State &state) const {
    for (int i = 0; i < kLinks; ++i)
      for (const InterfaceAddress &address : state.addresses) {
        if (address.ifindex != LinkIndex(i)) continue;
        const bool tentative = address.flags & IFA_F_TENTATIVE;
        if (tentative && !DoesDad(i)) return false;
        if (tentative && !(address.flags & IFA_F_OPTIMISTIC)) continue;
        if (!HasLocalRoute(state, {address.local, 128}, LinkIndex(i))) return false;
      }
    return true;
  }

  // By hand: iproute2 6.1 does not know `optimistic`.
  absl::Status AddAddress(nl_sock *socket, std::uint32_t ifindex, const Prefix &prefix,
                          std::uint32_t flags, bool deprecated) {
    const ifaddrmsg header{AF_INET6, static_cast<__u8>(prefix.length), 0, 0, ifindex};
    const ifa_cacheinfo times{deprecated ? 0 : ~0u, ~0u, 0, 0};
    nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    nlmsg_append(message, const_cast<ifaddrmsg *>(&header), sizeof(header), NLMSG_ALIGNTO);
    nla_put(message, IFA_LOCAL, 16, prefix.address.bytes().data());
    nla_put_u32(message, IFA_FLAGS, flags);
    nla_put(message, IFA_CACHEINFO, sizeof(times), &times);
    const int error = nl_send_sync(socket, message);
    absl::StrAppend(&words_, "address ", prefix.ToString(), " link ", ifindex, " flags ", flags,
                    deprecated ? " deprecated" : "", " = ", error, "\n");
    if (error == 0 || error == -NLE_EXIST) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("add ", prefix.ToString(), ": ", nl_geterror(error)));
  }

  absl::Status AddAddresses() {
    const std::unique_ptr<nl_sock, void (*)(nl_sock *)> socket(nl_socket_alloc(), nl_socket_free);
    if (nl_connect(socket.get(), NETLINK_ROUTE) != 0) return absl::InternalError("connect netlink");
    for (int i = 0; i < kLinks; ++i)
      for (unsigned left = draw_->Below(9); left > 0; --left) {
        Prefix prefix = Prefix::Parse(DrawText6(*draw_)).value();
        prefix.length = draw_->OneOf(std::vector<int>{32, 48, 60, 64, 64, 64, 64, 96, 128});
        std::uint32_t flags = draw_->Once(2) ? IFA_F_NOPREFIXROUTE : 0;
        if (DoesDad(i) && !draw_->Once(3)) flags |= draw_->Once(2) ? IFA_F_OPTIMISTIC : IFA_F_NODAD;
        if (draw_->Once(5)) flags |= IFA_F_HOMEADDRESS;
        if (prefix.length == 64 && draw_->Once(3)) flags |= IFA_F_MANAGETEMPADDR;
        SRCSEL_RETURN_IF_ERROR(
            AddAddress(socket.get(), LinkIndex(i), prefix, flags, draw_->Once(5)));
      }
    return absl::OkStatus();
  }

  std::vector<std::string> Labels() {
    std::vector<std::string> lines;
    if (draw_->Once(6)) lines.push_back("addrlabel flush");
    for (int i = 0; i < kLinks; ++i) {
      const std::string dev = draw_->Once(2) ? absl::StrCat(" dev v", i) : "";
      const Prefix prefix{IpAddress::Parse(DrawText6(*draw_)).value(),
                          draw_->OneOf(std::vector<int>{20, 33, 47, 64}) + i};
      lines.push_back(absl::StrCat("addrlabel add prefix ", prefix.Network().ToString(), dev,
                                   " label ", draw_->Below(4) + 1));
    }
    return lines;
  }

  // A way out of every link; and one that only flows with a source find, to where the first lookup,
  // without one, finds none.
  std::vector<std::string> Routing() {
    std::vector<std::string> lines = {"route add unreachable 4000::/3 metric 1",
                                      "route add default dev v0 table 200"};
    for (const char *source : {"2000::/3", "fc00::/7", "fec0::/10", "fe80::/10", "::/8"})
      lines.push_back(absl::StrCat("rule add from ", source, " pref 10 table 200"));
    for (int i = 0; i < kLinks; ++i) {
      lines.push_back(absl::StrCat("route add default dev v", i, " metric ", 2000 + i));
      for (int more = 0; more < 3; ++more) {
        const Prefix prefix{IpAddress::Parse(DrawText6(*draw_)).value(), 20 + 7 * i + more};
        lines.push_back(absl::StrCat("route add ", prefix.Network().ToString(), " dev v",
                                     draw_->Below(kLinks), " metric ", 100 * more + i + 1));
      }
    }
    return lines;
  }

  Draw *draw_;
  lab::Host host_;
  std::vector<unsigned> indexes_;
  std::string words_;
};

}  // namespace srcsel
