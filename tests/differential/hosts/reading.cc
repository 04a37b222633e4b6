#include "differential/hosts/reading.hh"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/status.hh"

namespace srcsel {

absl::StatusOr<Reading> Reading::Open() {
  SRCSEL_ASSIGN_OR_RETURN(Follower follower, Follower::Open());
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  Reading reading(std::move(follower), std::move(reader));
  SRCSEL_RETURN_IF_ERROR(reading.Again());
  return reading;
}

absl::Status Reading::Again() {
  SRCSEL_RETURN_IF_ERROR(follower_.Drain(gateways_).status());
  SRCSEL_ASSIGN_OR_RETURN(State state, reader_.Read());
  gateways_ = Gateways(state);
  SRCSEL_ASSIGN_OR_RETURN(snapshot_, Snapshot::Make(std::move(state), 1));
  ReadMtus();
  return absl::OkStatus();
}

absl::StatusOr<bool> Reading::Holds() const {
  SRCSEL_ASSIGN_OR_RETURN(const Changes changes, follower_.Drain(gateways_));
  return !changes.any();
}

int Reading::MtuOf(std::uint32_t ifindex) const {
  const auto found = mtus_.find(ifindex);
  return found == mtus_.end() ? 0 : found->second;
}

void Reading::ReadMtus() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  mtus_.clear();
  for (const Link &link : state().links) {
    ifreq request{};
    std::strncpy(request.ifr_name, link.name.c_str(), IFNAMSIZ - 1);
    if (ioctl(socket.get(), SIOCGIFMTU, &request) == 0) mtus_[link.index] = request.ifr_mtu;
  }
}

}  // namespace srcsel
