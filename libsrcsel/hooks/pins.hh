// The hooks of an `up` as files of a bpffs: what stays when the process that loaded them does not.
//
//   links/NAME     a program's attachment to the cgroup: it lasts as long as the file
//   programs/NAME  the program, for who attaches it elsewhere (systemd's BPFProgram=)
//   maps/NAME      what it reads and writes
//
// Contract: the directory is root's and closed to all others. One process changes it at a time
// (the caller's lock); any number may read. A file is replaced whole. Not thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

// An attachment as the kernel has it.
struct KeptLink {
  std::uint32_t id = 0;
  std::string name = {};      // "connect4"; empty: not by where it is pinned
  std::uint32_t program = 0;  // id
  std::uint64_t cgroup = 0;   // id; 0: the cgroup has been removed
};

class Pins {
 public:
  // Makes what is missing; mounts a bpffs on the directory above if there is none.
  static absl::StatusOr<Pins> Make(const std::string &path);
  // kNotFound if there is none.
  static absl::StatusOr<Pins> Open(const std::string &path);
  // Of what another process sees below its root (/proc/PID/root): follows no symbolic link on the
  // way, and stays with what it has found, whatever is mounted or renamed there afterwards.
  static absl::StatusOr<Pins> OpenBelow(const Fd &root, const std::string &path);

  // Empty if there is no such file.
  Fd Link(absl::string_view name) const { return Get("links", name); }
  Fd Map(absl::string_view name) const { return Get("maps", name); }

  // Puts the object under that name, in place of what is there.
  absl::Status PinLink(absl::string_view name, const Fd &link) const;
  absl::Status PinMap(absl::string_view name, int map) const;
  absl::Status PinProgram(absl::string_view name, int program) const;

  // All that are pinned.
  absl::StatusOr<std::vector<KeptLink>> Links() const;

  // Detaches the program of that name, and removes it and its link.
  absl::Status RemoveHook(absl::string_view name) const;

  // Detaches all programs and removes everything; what is gone already is fine.
  absl::Status Remove() const;

 private:
  explicit Pins(std::string path) : path_(std::move(path)) {}

  Fd Get(absl::string_view kind, absl::string_view name) const;
  absl::Status Drop(absl::string_view kind, absl::string_view name) const;
  absl::Status Put(absl::string_view kind, absl::string_view name, int object) const;

  std::string path_;
  Fd above_;  // the directory that path_ leads through, where it is seen below another root
};

bool IsBpffs(const std::string &path);

// Of a descriptor of a link. kFailedPrecondition if it attaches nothing to a cgroup.
absl::StatusOr<KeptLink> DescribeLink(const Fd &link);
// Of a link by its id, wherever it is pinned: ids are not given a second time. kNotFound: it is
// gone. Needs CAP_SYS_ADMIN.
absl::StatusOr<KeptLink> DescribeLink(std::uint32_t id);

}  // namespace srcsel
