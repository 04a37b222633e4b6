#include "srcsel/doctor/mark_users.hh"

#include <algorithm>
#include <variant>

namespace srcsel {
namespace {

struct Convention {
  const char *name;
  Mark mark;  // value 0: any
};
// Tailscale's bits are pbr's too, with values of their own.
constexpr Convention kConventions[] = {
    {"Tailscale", {0x40000, 0xff0000}},
    {"Tailscale", {0x80000, 0xff0000}},
    {"pbr", {0, 0xff0000}},
    {"mwan3", {0, 0x3f00}},
    {"Cilium", {0, 0xf00}},
    {"Mullvad", {0x6d6f6c65, 0xffffffff}},
};

void AddOnce(std::vector<Mark> &marks, Mark mark) {
  if (mark.value != 0 && std::ranges::find(marks, mark) == marks.end()) marks.push_back(mark);
}

void AddMarks(const NfStep &step, std::vector<Mark> &marks) {
  const auto *set = std::get_if<NfSetMark>(&step);
  if (set != nullptr && !set->of_connection && set->value.connection == 0)
    AddOnce(marks, {set->value.constant & ~set->value.packet, ~set->value.packet});
}

std::vector<Mark> SeenMarks(const NetworkFacts &network) {
  std::vector<Mark> marks;
  for (const Rule &rule : network.state.rules)
    AddOnce(marks, {rule.mark & rule.mark_mask, rule.mark_mask});
  for (const NfTable &table : network.firewall.tables)
    for (const auto &[name, chain] : table.chains)
      for (const NfRule &rule : chain.rules)
        for (const NfStep &step : rule.steps) AddMarks(step, marks);
  return marks;
}

}  // namespace

std::vector<MarkUser> MarkUsers(const NetworkFacts &network) {
  std::vector<MarkUser> users;
  for (Mark mark : SeenMarks(network)) {
    const auto *known = std::ranges::find_if(kConventions, [&](const Convention &convention) {
      return convention.mark.mask == mark.mask &&
             (convention.mark.value == 0 || convention.mark.value == mark.value);
    });
    if (known != std::end(kConventions)) users.push_back({known->name, mark});
  }
  const bool has_pbr = std::ranges::find(users, "pbr", &MarkUser::name) != users.end();
  for (MarkUser &user : users)
    if (has_pbr && user.name == "Tailscale") user.name = "pbr";
  return users;
}

bool IsOf(const std::vector<MarkUser> &users, Mark mark) {
  return std::ranges::find(users, mark, &MarkUser::mark) != users.end();
}

}  // namespace srcsel
