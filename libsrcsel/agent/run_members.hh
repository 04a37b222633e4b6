// Which processes belong to a run under the preload.
//
// There is no cgroup to ask. A process belongs to the run if its environment names the run's image
// (children inherit it; exec() keeps it), or if it has that image mapped (the preload maps it as a
// program starts; so programs that write over their environment are found too). Who has neither has
// no use for the image. Processes of other users that the caller may not look at are not seen.
//
// A process that is forked while /proc is read may be missed, but not its parent; so, who waits for
// all to end asks again when those found have ended, and believes "none" the second time.
//
// Cost: two files of /proc a process, 50 us.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srcsel {

// Those of the run whose directory this is, but not the caller.
std::vector<pid_t> RunMembers(const std::string &directory);

}  // namespace srcsel
