#include "netfilter/narrow_match.hh"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "netfilter/evaluate.hh"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

const NfNumbers &WithPorts() {
  static const NfNumbers protos = Normalized({{IPPROTO_TCP, IPPROTO_TCP},
                                              {IPPROTO_UDP, IPPROTO_UDP},
                                              {IPPROTO_DCCP, IPPROTO_DCCP},
                                              {IPPROTO_SCTP, IPPROTO_SCTP},
                                              {IPPROTO_UDPLITE, IPPROTO_UDPLITE}});
  return protos;
}

NfNumbers TosOfDscps(const NfNumbers &dscps) {
  NfNumbers tos;
  for (const Range32 &range : dscps)
    if (range.first < 64) tos.push_back({range.first << 2, std::min(range.last, 63u) << 2 | 3});
  return tos;
}

class Narrower {
 public:
  Narrower(const MatchContext &context, std::vector<MatchedPart> &out)
      : context_(context), out_(out) {}

  // Adds what the key leaves of the part.
  void Add(const MatchedPart &from, const NfKey &key, const NfValues &values) {
    switch (key.field) {
      case NfField::kDestination:
        return Keep(from, [&](Condition &c) { return Narrow(c, std::get<NfPrefixes>(values)); });
      case NfField::kProtocol:
        return Select(from, &Condition::protos, values);
      case NfField::kUid:
        return Select(from, &Condition::uids, values);
      case NfField::kGid:
        return Select(from, &Condition::gids, values);
      case NfField::kClassid:
        return Select(from, &Condition::classids, values);
      case NfField::kDport:
        return AddDport(from, values);
      case NfField::kMark:
        return AddMarks(from, context_.mark, key.mask, values);
      case NfField::kConnectionMark:
        if (context_.state != kNfNew) return;
        return AddMarks(from, context_.connection, key.mask, values);
      case NfField::kConnectionState:
        return If(from, Contains(std::get<NfNumbers>(values), context_.state));
      case NfField::kSourceType:
        return If(from, Contains(std::get<NfNumbers>(values), RTN_LOCAL));
      case NfField::kDestinationType:
        return AddDestinationType(from, std::get<NfNumbers>(values));
      case NfField::kCgroup:
        for (const Cgroup &cgroup : std::get<NfCgroups>(values))
          Keep(from, [&](Condition &c) { return Narrow(c, cgroup); });
        return;
      case NfField::kInDevice:
        return If(from, std::ranges::any_of(std::get<NfNames>(values), [](const std::string &name) {
                    return NameFits(name, "");
                  }));
      case NfField::kOutDevice:
        return AddDevice(from, std::get<NfNames>(values));
      case NfField::kSource:
        return AddSource(from, std::get<NfPrefixes>(values));
      case NfField::kSport:
        return Unless(from, Covers(std::get<NfNumbers>(values), {{0, 65535}}),
                      "looks at the source port");
      case NfField::kDscp:
        return AddTos(from, TosOfDscps(std::get<NfNumbers>(values)));
      case NfField::kTos:
        return AddTos(from, std::get<NfNumbers>(values));
    }
  }

 private:
  template <typename F>
  void Keep(const MatchedPart &from, F narrow) {
    MatchedPart part = from;
    const Narrowing left = narrow(part.flows);
    if (left == Narrowing::kNothing) return;
    part.whole &= left == Narrowing::kAll;
    out_.push_back(std::move(part));
  }

  void If(const MatchedPart &from, bool holds) {
    if (holds) out_.push_back(from);
  }

  void Unless(const MatchedPart &from, bool holds, const char *unknown) {
    out_.push_back(from);
    if (!holds) SetUnknown(out_.back(), unknown);
  }

  void Select(const MatchedPart &from, std::optional<NfNumbers> Condition::*selector,
              const NfValues &values) {
    Keep(from, [&](Condition &c) { return Narrow(c.*selector, std::get<NfNumbers>(values)); });
  }

  // Where a protocol has no ports, their place has something else.
  void AddDport(const MatchedPart &from, const NfValues &values) {
    Keep(from, [&](Condition &c) {
      const Narrowing protos = Narrow(c.protos, WithPorts());
      if (protos == Narrowing::kNothing) return protos;
      return std::min(protos, Narrow(c.dports, std::get<NfNumbers>(values)));
    });
    static const NfNumbers without = Complement(WithPorts(), 255);
    const std::size_t known = out_.size();
    Keep(from, [&](Condition &c) { return Narrow(c.protos, without); });
    for (std::size_t i = known; i < out_.size(); ++i)
      SetUnknown(out_[i], "looks at ports, whatever the protocol");
  }

  static void SetUnknown(MatchedPart &part, const char *why) {
    part.unknown = why;
    part.aside = false;
  }

  void AddTos(const MatchedPart &from, const NfNumbers &values) {
    const NfNumbers &before = from.tos ? *from.tos : *context_.tos;
    NfNumbers left = Intersection(values, before);
    if (left.empty()) return;
    out_.push_back(from);
    if (left != before) out_.back().tos = std::move(left);
  }

  void AddMarks(const MatchedPart &from, const NfMark &mark, std::uint32_t mask,
                const NfValues &values) {
    for (const Mark &test : MarksOf(std::get<NfNumbers>(values)))
      Keep(from, [&](Condition &c) {
        return Narrow(c, NfMark{mark.mask & mask, mark.constant & mask}, test);
      });
  }

  void AddDestinationType(const MatchedPart &from, const NfNumbers &types) {
    constexpr Range32 kWithoutWay{RTN_BLACKHOLE, RTN_THROW};
    if (Contains(types, RTN_UNICAST)) return out_.push_back(from);
    if (!Intersection(types, {kWithoutWay}).empty())
      Unless(from, false, "looks at the destination's type");
  }

  // What leaves by lo is for this host itself.
  void AddDevice(const MatchedPart &from, const NfNames &names) {
    if (std::ranges::count(names, "*") != 0) return out_.push_back(from);
    if (std::ranges::all_of(names, [](const std::string &name) { return name == "lo"; })) return;
    AddWays(from, "looks at the device of the first route", [&](const NfWays::Part &way) {
      return std::ranges::any_of(
          names, [&](const std::string &name) { return NameFits(name, way.device); });
    });
  }

  void AddSource(const MatchedPart &from, const NfPrefixes &sources) {
    if (!sources->prefixes.empty() && sources->prefixes.front().length == 0)
      return out_.push_back(from);
    AddWays(from, "looks at the source address",
            [&](const NfWays::Part &way) { return Contains(*sources, way.source); });
  }

  template <typename F>
  void AddWays(const MatchedPart &from, const char *words, F fits) {
    if (context_.ways == nullptr) return Unless(from, false, words);
    std::vector<Prefix> all;
    for (const NfWays::Part &way : context_.ways->parts)
      if (fits(way)) std::ranges::copy(way.to->prefixes, std::back_inserter(all));
    const NfPrefixes fitting = MakePrefixes("", std::move(all));
    Keep(from, [&](Condition &c) { return Narrow(c, fitting); });
    const std::size_t known = out_.size();
    Keep(from, [&](Condition &c) { return Narrow(c, context_.ways->unknown); });
    for (std::size_t i = known; i < out_.size(); ++i) SetUnknown(out_[i], words);
  }

  const MatchContext &context_;
  std::vector<MatchedPart> &out_;
};

void KnownFirst(std::vector<MatchedPart> &parts) {
  std::ranges::stable_sort(parts, {}, [](const MatchedPart &part) {
    return part.tos ? 1 : part.unknown.empty() ? 0 : 2;
  });
}

}  // namespace

std::vector<MatchedPart> Matched(const MatchedPart &from, const std::vector<NfKey> &keys,
                                 const NfBoxes &boxes, const MatchContext &context) {
  std::vector<MatchedPart> all;
  for (const NfBox &box : boxes) {
    std::vector<MatchedPart> parts = {from};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      std::vector<MatchedPart> left;
      Narrower narrower(context, left);
      for (const MatchedPart &part : parts) narrower.Add(part, keys[i], box[i]);
      parts.swap(left);
    }
    std::ranges::move(parts, std::back_inserter(all));
  }
  KnownFirst(all);
  return all;
}

std::vector<MatchedPart> MatchedByAll(const MatchedPart &from,
                                      const std::vector<const NfMatch *> &matches,
                                      const MatchContext &context) {
  std::vector<MatchedPart> parts = {from};
  for (const NfMatch *match : matches) {
    std::vector<MatchedPart> left;
    for (const MatchedPart &part : parts)
      std::ranges::move(Matched(part, match->keys, *match->boxes, context),
                        std::back_inserter(left));
    parts.swap(left);
  }
  KnownFirst(parts);
  return parts;
}

bool NeverHolds(const NfMatch &match, const MatchContext &context) {
  return context.state != kNfNew && std::ranges::any_of(match.keys, [](const NfKey &key) {
           return key.field == NfField::kConnectionMark;
         });
}

}  // namespace srcsel
