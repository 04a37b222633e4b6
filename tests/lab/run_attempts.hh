// A program under `srcsel run` that opens a flow whenever it is told to (programs/attempts.py).

#pragma once

#include <string>
#include <vector>

#include "lab/process.hh"

namespace srcsel::lab {

class Attempts {
 public:
  static const std::vector<std::string> &Command() {
    static const std::vector<std::string> kCommand{"/usr/bin/python3", PROGRAMS "/attempts.py"};
    return kCommand;
  }

  explicit Attempts(Process process) : process_(std::move(process)) {}

  // What became of it: a source, "sent", or the errno's name.
  std::string Try(const std::string &way, const std::string &address) {
    if (!process_.Write(way + " " + address + "\n").ok()) return "";
    return process_.WaitForLine("").value_or("the program has ended");
  }

 private:
  Process process_;
};

}  // namespace srcsel::lab
