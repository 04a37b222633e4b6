// Whether a command is a program that the preload reaches.
//
// It is not where the program is static, for another processor, or runs with other privileges than
// the caller's (set-uid, set-gid, file capabilities), for then the loader looks at no LD_PRELOAD.
// Behind "#!" it is the interpreter that counts. What cannot be found or read is exec()'s to
// refuse.

#pragma once

#include <string>

#include "absl/status/status.h"

namespace srcsel {

// The file that execvp() would run for the word; empty if there is none.
std::string FindProgram(const std::string &word);

// kFailedPrecondition with the reason. `library` is the preload itself.
absl::Status CheckReach(const std::string &program, const std::string &library);

}  // namespace srcsel
