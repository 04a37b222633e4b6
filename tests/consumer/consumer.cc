// Asks in a namespace of its own which source a flow has, prints it, and hears of a change.

#include <poll.h>
#include <sched.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <srcsel/mirror.hh>

namespace {

std::string Source(const srcsel::Mirror &mirror) {
  srcsel::Flow flow;
  flow.destination = *srcsel::IpAddress::Parse("192.0.2.80");
  const absl::StatusOr<srcsel::Selection> selection = mirror.Select(flow);
  return selection.ok() ? selection->outcome.source.ToString() : selection.status().ToString();
}

}  // namespace

int main() {
  if (unshare(CLONE_NEWNET) != 0) return 1;
  if (std::system("ip link set lo up && ip address add 10.9.0.1/24 dev lo && "
                  "ip address add 10.9.0.2/24 dev lo && ip route add default dev lo") != 0)
    return 1;
  const auto mirror = srcsel::Mirror::Open({.threadless = true});
  if (!mirror.ok()) return std::cerr << mirror.status() << "\n", 1;
  std::cout << Source(**mirror) << "\n";
  if (std::system("ip route change default dev lo src 10.9.0.2") != 0) return 1;
  do {
    pollfd one{(*mirror)->fd(), POLLIN, 0};
    if (poll(&one, 1, 10000) != 1 || !(*mirror)->Process().ok()) return 1;
  } while ((*mirror)->generation() == 1);
  std::cout << Source(**mirror) << "\n";
}
