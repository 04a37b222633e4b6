// The words of `ip route get`, as the question they ask.
//
// The table of them is what is taken, and what help, the man page, completion and errors name. In
// any order; of a word said twice the last counts. Numbers are as `ip` takes them: decimal, or
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
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include <srcsel/flow.hh>

namespace srcsel {

// A word that a value goes behind, as help tells it; without help: another name for the one before.
struct WordHelp {
  absl::string_view name, value, help;
};

// `besides`: what the caller takes besides, to be named where a word is not known.
absl::StatusOr<Flow> FlowOfWords(const std::vector<std::string> &words,
                                 absl::Span<const WordHelp> besides = {});

// All that FlowOfWords() knows, and those.
std::vector<WordHelp> FlowWords(absl::Span<const WordHelp> besides = {});

// "to", "from", "oif" ...
std::vector<std::string> NamesOf(absl::Span<const WordHelp> words);

// Lines of --help: "  oif IF, dev IF       the interface it is bound to".
std::string HelpOf(absl::Span<const WordHelp> words);

}  // namespace srcsel
