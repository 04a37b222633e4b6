// Whether the kernel has a hook, found out by trying: a program that does nothing is loaded for it.
// For this room alone.

#pragma once

#include "hooks/hook_list.hh"

namespace srcsel {

bool KernelHas(const Hook &hook);

}  // namespace srcsel
