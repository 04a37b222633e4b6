// The fewest commands that still show what a list of them shows.

#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

namespace srcsel {

// Drops commands while `shows(rest)` is true: halves first, then ever smaller parts, then one by
// one, until no single one can go. Cost: some n log n calls if few are needed.
template <typename F>
std::vector<std::string> Shrink(std::vector<std::string> commands, F shows) {
  for (std::size_t size = (commands.size() + 1) / 2; size > 0;) {
    bool dropped = false;
    for (std::size_t at = 0; at < commands.size();) {
      const std::size_t end = std::min(at + size, commands.size());
      std::vector<std::string> rest(commands.begin(),
                                    commands.begin() + static_cast<std::ptrdiff_t>(at));
      std::copy(commands.begin() + static_cast<std::ptrdiff_t>(end), commands.end(),
                std::back_inserter(rest));
      if (shows(rest))
        commands = std::move(rest), dropped = true;
      else
        at = end;
    }
    if (size > 1)
      size = (size + 1) / 2;
    else if (!dropped)
      size = 0;
  }
  return commands;
}

}  // namespace srcsel
