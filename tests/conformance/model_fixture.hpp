#pragma once
// The fixture of the reference model, optionally with a planted mistake.
// Thread-safety: confined to the test's thread.
#include <deque>

#include "conformance/store_fixture.hpp"
#include "model/model_store.hpp"

namespace gaur::conformance {

class ModelFixture final : public StoreFixture {
 public:
  explicit ModelFixture(Semantics semantics, model::Mutation mutation = model::Mutation::kNone)
      : store_(clock(), queue_, semantics, mutation) {}
  Store& store() override { return store_; }
  void crash_and_reopen() override { store_.crash_and_reopen(); }
  void pump() override { queue_.run(); }
  Duration patience() const override { return Duration(0); }

 private:
  class Queue final : public Executor {
   public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void run() {
      while (!tasks_.empty()) {
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
      }
    }

   private:
    std::deque<std::function<void()>> tasks_;
  };
  Queue queue_;
  ModelStore store_;
};

inline Subject model_subject(Semantics semantics = Semantics::bullmq(),
                             model::Mutation mutation = model::Mutation::kNone) {
  return {"model", [=] { return std::make_unique<ModelFixture>(semantics, mutation); }, semantics};
}

}  // namespace gaur::conformance
