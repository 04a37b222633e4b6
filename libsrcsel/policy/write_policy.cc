#include "policy/write_policy.hh"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "policy/words.hh"

namespace srcsel {
namespace {

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      absl::StrAppendFormat(&out, "\\u%04X", byte);
    else
      absl::StrAppend(&out, c == '"' || c == '\\' ? "\\" : "", absl::string_view(&c, 1));
  }
  return out + "\"";
}

// A key as TOML takes it without quotes, or quoted.
std::string Key(const std::string &name) {
  const bool bare = std::ranges::all_of(name, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  return bare && !name.empty() ? name : Quoted(name);
}

template <typename Range>
std::string RangeWord(const Range &range) {
  return range.first == range.last ? absl::StrCat(range.first)
                                   : absl::StrCat(range.first, "-", range.last);
}

std::string ClassesWord(const Range32 &range) {
  return range.first == range.last
             ? ClassWord(range.first)
             : absl::StrCat(ClassWord(range.first), "-", ClassWord(range.last));
}

std::string PrefixWord(const Prefix &prefix) {
  return prefix.length == prefix.address.bits() ? prefix.address.ToString() : prefix.ToString();
}

// One word, or a list of them.
std::string ListOf(const std::vector<std::string> &words) {
  if (words.size() == 1) return Quoted(words.front());
  return absl::StrCat("[",
                      absl::StrJoin(words, ", ",
                                    [](std::string *out, const std::string &w) {
                                      absl::StrAppend(out, Quoted(w));
                                    }),
                      "]");
}

template <typename T, typename F>
std::vector<std::string> Words(const std::vector<T> &items, F word) {
  std::vector<std::string> words;
  for (const T &item : items) words.push_back(word(item));
  return words;
}

class Writer {
 public:
  std::string Write(const Policy &policy) {
    for (const PolicyRule &rule : policy.rules) AddRule(rule);
    return absl::StrCat(definitions_, rules_);
  }

 private:
  // Its name, or one like it that nothing else of its kind has.
  template <typename T>
  static const std::string &NameOf(const T *what, const std::string &wish,
                                   std::map<const T *, std::string> &names, bool &is_new) {
    const auto [found, inserted] = names.try_emplace(what);
    is_new = inserted;
    if (!inserted) return found->second;
    const auto taken = [&](const std::string &name) {
      return std::ranges::any_of(names, [&](const auto &known) { return known.second == name; });
    };
    std::string name = wish;
    for (std::size_t number = names.size(); name.empty() || taken(name); ++number)
      name = absl::StrCat(wish.empty() ? "set" : wish, "-", number);
    return found->second = name;
  }

  std::string SetName(const PrefixSet &set) {
    bool is_new = false;
    const std::string &name = NameOf(&set, set.name, sets_, is_new);
    if (is_new) {
      absl::StrAppend(&definitions_, "[set.", Key(name), "]\nprefixes = [\n");
      for (const Prefix &prefix : set.prefixes)
        absl::StrAppend(&definitions_, "  \"", PrefixWord(prefix), "\",\n");
      definitions_ += "]\n\n";
    }
    return name;
  }

  std::string PoolName(const Pool &pool) {
    bool is_new = false;
    const std::string &name = NameOf(&pool, pool.name, pools_, is_new);
    if (is_new) {
      constexpr absl::string_view kPicks[] = {"hash", "random", "round-robin"};
      absl::StrAppend(&definitions_, "[pool.", Key(name), "]\nmembers = [\n");
      for (const PoolMember &member : pool.members)
        absl::StrAppend(&definitions_, "  { source = ",
                        Quoted(member.source ? ToString(*member.source) : "kernel"),
                        ", weight = ", member.weight, " },\n");
      absl::StrAppend(&definitions_, "]\npick = \"", kPicks[static_cast<int>(pool.pick)], "\"\n\n");
    }
    return name;
  }

  void Say(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&rules_, key, " = ", value, "\n");
  }
  void SayAny(absl::string_view key, const std::vector<std::string> &words) {
    if (!words.empty()) Say(key, ListOf(words));
  }

  void AddRule(const PolicyRule &rule) {
    // A name may be a line of somebody else's.
    if (!rule.name.empty())
      absl::StrAppend(&rules_, "# ", absl::StrReplaceAll(rule.name, {{"\n", " "}, {"\r", " "}}),
                      "\n");
    rules_ += "[[rule]]\n";
    std::vector<std::string> to = Words(rule.to, PrefixWord);
    for (const auto &set : rule.sets) to.push_back("@" + SetName(*set));
    SayAny("to", to);
    SayAny("ipproto", Words(rule.protos, [](std::uint8_t proto) { return absl::StrCat(proto); }));
    SayAny("dport", Words(rule.dports, RangeWord<Range16>));
    SayAny("uidrange", Words(rule.uids, RangeWord<Range32>));
    SayAny("gid", Words(rule.gids, RangeWord<Range32>));
    SayAny("classid", Words(rule.classids, ClassesWord));
    SayAny("cgroup", Words(rule.cgroups, [](const Cgroup &cgroup) { return cgroup.path; }));
    SayAny("comm", rule.comms);
    SayAny("if-mark", Words(rule.marks, [](const Mark &mark) { return mark.ToString(); }));
    AddAction(rule);
    rules_ += "\n";
  }

  void AddAction(const PolicyRule &rule) {
    if (rule.lookup)
      Say("lookup", absl::StrCat(*rule.lookup));
    else if (rule.mark)
      Say("mark", Quoted(rule.mark->ToString()));
    if (rule.apply == Apply::kBind) Say("apply", "\"bind\"");
    SayAny("source", Words(rule.sources, [](const Source &source) { return ToString(source); }));
    if (rule.pool != nullptr) Say("source", Quoted("pool " + PoolName(*rule.pool)));
    if (rule.leave) Say("source", "\"kernel\"");
    if (rule.ports) Say("ports", Quoted(RangeWord(*rule.ports)));
    if (rule.on_fail == OnFail::kReject) Say("on-fail", "\"reject\"");
  }

  std::string definitions_, rules_;
  std::map<const PrefixSet *, std::string> sets_;
  std::map<const Pool *, std::string> pools_;
};

}  // namespace

std::string WritePolicy(const Policy &policy) {
  return Writer().Write(policy);
}

}  // namespace srcsel
