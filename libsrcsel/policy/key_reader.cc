#include "policy/key_reader.hh"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace srcsel {
namespace {

std::optional<std::string> TextOf(const TomlValue &value, Integers integers) {
  if (const auto *text = value.As<std::string>()) return *text;
  const auto *number = value.As<std::int64_t>();
  if (number != nullptr && integers == Integers::kAccepted) return absl::StrCat(*number);
  return std::nullopt;
}

absl::string_view AcceptedWord(Integers integers) {
  return integers == Integers::kAccepted ? "a string or an integer" : "a string";
}

// "an integer (5)"
std::string Read(const TomlValue &value) {
  std::string text(value.Kind());
  if (const auto *number = value.As<std::int64_t>()) absl::StrAppend(&text, " (", *number, ")");
  if (const auto *real = value.As<double>()) absl::StrAppend(&text, " (", *real, ")");
  if (const auto *boolean = value.As<bool>())
    absl::StrAppend(&text, *boolean ? " (true)" : " (false)");
  if (const auto *word = value.As<std::string>()) absl::StrAppend(&text, " ('", *word, "')");
  return text;
}

}  // namespace

KeyReader::KeyReader(const TomlEntry &entry, absl::string_view table, const std::string &file,
                     Findings &findings)
    : entry_(entry),
      name_(table.empty() ? entry.key : absl::StrCat(table, ".", entry.key)),
      file_(file),
      findings_(findings) {}

void KeyReader::Error(std::uint32_t line, absl::string_view message) {
  findings_.push_back({Severity::kError, {file_, line}, name_, std::string(message)});
}

void KeyReader::WrongType(const TomlValue &value, absl::string_view accepted) {
  Error(value.line, absl::StrCat("is ", Read(value), "; ", accepted, " is accepted"));
}

std::optional<std::string> KeyReader::Word(Integers integers) {
  std::optional<std::string> text = TextOf(entry_.value, integers);
  if (!text) WrongType(entry_.value, AcceptedWord(integers));
  return text;
}

std::optional<std::string> KeyReader::Path() {
  std::optional<std::string> path = Word(Integers::kRefused);
  if (path && path->find('\0') != std::string::npos) {
    Error("has a zero byte in the file's name");
    return std::nullopt;
  }
  const std::size_t slash = file_.rfind('/');
  if (path && !absl::StartsWith(*path, "/") && slash != std::string::npos)
    path->insert(0, file_, 0, slash + 1);
  return path;
}

std::vector<KeyReader::Item> KeyReader::Words(Integers integers) {
  std::vector<Item> items;
  const auto add = [&](const TomlValue &value) {
    if (std::optional<std::string> text = TextOf(value, integers))
      items.push_back({value.line, *std::move(text)});
    else
      WrongType(value, absl::StrCat(AcceptedWord(integers), ", or a list of such,"));
  };
  const auto *list = entry_.value.As<TomlArray>();
  if (list == nullptr) {
    add(entry_.value);
    return items;
  }
  if (list->empty()) Error("is an empty list; leave the key out, or say something");
  std::ranges::for_each(*list, add);
  return items;
}

std::optional<std::size_t> KeyReader::Choice(const std::vector<absl::string_view> &words) {
  const std::optional<std::string> word = Word(Integers::kRefused);
  if (!word) return std::nullopt;
  const auto found = std::ranges::find(words, *word);
  if (found != words.end()) return found - words.begin();
  Error(absl::StrCat("'", *word, "' is none of \"", absl::StrJoin(words, "\", \""), "\""));
  return std::nullopt;
}

}  // namespace srcsel
