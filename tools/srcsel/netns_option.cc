#include "netns_option.hh"

namespace srcsel {

void AddNetnsOption(CLI::App &verb, std::string &name, const std::string &help) {
  verb.add_option("--netns", name, help)
      ->type_name("NAME|PATH")
      ->check([](const std::string &given) {
        return given.empty() ? "NAME|PATH is empty; leave the option out to stay here" : "";
      });
}

}  // namespace srcsel
