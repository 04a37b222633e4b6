#include "hooks/kept_image.hh"

#include <sys/mman.h>
#include <bpf/bpf.h>

#include <cerrno>

namespace srcsel {

void KeptImage::Unmap::operator()(void *pages) const {
  munmap(pages, size);
}

absl::StatusOr<KeptImage> KeptImage::Open(const Pins &pins) {
  const Fd images = pins.Map("images");
  const __u32 slot = 0;
  __u32 id = 0;
  if (!images || bpf_map_lookup_elem(images.get(), &slot, &id) != 0)
    return absl::NotFoundError("no image has been published");
  const Fd map(bpf_map_get_fd_by_id(id));
  bpf_map_info info{};
  __u32 length = sizeof(info);
  if (!map || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0)
    return absl::ErrnoToStatus(errno, "open the image in force");
  const std::size_t size = std::size_t{info.max_entries} * info.value_size;
  if (size < sizeof(srcsel_header)) return absl::DataLossError("the image in force has no header");
  void *pages = mmap(nullptr, size, PROT_READ, MAP_SHARED, map.get(), 0);
  if (pages == MAP_FAILED) return absl::ErrnoToStatus(errno, "map the image in force");
  return KeptImage(std::unique_ptr<void, Unmap>(pages, Unmap{size}));
}

std::span<const srcsel_policy> KeptImage::policy() const {
  const srcsel_section &section = header().policy;
  const auto *bytes = static_cast<const std::byte *>(pages_.get());
  return {reinterpret_cast<const srcsel_policy *>(bytes + std::size_t{section.page} * SRCSEL_PAGE),
          section.count};
}

}  // namespace srcsel
