// srcsel_prepare(): what is said of it in <srcsel/srcsel.h>.

#pragma once

#include <srcsel/mirror.hh>
#include <srcsel/srcsel.h>

namespace srcsel::api {

struct Preparation {
  int set = 0;          // SRCSEL_SET_*, or -errno
  Selection selection;  // by which it was decided; empty unless it was asked for
};

Preparation Prepare(const Mirror &mirror, int fd, const srcsel_sockaddr &destination,
                    const srcsel_prepare_options &options, bool select);

}  // namespace srcsel::api
