#include "absl/strings/str_cat.h"
#include "agent/up_command.hh"
#include "srcsel/doctor/checks.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

bool IsOfAnotherAbi(const UpStatus &status) {
  return status.abi != 0 && status.abi != SRCSEL_ABI_VERSION;
}

}  // namespace

Complaints CheckUp(const Facts &facts) {
  if (!facts.up.unread.empty() && facts.host.may_pin)
    return {{Gravity::kBroken,
             absl::StrCat("what srcsel up keeps cannot be read: ", facts.up.unread), ""}};
  if (!facts.up.status || IsOfAnotherAbi(*facts.up.status)) return {};
  const UpTrouble trouble = facts.up.status->Trouble();
  if (trouble.what.empty()) return {};
  return {{Gravity::kBroken, absl::StrCat("of what is up: ", trouble.what), trouble.remedy}};
}

Complaints CheckUpVersion(const Facts &facts) {
  if (!facts.up.status) return {};
  const UpStatus &status = *facts.up.status;
  if (IsOfAnotherAbi(status))
    return {{Gravity::kBroken,
             absl::StrCat("two srcsel are on this host: the hooks that are attached are those of ",
                          status.state.version.empty() ? "another" : status.state.version,
                          ", with images of version ", status.abi, "; this is ", facts.host.release,
                          ", with version ", SRCSEL_ABI_VERSION),
             AgainCommand(status.state)}};
  if (status.state.version.empty() || status.state.version == facts.host.release) return {};
  return {{Gravity::kNote,
           absl::StrCat("what is up is kept so by srcsel ", status.state.version, "; this is ",
                        facts.host.release),
           AgainCommand(status.state)}};
}

}  // namespace srcsel
