// One key of a table of the file, as it is read: its value turned into what the policy wants, and
// what is wrong with it into findings.
//
// A value is a word, or a list of words where several make sense. What a word means is for
// words.hh. A wrong word is one finding, on its own line, and does not keep the others from being
// read.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/finding.hh"
#include "policy/toml.hh"

namespace srcsel {

enum class Integers { kRefused, kAccepted };

class KeyReader {
 public:
  // `table` is the key's, as findings name it: "rule", "set.unicom". All must outlive it.
  KeyReader(const TomlEntry &entry, absl::string_view table, const std::string &file,
            Findings &findings);

  const TomlValue &value() const { return entry_.value; }
  std::uint32_t line() const { return entry_.line; }
  const std::string &name() const { return name_; }

  void Error(absl::string_view message) { Error(entry_.line, message); }
  void Error(std::uint32_t line, absl::string_view message);
  // Says that the value is not `accepted`: "a string", "a list of tables".
  void WrongType(const TomlValue &value, absl::string_view accepted);

  // Nothing after an error.
  std::optional<std::string> Word(Integers integers);
  // Of a file: as it is said, or beside the policy.
  std::optional<std::string> Path();
  // Line and text of each.
  struct Item {
    std::uint32_t line;
    std::string text;
  };
  std::vector<Item> Words(Integers integers);

  template <typename T>
  std::optional<T> One(absl::StatusOr<T> (*parse)(absl::string_view), Integers integers) {
    const std::optional<std::string> word = Word(integers);
    return word ? Parsed({entry_.value.line, *word}, parse) : std::nullopt;
  }
  template <typename T>
  std::vector<T> Many(absl::StatusOr<T> (*parse)(absl::string_view), Integers integers) {
    std::vector<T> all;
    for (const Item &item : Words(integers))
      if (auto one = Parsed(item, parse)) all.push_back(*std::move(one));
    return all;
  }
  // One of the words, as its index.
  std::optional<std::size_t> Choice(const std::vector<absl::string_view> &words);

  template <typename T>
  std::optional<T> Parsed(const Item &item, absl::StatusOr<T> (*parse)(absl::string_view)) {
    absl::StatusOr<T> parsed = parse(item.text);
    if (parsed.ok()) return *std::move(parsed);
    Error(item.line, parsed.status().message());
    return std::nullopt;
  }

 private:
  const TomlEntry &entry_;
  const std::string name_;
  const std::string &file_;
  Findings &findings_;
};

}  // namespace srcsel
