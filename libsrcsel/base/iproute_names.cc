#include "base/iproute_names.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace srcsel {
namespace {

namespace fs = std::filesystem;

bool ParseNumber(absl::string_view text, std::uint32_t &number) {
  return absl::ConsumePrefix(&text, "0x") ? absl::SimpleHexAtoi(text, &number)
                                          : absl::SimpleAtoi(text, &number);
}

std::vector<std::string> FilesIn(const std::string &folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".conf") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

IprouteNames IprouteNames::Tables() {
  return {{{RT_TABLE_DEFAULT, "default"}, {RT_TABLE_MAIN, "main"}, {RT_TABLE_LOCAL, "local"}},
          "rt_tables"};
}

IprouteNames IprouteNames::Protocols() {
  return {{{RTPROT_REDIRECT, "redirect"},
           {RTPROT_KERNEL, "kernel"},
           {RTPROT_BOOT, "boot"},
           {RTPROT_STATIC, "static"},
           {RTPROT_RA, "ra"}},
          "rt_protos"};
}

IprouteNames IprouteNames::DsFields() {
  return {{}, "rt_dsfield"};
}

IprouteNames::IprouteNames(std::map<std::uint32_t, std::string> names, const std::string &file)
    : names_(std::move(names)) {
  std::error_code error;
  const std::string own = "/etc/iproute2/" + file;
  Read(fs::exists(own, error) ? own : "/usr/share/iproute2/" + file);
  for (const std::string &path : FilesIn(own + ".d")) Read(path);
}

void IprouteNames::Read(const std::string &path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "re"),
                                                              std::fclose);
  char line[512];
  while (file && std::fgets(line, sizeof(line), file.get()) != nullptr) {
    const absl::string_view whole(line), text = whole.substr(0, whole.find('#'));
    const std::vector<absl::string_view> words =
        absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
    std::uint32_t number;
    if (words.size() >= 2 && ParseNumber(words[0], number)) names_[number] = std::string(words[1]);
  }
}

std::string IprouteNames::NameOf(std::uint32_t number) const {
  const auto found = names_.find(number);
  return found == names_.end() ? "" : found->second;
}

std::optional<std::uint32_t> IprouteNames::NumberOf(absl::string_view name) const {
  for (const auto &[number, own] : names_)
    if (own == name) return number;
  return std::nullopt;
}

}  // namespace srcsel
