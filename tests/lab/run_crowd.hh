// What crowd (programs/crowd.c) reports of its connections.

#pragma once

#include <map>
#include <string>
#include <vector>

namespace srcsel::lab {

struct Attempt {
  std::string destination;  // "192.0.2.80 80"
  std::string source;       // empty if it failed
  int port = 0;
  std::string error;  // "EADDRNOTAVAIL"
};

// Every line of an attempt in the output; others are passed over.
std::vector<Attempt> AttemptsIn(const std::string &output);

// How many of them ended so: by error, "" for those that succeeded.
std::map<std::string, int> Outcomes(const std::vector<Attempt> &attempts);

// Whether no two connections have destination, source and port alike.
bool AllDiffer(const std::vector<Attempt> &attempts);

}  // namespace srcsel::lab
