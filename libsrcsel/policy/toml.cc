#include "policy/toml.hh"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>

#include <toml++/toml.h>

namespace srcsel {
namespace {

TomlValue ValueOf(const toml::node &node);

TomlTable TableOf(const toml::table &from) {
  TomlTable table;
  for (const auto &[key, node] : from)
    table.push_back({std::string(key.str()), key.source().begin.line, ValueOf(node)});
  std::ranges::stable_sort(table, {}, &TomlEntry::line);
  return table;
}

TomlArray ArrayOf(const toml::array &from) {
  TomlArray array;
  array.reserve(from.size());
  for (const toml::node &node : from) array.push_back(ValueOf(node));
  return array;
}

TomlValue ValueOf(const toml::node &node) {
  TomlValue value{TomlDate(), node.source().begin.line};
  if (const auto *table = node.as_table())
    value.is = TableOf(*table);
  else if (const auto *array = node.as_array())
    value.is = ArrayOf(*array);
  else if (const auto *text = node.as_string())
    value.is = text->get();
  else if (const auto *integer = node.as_integer())
    value.is = integer->get();
  else if (const auto *real = node.as_floating_point())
    value.is = real->get();
  else if (const auto *boolean = node.as_boolean())
    value.is = boolean->get();
  return value;
}

}  // namespace

absl::string_view TomlValue::Kind() const {
  constexpr absl::string_view kKinds[] = {"a string", "an integer",       "a float", "a boolean",
                                          "a date",   "a list of values", "a table"};
  return kKinds[is.index()];
}

std::variant<TomlTable, TomlMistake> ReadToml(absl::string_view text) {
  const toml::parse_result result = toml::parse(std::string_view(text.data(), text.size()));
  if (result) return TableOf(result.table());
  const toml::parse_error &error = result.error();
  return TomlMistake{error.source().begin.line, std::string(error.description())};
}

}  // namespace srcsel
