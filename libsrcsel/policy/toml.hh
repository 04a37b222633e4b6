// A TOML 1.0 file as a tree of values that know their lines, read by toml++.
//
// toml++ is seen by toml.cc alone: reading its headers takes longer than compiling the rest of this
// room. Pure and thread-safe. Cost: linear; about 1 us a value.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace srcsel {

struct TomlEntry;
struct TomlValue;
using TomlArray = std::vector<TomlValue>;
using TomlTable = std::vector<TomlEntry>;  // in the order of the file, no key twice

// A date or a time: nothing here wants one.
struct TomlDate {};

struct TomlValue {
  std::variant<std::string, std::int64_t, double, bool, TomlDate, TomlArray, TomlTable> is;
  std::uint32_t line = 0;  // from 1

  template <typename T>
  const T *As() const {
    return std::get_if<T>(&is);
  }
  // What was read, for people: "a string", "a table".
  absl::string_view Kind() const;
};

struct TomlEntry {
  std::string key;
  std::uint32_t line = 0;  // of the key
  TomlValue value;
};

struct TomlMistake {
  std::uint32_t line = 0;
  std::string what;
};

// The table of the whole file, or the one mistake that ended the reading of it.
std::variant<TomlTable, TomlMistake> ReadToml(absl::string_view text);

}  // namespace srcsel
