#pragma once
// What a store brings along to be tested: how to open it, crash it, move its clock, and let it answer.
// The suite and the random histories know nothing else of it.
// Thread-safety: a rig belongs to the test's thread; TestClock may be read from any thread.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/env.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"

namespace gaur::conformance {

/// A clock that stands still until it is moved.
class TestClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::hours(1) + Duration(passed_.load())); }
  Time wall() const override { return from_ms(1'800'000'000'000 + passed_.load()); }
  void advance(Duration by) { passed_ += by.count(); }

 private:
  std::atomic<std::int64_t> passed_{0};
};

/// One open store on an empty place of its own.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual Store& store() = 0;
  /// As if the process had died between two operations and the store was opened again.
  virtual void crash_and_reopen() = 0;
  /// Moves the clock, and whatever of the store's keeps its own time (locks that a server lets expire).
  virtual void advance(Duration by) { clock_.advance(by); }
  /// Runs what the store posted, where nobody else does.
  virtual void pump() {}
  /// How long an answer may take, in real time; nothing where pump() brings all answers.
  virtual Duration patience() const { return std::chrono::seconds(30); }
  TestClock& clock() { return clock_; }

 private:
  TestClock clock_;
};

struct Subject {
  std::string name;  ///< of the store, as it stands in the names of the tests
  std::function<std::unique_ptr<StoreFixture>()> open;
  Semantics semantics = Semantics::bullmq();
};

/// An answer on its way.
template <class T>
class Pending {
 public:
  Pending(StoreFixture& rig, Async<T> future) : rig_(&rig), slot_(std::make_shared<Slot>()) {
    std::move(future).then([slot = slot_](Result<T> value) {
      std::lock_guard lock(slot->mutex);
      slot->value.emplace(std::move(value));
      slot->arrived.notify_all();
    });
  }
  bool ready() {
    rig_->pump();
    std::lock_guard lock(slot_->mutex);
    return slot_->value.has_value();
  }
  /// Waits for it; kTimeout if it is not there when the rig's patience ends.
  Result<T> get() {
    rig_->pump();
    std::unique_lock lock(slot_->mutex);
    const bool there =
        slot_->arrived.wait_for(lock, rig_->patience(), [&] { return slot_->value.has_value(); });
    if (!there) return Error{Errc::kTimeout, "the store did not answer"};
    return *slot_->value;
  }

 private:
  struct Slot {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<Result<T>> value;
  };
  StoreFixture* rig_;
  std::shared_ptr<Slot> slot_;
};

template <class T>
Result<T> await(StoreFixture& rig, Async<T> future) {
  return Pending<T>(rig, std::move(future)).get();
}

}  // namespace gaur::conformance
