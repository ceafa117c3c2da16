#include "embedded/folder_watch.hpp"

#include <algorithm>
#include <chrono>

#include "base/system_env.hpp"
#include "embedded/store_folder.hpp"

namespace gaur::embedded {

namespace {
constexpr Duration kPlaceInterval{1'000};
}  // namespace

FolderWatch::FolderWatch(Parts parts)
    : parts_(std::move(parts)), marked_(parts_.env.last_transaction()), thread_([this] { run(); }) {}

FolderWatch::~FolderWatch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void FolderWatch::run() {
  name_this_thread("store-watch");
  const SystemClock clock;
  const Duration interval = std::min(kPlaceInterval, parts_.mark_interval);
  Instant mark_at = clock.now() + parts_.mark_interval;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval, [this] { return stopping_; })) {
    if (!parts_.env.check_place()) return parts_.on_lost();
    if (clock.now() < mark_at) continue;
    mark();
    mark_at = clock.now() + parts_.mark_interval;
  }
}

void FolderWatch::mark() {
  const std::uint64_t last = parts_.env.last_transaction();
  if (last == marked_) return;
  const Status marked = mark_store(parts_.folder, parts_.env, parts_.store_id);
  if (marked) {
    marked_ = last;
  } else {
    parts_.log.warn("the file store-id could not be written", {{"problem", marked.error().message}});
  }
}

}  // namespace gaur::embedded
