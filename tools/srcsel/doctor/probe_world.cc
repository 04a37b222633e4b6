#include "srcsel/doctor/probe_world.hh"

#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/status.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

constexpr char kMarkedTable[] = "200";

std::string Lines(const ProbeAddresses &a) {
  std::string lines = a.family == AF_INET ? "link set lo up\n" : "";
  for (const char *address : {a.plain, a.chosen, a.marked, a.bound})
    absl::StrAppend(&lines, "address add ", address, " dev lo scope global",
                    a.family == AF_INET ? "" : " nodad", "\n");
  const std::string peer = absl::StrCat("route add local ", a.peer, " dev lo src ");
  absl::StrAppend(&lines, peer, a.plain, " table main\n");
  absl::StrAppend(&lines, peer, a.marked, " table ", kMarkedTable, "\n");
  absl::StrAppend(&lines, "rule add fwmark ", kProbeMark, " table ", kMarkedTable, "\n");
  return lines;
}

absl::Status IpBatch(const ProbeAddresses &addresses) {
  const std::string lines = Lines(addresses);
  const Fd file(memfd_create("srcsel-probe", MFD_CLOEXEC));
  if (!file || write(file.get(), lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()))
    return absl::ErrnoToStatus(errno, "write lines for ip");
  return RunProgram({"ip", addresses.family == AF_INET ? "-4" : "-6", "-batch",
                     absl::StrCat("/proc/", getpid(), "/fd/", file.get())})
      .status();
}

PolicyRule To(std::uint8_t proto, std::uint16_t port) {
  PolicyRule rule;
  rule.name = absl::StrCat("probe of port ", port);
  rule.protos = {proto};
  rule.dports = {{port, port}};
  return rule;
}

}  // namespace

absl::Status EnterProbeWorld() {
  if (unshare(CLONE_NEWNET) != 0) return absl::ErrnoToStatus(errno, "make a network namespace");
  SRCSEL_RETURN_IF_ERROR(IpBatch(kProbe4));
  return HasFamily(kProbe6) ? IpBatch(kProbe6) : absl::OkStatus();
}

bool HasFamily(const ProbeAddresses &addresses) {
  return static_cast<bool>(Fd(socket(addresses.family, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
}

Policy ProbePolicy() {
  PolicyRule created;
  created.name = "probe of create";
  created.comms = {kCreator};
  created.mark = Mark{kProbeMark};
  PolicyRule marked = To(IPPROTO_TCP, kMarkPort);
  marked.mark = Mark{kProbeMark};
  PolicyRule connected = To(IPPROTO_TCP, kSourcePort), sent = To(IPPROTO_UDP, kSourcePort);
  for (const ProbeAddresses &a : {kProbe4, kProbe6})
    for (PolicyRule *rule : {&connected, &sent})
      rule->sources.emplace_back(IpAddress::Parse(a.chosen).value());
  return {{created, marked, connected, sent}};
}

}  // namespace srcsel
