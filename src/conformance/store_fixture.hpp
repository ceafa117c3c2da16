#pragma once
// What the tests need of a store: how to open it, crash it, move its clock, and wait for its answers.
// Thread-safety: a fixture is confined to the test's thread; any thread may read TestClock.
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

/// A clock that only advance() moves.
class TestClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::hours(1) + Duration(passed_.load())); }
  Time wall() const override { return from_ms(1'800'000'000'000 + passed_.load()); }
  void advance(Duration by) { passed_ += by.count(); }

 private:
  std::atomic<std::int64_t> passed_{0};
};

/// An open store with an empty storage of its own.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual Store& store() = 0;
  /// Simulates a crash of the process between two operations and a reopening.
  virtual void crash_and_reopen() = 0;
  /// Moves the clock, and the store's other clocks (a server that expires locks).
  virtual void advance(Duration by) { clock_.advance(by); }
  /// Runs the tasks that the store posted, unless a thread of the fixture does.
  virtual void pump() {}
  /// How long an answer may take, in real time. 0 if pump() delivers all answers.
  virtual Duration patience() const { return std::chrono::seconds(30); }
  TestClock& clock() { return clock_; }

 private:
  TestClock clock_;
};

struct Subject {
  /// The store's name in the names of the tests.
  std::string name;
  std::function<std::unique_ptr<StoreFixture>()> open;
  Semantics semantics = Semantics::bullmq();
};

/// An answer that may still be pending.
template <class T>
class Pending {
 public:
  Pending(StoreFixture& fixture, Async<T> future) : fixture_(&fixture), slot_(std::make_shared<Slot>()) {
    std::move(future).then([slot = slot_](Result<T> value) {
      std::lock_guard lock(slot->mutex);
      slot->value.emplace(std::move(value));
      slot->arrived.notify_all();
    });
  }
  bool ready() {
    fixture_->pump();
    std::lock_guard lock(slot_->mutex);
    return slot_->value.has_value();
  }
  /// Waits for the answer. Errors: kTimeout after the fixture's patience().
  Result<T> get() {
    fixture_->pump();
    std::unique_lock lock(slot_->mutex);
    const bool arrived =
        slot_->arrived.wait_for(lock, fixture_->patience(), [&] { return slot_->value.has_value(); });
    if (!arrived) return Error{Errc::kTimeout, "the store did not answer"};
    return *slot_->value;
  }

 private:
  struct Slot {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<Result<T>> value;
  };
  StoreFixture* fixture_;
  std::shared_ptr<Slot> slot_;
};

template <class T>
Result<T> await(StoreFixture& fixture, Async<T> future) {
  return Pending<T>(fixture, std::move(future)).get();
}

}  // namespace gaur::conformance
