#include "netfilter/iptables_line.hh"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

// Words as iptables-save quotes them: in double quotes, with a backslash before those inside.
std::optional<std::vector<std::string>> WordsOf(absl::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    std::string word;
    const bool quoted = text[i] == '"';
    for (i += quoted; i < text.size() && text[i] != (quoted ? '"' : ' '); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      word += text[i];
    }
    if (quoted && i++ == text.size()) return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

bool OpensPart(absl::string_view word) {
  return word == "-m" || word == "-j" || word == "-g";
}

bool IsKey(absl::string_view word) {
  return word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9');
}

}  // namespace

std::string IptablesPart::Words() const {
  std::string text = kind.empty() ? "" : absl::StrCat(kind, " ", name);
  for (const IptablesOption &option : options) {
    absl::StrAppend(&text, text.empty() ? "" : " ", option.negated ? "! " : "", option.key);
    for (const std::string &value : option.values) absl::StrAppend(&text, " ", value);
  }
  return text;
}

std::optional<IptablesLine> ParseIptablesLine(absl::string_view text) {
  const auto words = WordsOf(text);
  if (!words || words->size() < 2 || words->front() != "-A") return std::nullopt;
  IptablesLine line{(*words)[1], {{}}};
  bool negated = false;
  for (std::size_t i = 2; i < words->size(); ++i) {
    const std::string &word = (*words)[i];
    std::vector<IptablesOption> &options = line.parts.back().options;
    if (word == "!" && !negated) {
      negated = true;
    } else if (OpensPart(word)) {
      if (negated || ++i == words->size()) return std::nullopt;
      line.parts.push_back({word, (*words)[i], {}});
    } else if (IsKey(word)) {
      options.push_back({std::exchange(negated, false), word, {}});
      // What a comment says may look like anything.
      if (word == "--comment" && i + 1 < words->size()) options.back().values = {(*words)[++i]};
    } else {
      if (negated || options.empty()) return std::nullopt;
      options.back().values.push_back(word);
    }
  }
  if (negated) return std::nullopt;
  return line;
}

}  // namespace srcsel
