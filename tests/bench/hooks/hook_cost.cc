#include "bench/hooks/hook_cost.hh"

#include "base/status.hh"
#include "bench/hooks/synthetic.hh"
#include "hooks/hooks.hh"
#include "image/compile.hh"

namespace srcsel::bench {

std::string NameOf(Action action) {
  switch (action) {
    case Action::kMark:
      return "mark";
    case Action::kMarked:
      return "marked";
    case Action::kSource:
      return "source";
    case Action::kTables:
      return "tables";
    case Action::kPool:
      return "pool";
    case Action::kPorts:
      return "ports";
  }
  return "?";
}

Sockets SocketsOf(Action action) {
  return action == Action::kMarked ? Sockets::kOne : Sockets::kMany;
}

absl::StatusOr<double> HookCost(Hook hook, Action action, Scale scale) {
  SRCSEL_ASSIGN_OR_RETURN(const Stage stage, Stage::Create());
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t cookie, stage.Cookie());
  const int routes = action == Action::kTables ? scale.prefixes : 0;
  SRCSEL_ASSIGN_OR_RETURN(const Image image, Compile(SyntheticHost(cookie, routes),
                                                     SyntheticPolicy(hook, action, scale), 1));
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(hooks.Publish(image.bytes()));
  SRCSEL_RETURN_IF_ERROR(hooks.Attach(stage.cgroup()));
  return stage.Time(hook, SocketsOf(action),
                    hook == Hook::kConnect ? "srcsel_connect4" : "srcsel_sendmsg4");
}

}  // namespace srcsel::bench
