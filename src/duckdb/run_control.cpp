#include "duckdb/run_control.hpp"

#include <algorithm>
#include <cmath>

#include "base/system_env.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::chrono::milliseconds kInterruptEvery{50};
constexpr std::chrono::milliseconds kProgressEvery{500};
constexpr std::size_t kMostEarly = 16;

}  // namespace

RunControl::RunControl(const Api& api, Clock& clock, Progress progress)
    : api_(api), clock_(clock), progress_(std::move(progress)), thread_([this] { watch(); }) {}

RunControl::~RunControl() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RunControl::begin(const std::string& run, Duration deadline) {
  {
    const std::lock_guard lock(mutex_);
    run_ = run;
    reported_ = 0;
    if (!stopped_) reason_.reset();
    deadline_ = deadline > Duration::zero() ? std::optional(clock_.now() + deadline) : std::nullopt;
    const auto early =
        std::find_if(early_.begin(), early_.end(), [&](const auto& each) { return each.first == run; });
    if (early != early_.end()) reason_ = early->second;
    early_.clear();
  }
  changed_.notify_all();
}

void RunControl::end() {
  const std::lock_guard lock(mutex_);
  run_.clear();
  deadline_.reset();
  if (!stopped_) reason_.reset();
}

void RunControl::cancel(const std::string& run, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    if (run == run_) {
      if (!reason_) reason_ = std::move(reason);
    } else if (early_.size() < kMostEarly) {
      early_.emplace_back(run, std::move(reason));
    }
  }
  changed_.notify_all();
}

void RunControl::cancel_all(std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (!reason_) reason_ = std::move(reason);
  }
  changed_.notify_all();
}

void RunControl::attach(duckdb_connection connection) {
  {
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
  }
  changed_.notify_all();
}

void RunControl::detach(duckdb_connection connection) {
  const std::lock_guard lock(mutex_);
  std::erase(connections_, connection);
}

std::optional<RunFailure> RunControl::interrupted() const {
  const std::lock_guard lock(mutex_);
  if (!reason_) return std::nullopt;
  return RunFailure{"interrupted", "the query was interrupted: " + *reason_, false, {}};
}

void RunControl::interrupt_all() {
  for (const auto connection : connections_) api_.interrupt(connection);
}

std::optional<double> RunControl::newer_progress() {
  if (connections_.empty()) return std::nullopt;
  const double percent = std::floor(api_.query_progress(connections_.front()).percentage * 10) / 10;
  if (!(percent > reported_) || percent > 100)
    return std::nullopt;  // -1: unknown; the next pipeline may start lower
  reported_ = percent;
  return percent;
}

void RunControl::watch() {
  name_this_thread("gaur-watch");
  std::unique_lock lock(mutex_);
  Instant next_progress = clock_.now() + kProgressEvery;
  while (!ending_) {
    const bool running = !run_.empty() && !connections_.empty();
    if (!running) {
      changed_.wait(lock);
      next_progress = clock_.now() + kProgressEvery;
      continue;
    }
    if (deadline_ && clock_.now() >= *deadline_ && !reason_) reason_ = "timeout";
    if (reason_) {
      interrupt_all();
      changed_.wait_for(lock, kInterruptEvery);
      continue;
    }
    auto wake = next_progress;
    if (deadline_) wake = std::min(wake, *deadline_);
    if (wake > clock_.now()) changed_.wait_for(lock, wake - clock_.now());
    if (clock_.now() < next_progress) continue;
    next_progress = clock_.now() + kProgressEvery;
    if (const auto percent = newer_progress()) {
      const auto run = run_;
      lock.unlock();
      progress_(run, *percent);
      lock.lock();
    }
  }
}

}  // namespace gaur::duckdb
