// What the reasons of decisions mean, for who reads one in explain, trace, status or stats.
//
// The words are those of <srcsel/abi.h>, which all of these print (counts.hh); what is said here of
// each is the section REASONS of srcsel(8).

#pragma once

#include <string>

#include <srcsel/abi.h>

namespace srcsel {

// A sentence or two, without a capital.
std::string ReasonMeaning(srcsel_reason reason);

}  // namespace srcsel
