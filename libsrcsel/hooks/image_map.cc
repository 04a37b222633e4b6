#include "hooks/image_map.hh"

#include <sys/mman.h>
#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include <srcsel/abi.h>

namespace srcsel {

absl::StatusOr<Fd> MakeImageMap(std::span<const std::byte> image) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
  Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "srcsel_pages", sizeof(__u32), SRCSEL_PAGE,
                        static_cast<__u32>(image.size() / SRCSEL_PAGE), &options));
  if (!map) return absl::ErrnoToStatus(errno, "create a map for the image");
  void *pages = mmap(nullptr, image.size(), PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (pages == MAP_FAILED) return absl::ErrnoToStatus(errno, "map the image's pages");
  std::memcpy(pages, image.data(), image.size());
  munmap(pages, image.size());
  return map;
}

}  // namespace srcsel
