#include "api/prepare.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "api/convert.hh"
#include "api/error.hh"
#include "api/socket_flow.hh"

namespace srcsel::api {
namespace {

// Since Linux 6.3; Debian 12's headers are of 6.1.
constexpr int kIpLocalPortRange = 51;

class Preparer {
 public:
  Preparer(const Mirror &mirror, int fd, const srcsel_prepare_options &options)
      : mirror_(mirror), fd_(fd), options_(options) {}

  int Run(const srcsel_sockaddr &destination) {
    if (const int error = ReadSocketFlow(fd_, destination, socket_)) return error;
    bool bind = options_.flags & SRCSEL_PREPARE_BIND;
    if (options_.mark != 0 && flow().mark == 0) {
      if (const int error = Mark(bind)) return error;
      flow().mark = options_.mark;
    }
    if (const int error = SetPorts()) return error;
    if (const int error = bind ? BindSource() : 0) return error;
    return set_;
  }

  absl::StatusOr<Selection> Select() const { return mirror_.Select(flow()); }

 private:
  Flow &flow() { return socket_.flow; }
  const Flow &flow() const { return socket_.flow; }

  // Whether to bind instead is written to `bind`.
  int Mark(bool &bind) {
    if (bind) return 0;
    if (setsockopt(fd_, SOL_SOCKET, SO_MARK, &options_.mark, sizeof(options_.mark)) == 0)
      set_ |= SRCSEL_SET_MARK;
    else if (errno == EPERM)
      bind = true;
    else
      return RefuseErrno("set SO_MARK");
    return 0;
  }

  int SetPorts() {
    if (options_.port_last == 0 || flow().sport != 0) return 0;
    const std::uint32_t range = std::uint32_t{options_.port_last} << 16 | options_.port_first;
    if (setsockopt(fd_, IPPROTO_IP, kIpLocalPortRange, &range, sizeof(range)) != 0)
      return RefuseErrno("set IP_LOCAL_PORT_RANGE (Linux 6.3 or later)");
    set_ |= SRCSEL_SET_PORTS;
    return 0;
  }

  int BindSource() {
    if (!flow().source.IsUnspecified() || flow().sport != 0) return 0;
    const absl::StatusOr<Selection> selection = Select();
    if (!selection.ok()) return Refuse(selection.status());
    const std::optional<Outcome> outcome = Agreed(*selection);
    if (!outcome || outcome->source.IsUnspecified()) return 0;
    const int on = 1;
    if (setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0)
      return RefuseErrno("set IP_BIND_ADDRESS_NO_PORT");
    const srcsel_sockaddr name = NameOf(*outcome);
    const socklen_t size = socket_.family == AF_INET ? sizeof(name.v4) : sizeof(name.v6);
    if (bind(fd_, &name.any, size) != 0)
      return RefuseErrno("bind to " + outcome->source.ToString());
    set_ |= SRCSEL_SET_SOURCE;
    return 0;
  }

  // The outcome, if the flow leaves from the same source by any that is possible.
  static std::optional<Outcome> Agreed(const Selection &selection) {
    const Outcome &first = selection.outcome;
    if (first.error != 0 || !selection.complete) return std::nullopt;
    const bool agreed =
        std::all_of(selection.candidates.begin(), selection.candidates.end(),
                    [&](const Outcome &c) { return c.error == 0 && c.source == first.source; });
    return agreed ? std::optional(first) : std::nullopt;
  }

  srcsel_sockaddr NameOf(const Outcome &outcome) const {
    srcsel_sockaddr name = ToSockaddr(outcome.source);
    if (socket_.family == AF_INET) return name;
    if (outcome.source.is_v4()) {
      const in_addr v4 = name.v4.sin_addr;
      name = srcsel_sockaddr{};
      name.v6.sin6_family = AF_INET6;
      name.v6.sin6_addr.s6_addr[10] = name.v6.sin6_addr.s6_addr[11] = 0xff;
      std::memcpy(&name.v6.sin6_addr.s6_addr[12], &v4, sizeof(v4));
    } else if (outcome.source.IsLinkLocal()) {
      name.v6.sin6_scope_id = outcome.oif;
    }
    return name;
  }

  const Mirror &mirror_;
  const int fd_;
  const srcsel_prepare_options &options_;
  SocketFlow socket_;
  int set_ = 0;
};

int Check(const srcsel_prepare_options &options) {
  if (options.flags & ~SRCSEL_PREPARE_BIND)
    return Refuse(EINVAL, "prepare a socket: unknown flags");
  if ((options.port_first == 0) != (options.port_last == 0) ||
      options.port_first > options.port_last)
    return Refuse(EINVAL, "prepare a socket: no such range of ports");
  return 0;
}

}  // namespace

Preparation Prepare(const Mirror &mirror, int fd, const srcsel_sockaddr &destination,
                    const srcsel_prepare_options &options, bool select) {
  if (const int error = Check(options)) return {error, {}};
  Preparer preparer(mirror, fd, options);
  const int set = preparer.Run(destination);
  if (set < 0 || !select) return {set, {}};
  absl::StatusOr<Selection> selection = preparer.Select();
  if (!selection.ok()) return {Refuse(selection.status()), {}};
  return {set, *std::move(selection)};
}

}  // namespace srcsel::api
