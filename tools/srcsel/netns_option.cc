#include "netns_option.hh"

#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel {

void AddNetnsOption(CLI::App &verb, std::string &name, const std::string &help) {
  verb.add_option("--netns", name, help)
      ->type_name("NAME|PATH")
      ->check([](const std::string &given) {
        return given.empty() ? "NAME|PATH is empty; leave the option out to stay here" : "";
      });
}

absl::Status EnterNetnsOption(const std::string &name) {
  if (name.empty()) return absl::OkStatus();
  SRCSEL_ASSIGN_OR_RETURN(const Fd netns, OpenNetns(name));
  return EnterNetns(netns);
}

}  // namespace srcsel
