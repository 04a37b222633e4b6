#include "others_words.h"

#include "counts.h"
#include "raw.h"

int srcsel_is_excluded(const struct srcsel_environment *environment,
                       const struct srcsel_flow *flow) {
  const __u32 address = (__u32)(flow->dst.hi >> 32);

  if (flow->family != SRCSEL_V4) return 0;
  for (int i = 0; i < environment->excludes; ++i)
    if ((address & environment->exclude[i].mask) == environment->exclude[i].address) return 1;
  return 0;
}

void srcsel_bind_device(const struct srcsel_environment *environment,
                        const struct srcsel_socket *socket,
                        const struct srcsel_decision *decision) {
  const __u32 why = decision->reason;

  if (!environment->device[0]) return;
  if (why != SRCSEL_WHY_MARK && why != SRCSEL_WHY_SOURCE && why != SRCSEL_WHY_TABLE) return;
  if (SRCSEL_RAW5(SYS_setsockopt, socket->fd, SOL_SOCKET, SO_BINDTODEVICE, environment->device,
                  sizeof(environment->device)))
    srcsel_count(SRCSEL_WHY_REFUSED);
}
