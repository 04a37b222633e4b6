#include "api/convert.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "api/error.hh"

namespace srcsel::api {
namespace {

constexpr std::uint32_t kFlowFlags =
    SRCSEL_FLOW_OIF_WISH | SRCSEL_FLOW_TRANSPARENT | SRCSEL_FLOW_BROADCAST;

template <std::size_t N>
void CopyText(absl::string_view from, char (&to)[N]) {
  const std::size_t size = std::min(from.size(), N - 1);
  std::copy_n(from.begin(), size, to);
  std::fill(to + size, to + N, '\0');
}

srcsel_outcome ToOutcome(const Mirror &mirror, const Outcome &from) {
  srcsel_outcome to{};
  to.error = from.error;
  to.rule = from.rule;
  to.table = from.table;
  if (from.error != 0) return to;
  to.oif = from.oif;
  if (const auto name = mirror.LinkName(from.oif); name.ok()) CopyText(*name, to.device);
  to.source = ToSockaddr(from.source);
  if (from.gateway) to.gateway = ToSockaddr(*from.gateway);
  to.prefix = ToSockaddr(from.dst.address);
  to.prefix_length = static_cast<std::uint32_t>(from.dst.length);
  to.type = from.type;
  to.metric = from.metric;
  to.nexthop_id = from.nexthop_id;
  to.mtu = from.mtu;
  return to;
}

int Bounded(absl::string_view what, std::uint32_t value, std::uint32_t most) {
  if (value <= most) return 0;
  return Refuse(EINVAL, absl::StrCat("flow: ", what, " ", value, " is above ", most));
}

}  // namespace

int ToAddress(const srcsel_sockaddr &from, IpAddress &to) {
  const int family = from.any.sa_family;
  if (family == AF_INET)
    to = IpAddress::FromBytes(AF_INET, &from.v4.sin_addr);
  else if (family == AF_INET6)
    to = IpAddress::FromBytes(AF_INET6, &from.v6.sin6_addr);
  else
    return Refuse(EAFNOSUPPORT, absl::StrCat("address: family ", family, " is none of IP"));
  return 0;
}

std::uint16_t PortOf(const srcsel_sockaddr &address) {
  return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

srcsel_sockaddr ToSockaddr(const IpAddress &address) {
  srcsel_sockaddr to{};
  to.any.sa_family = static_cast<sa_family_t>(address.family());
  if (address.is_v4())
    std::memcpy(&to.v4.sin_addr, address.bytes().data(), address.size());
  else
    std::memcpy(&to.v6.sin6_addr, address.bytes().data(), address.size());
  return to;
}

int ToFlow(const srcsel_question &question, Flow &flow) {
  flow = Flow();
  if (const int error = ToAddress(question.destination, flow.destination)) return error;
  flow.dport = PortOf(question.destination);
  if (question.source.any.sa_family != AF_UNSPEC) {
    if (const int error = ToAddress(question.source, flow.source)) return error;
    flow.sport = PortOf(question.source);
  }
  if (const int error = Bounded("protocol", question.protocol, IPPROTO_MAX - 1)) return error;
  if (const int error = Bounded("tos", question.tos, 0xff)) return error;
  if (const int error = Bounded("label", question.label, 0xfffff)) return error;
  if (question.flags & ~kFlowFlags)
    return Refuse(EINVAL, absl::StrCat("flow: unknown flags in ", question.flags));
  if (question.protocol != 0) flow.proto = static_cast<std::uint8_t>(question.protocol);
  flow.tos = static_cast<std::uint8_t>(question.tos);
  flow.mark = question.mark;
  flow.uid = question.uid;
  flow.oif = question.oif;
  if (flow.oif == 0 && question.destination.any.sa_family == AF_INET6)
    flow.oif = question.destination.v6.sin6_scope_id;
  flow.oif_strict = (question.flags & SRCSEL_FLOW_OIF_WISH) == 0;
  flow.label = question.label;
  flow.prefer = question.prefer;
  flow.transparent = question.flags & SRCSEL_FLOW_TRANSPARENT;
  flow.broadcast = question.flags & SRCSEL_FLOW_BROADCAST;
  return 0;
}

void ToAnswer(const Mirror &mirror, const Selection &selection, srcsel_answer &answer) {
  answer.generation = selection.generation;
  answer.exact = selection.exact();
  answer.all_known = selection.complete;
  CopyText(AmbiguityWord(selection.why), answer.why);
  answer.outcome = ToOutcome(mirror, selection.outcome);
  answer.candidate_count = static_cast<std::uint32_t>(selection.candidates.size());
  const std::size_t room = answer.candidates == nullptr ? 0 : answer.candidate_room;
  const std::size_t written = std::min(room, selection.candidates.size());
  for (std::size_t i = 0; i < written; ++i)
    answer.candidates[i] = ToOutcome(mirror, selection.candidates[i]);
}

}  // namespace srcsel::api
