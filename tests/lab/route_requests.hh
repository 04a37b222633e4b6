// What a program asks the kernel about routes, counted by strace.
//
// Requests for a route: to list all carries NLM_F_DUMP, to look one up does not. A list shows the
// first of several IPv6 routes of one prefix whole, of the others less; they are read one by one,
// by RTM_F_FIB_MATCH.

#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace srcsel::lab {

struct RouteRequests {
  int lists = 0, reads = 0, lookups = 0;
};

// strace, in the program's network namespace; behind it the program, or "-p" and its pid.
inline std::vector<std::string> TraceRequests(const std::string &file,
                                              const std::vector<std::string> &program) {
  std::vector<std::string> words = {"strace", "-f", "-e", "trace=sendto,sendmsg", "-o", file};
  words.insert(words.end(), program.begin(), program.end());
  return words;
}

inline RouteRequests RequestsIn(const std::string &trace) {
  RouteRequests requests;
  std::ifstream file(trace);
  for (std::string line; std::getline(file, line);) {
    if (!absl::StrContains(line, "RTM_GETROUTE")) continue;
    ++(absl::StrContains(line, "NLM_F_DUMP")        ? requests.lists
       : absl::StrContains(line, "RTM_F_FIB_MATCH") ? requests.reads
                                                    : requests.lookups);
  }
  return requests;
}

}  // namespace srcsel::lab
