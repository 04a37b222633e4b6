// The words of `ip route get`, as the question they ask.
//
//   ADDR [from A] [iif lo] [oif IF | dev IF] [mark M] [uid U] [ipproto P] [sport S] [dport D]
//        [tos T] [flowlabel L]
//
// In any order; of a word said twice the last counts. Numbers are as `ip` takes them: decimal, or
// hexadecimal after 0x; of tos, hexadecimal with or without, or a name of iproute2's rt_dsfield.
// What is not said is as the kernel has it: protocol UDP in IPv4 and none in IPv6, the caller's
// uid.
//
// Errors name the word, what is wrong with it, and what would be accepted. An interface is looked
// up in the calling thread's network namespace.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <srcsel/flow.hh>

namespace srcsel {

absl::StatusOr<Flow> FlowOfWords(const std::vector<std::string> &words);

// Those that a value goes behind: "to", "from", "iif" ...
std::vector<std::string> FlowWords();

}  // namespace srcsel
