// A fixture for the points of the kernel's choice that are easy to get wrong, each of which has a
// test of its own by its number.
//
// The test's host has two uplinks, v0 (10.0.0.1/24, fd00::1/64) with the default route of table
// main and v1 (10.1.0.1/24, fd01::1/64) with that of table 101, and lives in a network namespace
// that the test's thread is in. A flow is put to the kernel and to the library: they must agree,
// and the answer is the kernel's, in words: "v0 10.0.0.1" is the way out and the source, and
// "ENETUNREACH" an error.

#pragma once

#include <fcntl.h>
#include <netinet/in.h>

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/fd.hh"
#include "differential/hosts/live_host.hh"
#include "differential/hosts/reading.hh"
#include "differential/oracle.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

class Traps : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Commands as LiveHost takes them, none of which the kernel may refuse.
  void Do(const std::vector<std::string> &commands);
  void MakeUplinks();
  // Makes x<index>, which is up and has no address.
  static std::vector<std::string> Veth(int index);

  static Flow Udp(absl::string_view to);
  static Flow Tcp(absl::string_view to);
  static IpAddress Address(absl::string_view text) { return IpAddress::Parse(text).value(); }
  std::uint32_t Index(const std::string &link) const;

  // By a socket, and Select().
  std::string Dial(const Flow &flow);
  // By RTM_GETROUTE, and Lookup().
  std::string Ask(const Flow &flow);
  // The same where the library cannot know: the kernel's answer is among its candidates, if those
  // can be named.
  std::string DialUnsure(const Flow &flow, Ambiguity why);
  // The kernel alone, or the library alone.
  absl::StatusOr<Outcome> AskKernel(const Flow &flow);
  Outcome OursOf(const Flow &flow) const;       // Lookup()
  std::string Predict(const Flow &flow) const;  // Select(), exact

  const State &state() const { return reading_->state(); }
  const LiveHost &host() const { return *host_; }

 private:
  std::string NameOf(std::uint32_t index) const;
  std::string Words(const Outcome &outcome) const;
  std::string Words(const Connected &connected) const;

  Fd home_;
  std::optional<LiveHost> host_;
  std::optional<RouteOracle> kernel_;
  std::optional<Reading> reading_;
};

}  // namespace srcsel
