// Tells a service manager how far one is (sd_notify(3)'s protocol, without its library).

#pragma once

#include "absl/strings/string_view.h"

namespace srcsel {

// Sends "READY=1" and the like to NOTIFY_SOCKET. Does nothing where that is not set.
void Notify(absl::string_view state);

}  // namespace srcsel
