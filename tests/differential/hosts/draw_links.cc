// Links of several drivers, some without a carrier or set down, created in another order than that
// of their indexes. Each has an MTU of its own, by which a socket tells its way out.

#include <algorithm>

#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

constexpr unsigned kFirstIndex = 10, kIndexes = 20;

class LinkDrawer {
 public:
  explicit LinkDrawer(Sketch &host) : host_(host) {
    for (unsigned i = 0; i < kIndexes; ++i)
      indexes_.insert(indexes_.begin() + host.draw.Below(i + 1), kFirstIndex + i);
  }

  void Draw() {
    host_.Add("ip link set lo mtu 16000 up");
    const unsigned pairs = 2 + host_.draw.Below(2);
    for (unsigned i = 0; i < pairs; ++i)
      host_.Add("ip link add ", Next(absl::StrCat("v", i)), " type veth peer ",
                Next(absl::StrCat("w", i)));
    if (host_.draw.Once(3)) host_.Add("ip link add ", Next("br"), " type bridge");
    if (host_.draw.Once(3)) host_.Add("ip link add ", Next("ifb"), " type ifb");
    if (host_.draw.Once(6))
      host_.Add("ip link add link v0 ", NextOfMtu("mac", 1350), " type macvlan");
    for (const std::string &link : host_.links)
      if (!host_.draw.Once(10)) Raise(link);
  }

 private:
  std::string Next(const std::string &name) {
    return NextOfMtu(name, 1400 + static_cast<int>(indexes_.back()));
  }

  std::string NextOfMtu(const std::string &name, int mtu) {
    host_.links.push_back(name);
    const unsigned index = indexes_.back();
    indexes_.pop_back();
    return absl::StrCat("name ", name, " index ", index, " mtu ", mtu);
  }

  void Raise(const std::string &link) {
    const std::string group =
        host_.draw.Once(3) ? absl::StrCat(" group ", 1 + host_.draw.Below(3)) : "";
    host_.Add("ip link set ", link, " up", group);
  }

  Sketch &host_;
  std::vector<unsigned> indexes_;
};

}  // namespace

void DrawLinks(Sketch &host) {
  LinkDrawer(host).Draw();
}

}  // namespace srcsel
