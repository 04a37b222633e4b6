#include "agent/executable.hh"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/fd.hh"

namespace srcsel {
namespace {

constexpr int kInterpreters = 5;  // as many as the kernel follows

bool IsProgram(const std::string &path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && access(path.c_str(), X_OK) == 0;
}

absl::Status Unreached(const std::string &program, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(program, " ", why));
}

// Programs that are run with more than the caller's privileges. Root has no more to gain.
absl::Status CheckPrivileges(const std::string &program) {
  struct stat file;
  if (geteuid() == 0 || stat(program.c_str(), &file) != 0) return absl::OkStatus();
  const char *why = nullptr;
  if (file.st_mode & S_ISUID && file.st_uid != geteuid()) why = "set-uid";
  if (file.st_mode & S_ISGID && file.st_mode & S_IXGRP && file.st_gid != getegid()) why = "set-gid";
  if (getxattr(program.c_str(), "security.capability", nullptr, 0) > 0)
    why = "given file capabilities";
  if (why == nullptr) return absl::OkStatus();
  return Unreached(program, absl::StrCat("is ", why, ": such programs load no preload"));
}

std::optional<Elf64_Ehdr> ReadHeader(const Fd &fd) {
  Elf64_Ehdr header{};
  if (pread(fd.get(), &header, sizeof(header), 0) < static_cast<ssize_t>(EI_NIDENT) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return std::nullopt;
  return header;
}

bool IsDynamic(const Fd &fd, const Elf64_Ehdr &header) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    const auto at = static_cast<off_t>(header.e_phoff + i * sizeof(part));
    if (pread(fd.get(), &part, sizeof(part), at) != sizeof(part)) return false;
    if (part.p_type == PT_INTERP) return true;
  }
  return false;
}

absl::Status CheckElf(const std::string &program, const Fd &fd, const Elf64_Ehdr &header,
                      const std::string &library) {
  const auto own = ReadHeader(Fd(open(library.c_str(), O_RDONLY | O_CLOEXEC)));
  if (!own) return absl::NotFoundError(absl::StrCat("find ", library));
  if (header.e_ident[EI_CLASS] != own->e_ident[EI_CLASS] ||
      header.e_ident[EI_DATA] != own->e_ident[EI_DATA] || header.e_machine != own->e_machine)
    return Unreached(program, absl::StrCat("is for another processor than ", library));
  if (!IsDynamic(fd, header)) return Unreached(program, "is static: it loads no preload");
  return absl::OkStatus();
}

// The program behind "#!"; empty if the file does not begin so.
std::string Interpreter(const Fd &fd) {
  char line[256] = {};
  const ssize_t size = pread(fd.get(), line, sizeof(line) - 1, 0);
  absl::string_view text(line, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (!absl::ConsumePrefix(&text, "#!")) return "";
  text = absl::StripLeadingAsciiWhitespace(text.substr(0, text.find('\n')));
  return std::string(text.substr(0, text.find_first_of(" \t")));
}

}  // namespace

std::string FindProgram(const std::string &word) {
  if (word.find('/') != std::string::npos) return word;
  const char *path = std::getenv("PATH");
  for (absl::string_view folder : absl::StrSplit(path != nullptr ? path : "/bin:/usr/bin", ':')) {
    std::string program = absl::StrCat(folder.empty() ? "." : folder, "/", word);
    if (IsProgram(program)) return program;
  }
  return "";
}

absl::Status CheckReach(const std::string &program, const std::string &library) {
  std::string next = program;
  for (int i = 0; i < kInterpreters; ++i) {
    if (absl::Status status = CheckPrivileges(next); !status.ok()) return status;
    const Fd fd(open(next.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return absl::OkStatus();
    if (const auto header = ReadHeader(fd)) return CheckElf(next, fd, *header, library);
    next = Interpreter(fd);
    if (next.empty()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace srcsel
