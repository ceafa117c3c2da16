#pragma once
// A store with scripted replies, and a world whose worker uses it. Thread-safety: confined to one thread.
#include "core/forwarding_store.hpp"
#include "harness.hpp"

namespace gaur {

/// Returns scripted replies to reclaim() and recover(); the model handles all other calls.
class ScriptedStore final : public ForwardingTransitions {
 public:
  explicit ScriptedStore(ModelStore& inner) : inner_(inner) {}

  std::vector<ReclaimRequest> reclaims;
  std::vector<RecoverRequest> recovers;
  /// While hold_reclaims.
  std::vector<Promise<Result<std::vector<JobId>>>> pending_reclaims;
  /// While hold_extends.
  std::vector<Promise<Result<ExtendReply>>> pending_extends;
  bool hold_reclaims = false, hold_extends = false;
  std::optional<Error> reclaim_error;
  std::optional<std::pair<QueueName, Error>> take_error;
  /// No jobs are taken: there is no space for their results. Finishes are stored.
  bool store_full = false;
  /// By the previous process.
  std::vector<JobId> held;
  std::vector<UnlockedJob> unlocked;
  std::uint64_t takes = 0, waits = 0;

  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    reclaims.push_back(request);
    if (hold_reclaims) return pending_reclaims.emplace_back().future();
    if (reclaim_error) return ready(Result<std::vector<JobId>>(*reclaim_error));
    return ready(Result<std::vector<JobId>>(held));
  }
  Async<Recovered> recover(RecoverRequest request) override {
    recovers.push_back(request);
    return ready(Result<Recovered>(Recovered{.requeued = {}, .failed = {}, .unlocked = unlocked}));
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    ++takes;
    if (take_error && take_error->first == request.queue) return ready(Result<TakeReply>(take_error->second));
    if (!store_full || request.take == 0) return inner_.finish_and_take(std::move(request));
    request.take = 0;
    Promise<Result<TakeReply>> promise;
    inner_.finish_and_take(std::move(request)).then([promise](Result<TakeReply> reply) {
      if (reply) reply->next.store_full = true;
      promise.set(std::move(reply));
    });
    return promise.future();
  }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    ++waits;
    return inner_.wait_for_work(std::move(request));
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    if (hold_extends) return pending_extends.emplace_back().future();
    return inner_.extend_locks(std::move(request));
  }

 private:
  Transitions& inner() const override { return inner_; }

  ModelStore& inner_;
};

struct BesideWorld : World {
  BesideWorld() {
    transitions = &scripted;
    worker_options.hand_off = false;
  }
  ScriptedStore scripted{store};
};

}  // namespace gaur
