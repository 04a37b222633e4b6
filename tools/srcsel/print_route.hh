// An outcome as `ip route get` of iproute2 6.1 prints it, and with the keys of `ip -j route get`.
//
// Of a route's metrics only mtu is known, and no realm, so these are not printed. Thread-safe once
// made. Cost: making it reads a few small files.

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/iproute_names.hh"
#include "multicast_groups.hh"
#include "state/link.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

class RoutePrinter {
 public:
  using Json = nlohmann::ordered_json;

  // `links` must outlive it. In the network namespace that is printed.
  explicit RoutePrinter(const std::vector<Link> &links);

  // All lines. Of an error, the line that `ip` has for it.
  std::string Text(const Flow &flow, const Outcome &outcome) const;
  // "via 10.0.0.254 dev eth0 table 100 src 10.0.0.1": what differs between answers to one question.
  std::string Summary(const Outcome &outcome) const;
  // The question again, interfaces by name.
  std::string Words(const Flow &flow) const;
  // An error is {"error": "Network is unreachable"}.
  Json Object(const Flow &flow, const Outcome &outcome) const;

 private:
  std::string DeviceName(std::uint32_t index) const;
  static std::string NameOr(const IprouteNames &names, std::uint32_t number);
  std::string TosName(std::uint8_t tos) const;
  std::vector<std::string> CacheFlags(const Flow &flow, const Outcome &outcome) const;

  const std::vector<Link> &links_;
  const IprouteNames tables_ = IprouteNames::Tables();
  const IprouteNames protocols_ = IprouteNames::Protocols();
  const IprouteNames ds_fields_ = IprouteNames::DsFields();
  const MulticastGroups groups_ = MulticastGroups::Read();
};

}  // namespace srcsel
