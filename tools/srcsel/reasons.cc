#include "reasons.hh"

namespace srcsel {

std::string ReasonMeaning(srcsel_reason reason) {
  switch (reason) {
    case SRCSEL_WHY_NO_IMAGE:
      return "there is no policy to decide by, or that of another version of srcsel. Take what is "
             "up "
             "down, and up again.";
    case SRCSEL_WHY_NO_RULE:
      return "no rule of the policy holds for the flow.";
    case SRCSEL_WHY_MARK:
      return "the socket was marked, and the kernel chooses route and source by that mark.";
    case SRCSEL_WHY_SOURCE:
      return "the socket was bound to the source that the rule names.";
    case SRCSEL_WHY_TABLE:
      return "the socket was bound to the source that the routing tables give for the rule's mark.";
    case SRCSEL_WHY_UNSPECIFIED:
      return "the destination is none: 0.0.0.0/8 or ::.";
    case SRCSEL_WHY_LOOPBACK:
      return "the destination is a loopback address: 127.0.0.0/8 or ::1.";
    case SRCSEL_WHY_LINK_LOCAL:
      return "the destination is link-local: 169.254.0.0/16 or fe80::/10.";
    case SRCSEL_WHY_MULTICAST:
      return "the destination is a multicast group.";
    case SRCSEL_WHY_BROADCAST:
      return "the destination is 255.255.255.255 or the broadcast address of a subnet.";
    case SRCSEL_WHY_LOCAL:
      return "the destination is an address of this host's own.";
    case SRCSEL_WHY_APP_SOURCE:
      return "the program has bound the socket to an address itself.";
    case SRCSEL_WHY_APP_PORT:
      return "the socket has a local port already: no source can be bound any more. Of a UDP "
             "socket "
             "that connects again, the rule wants another mark than its source was chosen with.";
    case SRCSEL_WHY_APP_DEVICE:
      return "the program has bound the socket to an interface.";
    case SRCSEL_WHY_APP_MARK:
      return "the program has marked the socket itself, in bits that the rule claims.";
    case SRCSEL_WHY_FOREIGN:
      return "the socket is of another network namespace than the policy: what the policy has from "
             "tables or interfaces does not hold there.";
    case SRCSEL_WHY_FAMILY:
      return "the rule has no source of the flow's family: it names none, or the interface that it "
             "names has no such address. srcsel explain says which, and what mends it.";
    case SRCSEL_WHY_NO_ROUTE:
      return "the routing tables have no usable route for the rule's mark.";
    case SRCSEL_WHY_NO_SOURCE:
      return "the route does not say which source goes with it. Give it one (src).";
    case SRCSEL_WHY_AMBIGUOUS:
      return "what decides is not to be seen from here: several paths, several default routes, or "
             "an "
             "ip rule, a rule of the firewall or a class of net_cls that looks at what is not "
             "known "
             "yet. srcsel route get lists what is possible.";
    case SRCSEL_WHY_REFUSED:
      return "the kernel refused the mark or the bind.";
    case SRCSEL_WHY_POOL:
      return "the socket was bound to an address of a pool.";
    case SRCSEL_WHY_NO_MEMBER:
      return "no address of the pool is on this host.";
    case SRCSEL_WHY_NO_PORT:
      return "no port of the range is free for this source and destination, or none can be set.";
    case SRCSEL_WHY_OLD:
      return "the socket was there before the hooks: nobody has seen what the program did to it.";
    case SRCSEL_WHY_KERNEL:
      return "the rule leaves the flow to the kernel.";
    case SRCSEL_WHY_APP_TOS:
      return "the program has set a tos, and rules of the firewall look at it.";
    case SRCSEL_WHY_COUNT:
      break;
  }
  return "";
}

}  // namespace srcsel
