#pragma once
// An Env for tests and simulations: time advances only by calls, random numbers come from one
// seed, tasks run on the caller's thread. Thread-safety: confined to one thread.
#include <deque>
#include <functional>
#include <map>
#include <random>

#include "base/env.hpp"

namespace gaur {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  Time wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }
  /// Changes the wall clock only, as if an administrator set it.
  void jump_wall(Duration by) { wall_ += by; }

 private:
  Instant now_{std::chrono::hours(1)};
  Time wall_ = from_ms(1'800'000'000'000);
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }

 private:
  std::mt19937_64 engine_;
};

class ManualLoop final : public Loop {
 public:
  explicit ManualLoop(ManualClock& clock) : clock_(clock) {}
  void post(std::function<void()> task) override { tasks_.push_back({0, std::move(task)}); }
  TimerId post_at(Instant when, std::function<void()> task) override {
    timers_.emplace(std::pair{when, ++last_}, std::move(task));
    return last_;
  }
  void cancel(TimerId timer) override {
    std::erase_if(tasks_, [&](const Task& task) { return timer != 0 && task.timer == timer; });
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second == timer) {
        timers_.erase(it);
        return;
      }
    }
  }
  /// Runs the oldest task, if there is one: for tests that check every step.
  bool run_one() {
    if (tasks_.empty()) return false;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    task.run();
    return true;
  }
  /// Runs tasks and due timers until none is left; time does not advance.
  void run_ready() {
    while (true) {
      while (!timers_.empty() && timers_.begin()->first.first <= clock_.now()) {
        tasks_.push_back({timers_.begin()->first.second, std::move(timers_.begin()->second)});
        timers_.erase(timers_.begin());
      }
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task.run();
    }
  }
  /// Advances the clock by `by`, and runs each timer when it is due.
  void run_for(Duration by) {
    const Instant end = clock_.now() + by;
    run_ready();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      const auto wait = std::chrono::ceil<Duration>(timers_.begin()->first.first - clock_.now());
      clock_.advance(wait);
      run_ready();
    }
    if (clock_.now() < end) clock_.advance(std::chrono::ceil<Duration>(end - clock_.now()));
    run_ready();
  }

 private:
  struct Task {
    TimerId timer = 0;  // 0: posted
    std::function<void()> run;
  };
  ManualClock& clock_;
  std::deque<Task> tasks_;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers_;
  TimerId last_ = 0;
};

/// An Env with a manual clock, seeded random numbers and a manual loop.
struct ManualEnv {
  explicit ManualEnv(std::uint64_t seed = 1) : random(seed) {}
  ManualClock clock;
  SeededRandom random;
  ManualLoop loop{clock};
  Env env{clock, random, loop};
};

}  // namespace gaur
