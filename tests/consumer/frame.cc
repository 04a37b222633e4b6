// The same as frame.c, in C++: the answer that the example gets.

#include <sched.h>

#include <cstdlib>
#include <iostream>

#include "example_includes.h"

int main() {
  if (unshare(CLONE_NEWNET) != 0) return 1;
  if (std::system("ip link set lo up && ip address add 10.9.0.1/24 dev lo && "
                  "ip address add 10.9.0.2/24 dev lo && "
                  "ip route add default dev lo src 10.9.0.1 && "
                  "ip route add default dev lo src 10.9.0.2 table 100 && "
                  "ip rule add fwmark 100 table 100") != 0)
    return 1;

#include "example.inc"

  if (!selection.ok() || !selection->exact()) return 1;
  std::cout << selection->outcome.source.ToString() << "\n";
}
