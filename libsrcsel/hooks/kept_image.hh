// The image that kept hooks decide on, read in place.

#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "hooks/pins.hh"
#include <srcsel/abi.h>

namespace srcsel {

// Move-only owner of a mapping: the pages stay as they are, whatever is published afterwards.
class KeptImage {
 public:
  // kNotFound if none has been published. It may be of another version: ask before reading more
  // than its first words.
  static absl::StatusOr<KeptImage> Open(const Pins &pins);

  // Of this srcsel's own form.
  bool IsOurs() const {
    return header().magic == SRCSEL_ABI_MAGIC && header().version == SRCSEL_ABI_VERSION;
  }
  const srcsel_header &header() const { return *static_cast<const srcsel_header *>(pages_.get()); }
  // Rows of the policy; the image must be ours.
  std::span<const srcsel_policy> policy() const;

 private:
  struct Unmap {
    std::size_t size = 0;
    void operator()(void *pages) const;
  };
  explicit KeptImage(std::unique_ptr<void, Unmap> pages) : pages_(std::move(pages)) {}

  std::unique_ptr<void, Unmap> pages_;
};

}  // namespace srcsel
