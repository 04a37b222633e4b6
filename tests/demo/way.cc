#include "demo/way.hh"

#include "absl/strings/str_cat.h"
#include "lab/two_uplinks.hh"

namespace srcsel::demo {
namespace {

constexpr Family kFamilies[] = {
    {"IPv4", lab::kServer4, lab::kTelecomSource4, lab::kUnicomSource4},
    {"IPv6", lab::kServer6, lab::kTelecomSource6, lab::kUnicomSource6},
};

constexpr Way kWays[] = {
    {.name = "plain",
     .marked = false,
     .masqueraded = false,
     .selected = false,
     .expected = {.outcome = Outcome::kAnswered,
                  .uplink = Uplink::kTelecom,
                  .source = Uplink::kTelecom,
                  .told = Uplink::kTelecom,
                  .tracked = 0}},
    {.name = "marked",
     .marked = true,
     .masqueraded = false,
     .selected = false,
     .expected = {.outcome = Outcome::kTimedOut,
                  .uplink = Uplink::kUnicom,
                  .source = Uplink::kTelecom,
                  .told = Uplink::kTelecom,
                  .tracked = 0}},
    {.name = "marked + MASQUERADE",
     .marked = true,
     .masqueraded = true,
     .selected = false,
     .expected = {.outcome = Outcome::kAnswered,
                  .uplink = Uplink::kUnicom,
                  .source = Uplink::kUnicom,
                  .told = Uplink::kTelecom,
                  .tracked = 1}},
    {.name = "marked + srcsel run",
     .marked = true,
     .masqueraded = false,
     .selected = true,
     .expected = {.outcome = Outcome::kAnswered,
                  .uplink = Uplink::kUnicom,
                  .source = Uplink::kUnicom,
                  .told = Uplink::kUnicom,
                  .tracked = 0}},
};

}  // namespace

std::string NameOf(Uplink uplink) {
  return uplink == Uplink::kTelecom ? "Telecom" : "Unicom";
}

IpAddress Family::Server() const {
  return IpAddress::Parse(server).value();
}

IpAddress Family::Source(Uplink uplink) const {
  return IpAddress::Parse(uplink == Uplink::kTelecom ? telecom : unicom).value();
}

std::string Family::Url() const {
  return Server().is_v4() ? absl::StrCat("http://", server, "/")
                          : absl::StrCat("http://[", server, "]/");
}

std::span<const Family> Families() {
  return kFamilies;
}

std::span<const Way> Ways() {
  return kWays;
}

}  // namespace srcsel::demo
