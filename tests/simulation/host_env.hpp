#pragma once
// The clock and the loop of one simulated host: its wall clock may be wrong, it can be paused (SIGSTOP) and
// killed. Thread-safety: confined to one simulation.
#include <memory>

#include "base/manual_env.hpp"

namespace gaur::simulation {

class HostClock final : public Clock {
 public:
  HostClock(const ManualClock& base, Duration offset) : base_(base), offset_(offset) {}
  Instant now() const override { return base_.now(); }
  Time wall() const override { return base_.wall() + offset_; }

 private:
  const ManualClock& base_;
  Duration offset_;
};

/// Tasks of one process. After kill() none runs any more; while paused they wait.
class HostLoop final : public Loop {
 public:
  explicit HostLoop(ManualLoop& base) : base_(base) {}
  ~HostLoop() override { kill(); }

  void post(std::function<void()> task) override { base_.post(guarded(std::move(task))); }
  TimerId post_at(Instant when, std::function<void()> task) override {
    return base_.post_at(when, guarded(std::move(task)));
  }
  void cancel(TimerId timer) override { base_.cancel(timer); }

  void pause() { state_->paused = true; }
  void resume() {
    state_->paused = false;
    for (auto& task : std::exchange(state_->waiting, {})) post(std::move(task));
  }
  void kill() {
    state_->alive = false;
    state_->waiting.clear();
  }
  bool paused() const { return state_->paused; }

 private:
  struct State {
    bool alive = true, paused = false;
    std::vector<std::function<void()>> waiting;
  };
  std::function<void()> guarded(std::function<void()> task) {
    return [state = state_, task = std::move(task)]() mutable {
      if (!state->alive) return;
      if (state->paused) {
        state->waiting.push_back(std::move(task));
      } else {
        task();
      }
    };
  }

  ManualLoop& base_;
  std::shared_ptr<State> state_ = std::make_shared<State>();  // shared with tasks that outlive the loop
};

}  // namespace gaur::simulation
