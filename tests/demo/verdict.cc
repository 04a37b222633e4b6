#include "demo/verdict.hh"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace srcsel::demo {
namespace {

using lab::Endpoint;

struct Check {
  bool holds;
  std::string expected, found;
};

std::string List(const std::vector<Endpoint> &endpoints) {
  if (endpoints.empty()) return "there was none";
  return absl::StrCat("there was ", absl::StrJoin(endpoints, ", ", [](auto *out, const auto &e) {
                        absl::StrAppend(out, e.ToString());
                      }));
}

std::string Text(const std::optional<Endpoint> &endpoint) {
  return endpoint ? endpoint->ToString() : "nothing";
}

absl::string_view FirstLine(absl::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string EndOf(const lab::Result &curl) {
  return absl::StrCat(FirstLine(curl.ToString()), ": ", FirstLine(curl.err));
}

Check OutcomeIs(const Expected &expected, const Crossing &crossing) {
  return {crossing.outcome == expected.outcome,
          expected.outcome == Outcome::kAnswered ? "an answer" : "curl to time out",
          absl::StrCat("curl ended with ", EndOf(crossing.curl))};
}

Check OtherUplinkIsIdle(const Expected &expected, const Crossing &crossing) {
  const Uplink other = expected.uplink == Uplink::kTelecom ? Uplink::kUnicom : Uplink::kTelecom;
  return {crossing.By(other).empty(), absl::StrCat("no SYN by ", NameOf(other)),
          List(crossing.By(other))};
}

Check SynsCarry(const IpAddress &source, Uplink uplink, const Crossing &crossing) {
  const std::vector<Endpoint> &syns = crossing.By(uplink);
  const bool all = std::all_of(syns.begin(), syns.end(),
                               [&](const Endpoint &syn) { return syn.address == source; });
  return {!syns.empty() && all,
          absl::StrCat("SYNs by ", NameOf(uplink), " from ", source.ToString()), List(syns)};
}

Check UnicomSendsOn(const Expected &expected, const Crossing &crossing) {
  const bool dropped = expected.outcome != Outcome::kAnswered;
  return {crossing.past_unicom == (dropped ? std::vector<Endpoint>{} : crossing.unicom),
          dropped ? "Unicom's router to drop every SYN" : "Unicom's router to send on every SYN",
          absl::StrCat("past it ", List(crossing.past_unicom))};
}

Check NginxSawTheSyn(Uplink uplink, const Crossing &crossing) {
  return {crossing.seen == crossing.By(uplink).front(), "nginx to see the source of the SYN",
          absl::StrCat("it saw ", Text(crossing.seen))};
}

Check GetsocknameGives(const IpAddress &address, const Crossing &crossing) {
  return {crossing.told && crossing.told->address == address,
          absl::StrCat("getsockname() to give ", address.ToString()),
          absl::StrCat("it gave ", Text(crossing.told))};
}

Check GetsocknameIsTrue(const Crossing &crossing) {
  return {crossing.told == crossing.seen,
          absl::StrCat("getsockname() to give what nginx saw, ", Text(crossing.seen)),
          absl::StrCat("it gave ", Text(crossing.told))};
}

Check TableHas(std::size_t entries, const Crossing &crossing) {
  return {crossing.tracked.size() == entries, absl::StrCat(entries, " conntrack entries"),
          absl::StrCat("there were ", crossing.tracked.size())};
}

Check TranslationsAreOurs(const Crossing &crossing) {
  const bool ours = std::all_of(crossing.tracked.begin(), crossing.tracked.end(), [&](auto &entry) {
    return entry.from == crossing.told && entry.reply_to == crossing.seen;
  });
  return {ours, "conntrack to translate what getsockname() gave to what nginx saw",
          "an entry is another one's"};
}

}  // namespace

std::string Difference(const Way &way, const Family &family, const Crossing &crossing) {
  const Expected &expected = way.expected;
  std::vector<Check> checks = {OutcomeIs(expected, crossing), OtherUplinkIsIdle(expected, crossing),
                               SynsCarry(family.Source(expected.source), expected.uplink, crossing),
                               UnicomSendsOn(expected, crossing),
                               TableHas(expected.tracked, crossing)};
  if (expected.outcome == Outcome::kAnswered && !crossing.By(expected.uplink).empty()) {
    checks.push_back(NginxSawTheSyn(expected.uplink, crossing));
    checks.push_back(GetsocknameGives(family.Source(expected.told), crossing));
    if (expected.told == expected.source) checks.push_back(GetsocknameIsTrue(crossing));
    checks.push_back(TranslationsAreOurs(crossing));
  }
  for (const Check &check : checks)
    if (!check.holds) return absl::StrCat("expected ", check.expected, ", but ", check.found);
  return "";
}

}  // namespace srcsel::demo
