// The words of a policy, one at a time: as a file has them, and the command line.
//
// Numbers are as iproute2 takes them. An error says what was read and what would be accepted.
// Names (of tables, protocols, users, groups) are looked up in this host's files when they are
// read.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/policy.hh"

namespace srcsel {

// In place of a source: what the kernel would choose.
inline constexpr absl::string_view kKernelWord = "kernel";

// "10.0.0.0/8", "fd00::/8", "10.0.0.1"; without host bits.
absl::StatusOr<Prefix> PrefixOfWord(absl::string_view word);
// "tcp", "6": 1 to 255.
absl::StatusOr<std::uint8_t> ProtocolOfWord(absl::string_view word);
// "443", "8000-8099": 1 to 65535.
absl::StatusOr<Range16> PortsOfWord(absl::string_view word);
// "1000", "1000-1999", "www-data".
absl::StatusOr<Range32> UsersOfWord(absl::string_view word);
absl::StatusOr<Range32> GroupsOfWord(absl::string_view word);
// "10:1" as tc has it, in hexadecimal; "0x100001", "1048577"; "10:1-10:f".
absl::StatusOr<Range32> ClassesOfWord(absl::string_view word);
// "/system.slice/backup.service": path and level are set, the id is not.
absl::StatusOr<Cgroup> CgroupOfWord(absl::string_view word);
// 1 to 15 bytes.
absl::StatusOr<std::string> CommOfWord(absl::string_view word);
// "100", "0x64/0xff"; a mark to set, which is not 0.
absl::StatusOr<Mark> MarkOfWord(absl::string_view word);
// The same; a mark to compare with, whose mask is not 0.
absl::StatusOr<Mark> IfMarkOfWord(absl::string_view word);
// "vtab", "100".
absl::StatusOr<std::uint32_t> TableOfWord(absl::string_view word);
// "10.1.0.1", "dev eth1". What else the place takes stands in the error: "nor \"kernel\"".
absl::StatusOr<Source> SourceOfWord(absl::string_view word, absl::string_view nor = "");

// Of all sources of a rule: at most one address a family, or one interface.
absl::Status CheckTogether(const std::vector<Source> &sources);

// "10:1".
std::string ClassWord(std::uint32_t classid);
// "10.1.0.1", "dev eth1".
std::string ToString(const Source &source);

}  // namespace srcsel
