#include "runner/scratch_meter.hpp"

#include <algorithm>

#include "runner/scratch_size.hpp"

namespace gaur {

namespace {
constexpr Duration kShortestPause{250};
constexpr int kPauseFactor = 20;
}  // namespace

void ScratchMeter::measure(Folders folders, std::function<void(ScratchSizes)> done) {
  busy_ = true;
  if (!loop_) loop_ = std::make_unique<ThreadLoop>("gaur-scratch");
  loop_->post([this, folders = std::move(folders), done = std::move(done)] {
    const Instant begun = clock_.now();
    ScratchSizes sizes;
    for (const auto& [id, folder] : folders) sizes[id] = scratch_size(folder, stop_);
    if (stop_) return;
    done(std::move(sizes));
    const Instant now = clock_.now();
    const auto pause = std::max<Instant::duration>(kShortestPause, (now - begun) * kPauseFactor);
    next_ = (now + pause).time_since_epoch().count();
    busy_ = false;
  });
}

}  // namespace gaur
