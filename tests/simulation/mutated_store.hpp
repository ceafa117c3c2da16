#pragma once
// A store whose disk can be full, and with a planted mistake, below the checks. Thread-safety: confined to
// one simulation.
#include <algorithm>

#include "core/forwarding_store.hpp"
#include "mutants.hpp"

namespace gaur::simulation {

class MutatedStore final : public ForwardingStore {
 public:
  MutatedStore(Store& inner, Mutant mutant) : inner_(inner), mutant_(mutant) {}

  /// The disk: adds are rejected and no job is taken, but finishes succeed, as with the embedded store's
  /// reserve.
  bool full = false;

  Async<std::vector<Added>> add(AddRequest request) override {
    if (full) return ready(Result<std::vector<Added>>(Error{Errc::kStoreFull, "the disk is full"}));
    if (mutant_ == Mutant::kRepeatedAddIsNew) request.op = {};
    for (NewJob& job : request.jobs) {
      if (mutant_ == Mutant::kDuplicateReplaces && job.options.id)
        inner_.update_data({request.queue, *job.options.id}, job.data).then([](const Result<Unit>&) {});
      if (mutant_ == Mutant::kAddsAtFront) job.options.lifo = true;
      if (mutant_ == Mutant::kDelayByOtherClock && job.options.delay > Duration{0})
        job.options.delay = std::max(job.options.delay - std::chrono::minutes(1), Duration{0});
    }
    if (mutant_ == Mutant::kAddNotStored && ++calls_ % 30 == 0) {
      std::vector<Added> added;
      for (std::size_t i = 0; i < request.jobs.size(); ++i)
        added.push_back({JobId(std::to_string(900'000 + calls_ + i)), State::kWaiting, false, 0});
      return ready(Result<std::vector<Added>>(std::move(added)));
    }
    return inner_.add(std::move(request));
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    if (mutant_ == Mutant::kTakesAboveFree && request.filter) {
      request.filter->free.cores *= 2;
      request.filter->free.memory_bytes *= 2;
      request.take *= 2;
    }
    for (Finish& finish : request.finished) change(finish);
    return full ? finish_only(std::move(request)) : inner_.finish_and_take(std::move(request));
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    if (mutant_ == Mutant::kRenewalShortened) request.lock = Duration(300);
    if (mutant_ != Mutant::kRenewalAcceptsLostLocks) return inner_.extend_locks(std::move(request));
    return with_inspected(inner_.extend_locks(std::move(request)), [](Result<ExtendReply>& reply) {
      if (reply) std::fill(reply->locks.begin(), reply->locks.end(), ok());
    });
  }
  Async<Unit> pause(QueueName queue) override {
    if (mutant_ == Mutant::kPauseNotStored) return ready(Result<Unit>(Unit{}));
    return inner_.pause(std::move(queue));
  }
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    return with_inspected(inner_.events(std::move(queue), std::move(cursor), limit, at_most),
                          [this](Result<EventPage>& page) {
                            if (!page || mutant_ != Mutant::kEventLost) return;
                            std::erase_if(page->events, [this](const Event& event) {
                              return event.kind == EventKind::kCompleted && ++calls_ % 50 == 0;
                            });
                          });
  }

 private:
  Store& inner() const override { return inner_; }
  Async<TakeReply> finish_only(TakeRequest request) {
    request.take = 0;
    request.long_poll = Duration{0};
    std::size_t lost = 0;
    if (mutant_ == Mutant::kFinishLostWhenFull) lost = std::exchange(request.finished, {}).size();
    return with_inspected(inner_.finish_and_take(std::move(request)), [lost](Result<TakeReply>& reply) {
      if (!reply) return;
      reply->next.store_full = true;
      if (lost > 0) reply->finished.assign(lost, FinishResult{});
    });
  }
  void change(Finish& finish) {
    auto* completed = std::get_if<outcome::Completed>(&finish.outcome);
    if (mutant_ == Mutant::kOtherResultStored && completed != nullptr)
      std::swap(last_result_, completed->result);
    if (mutant_ == Mutant::kStallNotCounted && std::holds_alternative<outcome::Stalled>(finish.outcome))
      finish.outcome = outcome::Requeue{"the runner died"};
    const auto* failed = std::get_if<outcome::Failed>(&finish.outcome);
    if (mutant_ == Mutant::kFailedIsRetried && failed != nullptr && failed->exhausted)
      finish.outcome = outcome::RetryAfter{Duration{0}, Failure(failed->failure), true};
  }

  Store& inner_;
  const Mutant mutant_;
  std::uint64_t calls_ = 0;
  std::string last_result_ = "null";
};

}  // namespace gaur::simulation
