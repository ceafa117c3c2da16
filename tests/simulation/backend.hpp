#pragma once
// The stores under simulation: the reference model, and the engine of the embedded store without its threads.
// Thread-safety: confined to one simulation.
#include <deque>
#include <memory>

#include "base/manual_env.hpp"
#include "core/store.hpp"
#include "model/model_state.hpp"

namespace gaur::simulation {

/// Runs posted tasks when pump() is called.
class PumpedExecutor final : public Executor {
 public:
  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  void pump() {
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

 private:
  std::deque<std::function<void()>> tasks_;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Store& store() = 0;
  /// Ends the waits whose time has passed.
  virtual void tick() = 0;
  /// The process of the store is killed between two calls and started again.
  virtual void crash_and_reopen() = 0;
  /// Damages one record of the file, checks that the store reports it, and restores the file. Returns what
  /// happened; a problem begins with "I22". Called while the store is open.
  virtual std::string damage(std::uint64_t /*draw*/) { return "no file to damage"; }
  /// Delivers replies.
  void pump() { executor_.pump(); }

 protected:
  PumpedExecutor executor_;
};

std::unique_ptr<Backend> model_backend(const Clock& clock, model::Mutation mutation);
std::unique_ptr<Backend> engine_backend(const Clock& clock);

}  // namespace gaur::simulation
