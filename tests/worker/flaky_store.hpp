#pragma once
// A bad line to a good store: requests get lost on the way there, replies on the way back, some are late, and
// for a while nothing gets through at all. Thread-safety: confined to one thread.
#include <map>

#include "base/manual_env.hpp"
#include "core/store.hpp"

namespace gaur {

class FlakyStore final : public Transitions {
 public:
  FlakyStore(Transitions& behind, ManualEnv& env, std::uint64_t seed)
      : behind_(behind), env_(env), random_(seed) {}

  unsigned lost_requests = 0, lost_replies = 0;  ///< in a hundred
  Duration latest{0};                            ///< replies take up to so long
  bool down = false;                             ///< nothing gets through
  std::function<std::optional<Error>(const TakeRequest&)> refuse;

  std::map<QueueName, int> turns_out;   ///< not answered yet, parked ones too
  std::map<SessionName, int> turns_on;  ///< the same, by lane
  int parked_out = 0, most_turns_out = 0, most_turns_on = 0, most_parked_out = 0;

  Async<std::vector<Added>> add(AddRequest request) override {
    return send<std::vector<Added>>([=, this] { return behind_.add(request); });
  }
  Async<TakeReply> finish_and_take(TakeRequest turn) override {
    if (refuse) {
      if (auto error = refuse(turn)) return later<TakeReply>(*std::move(error));
    }
    const bool parks = turn.park > Duration{0};
    most_turns_out = std::max(most_turns_out, ++turns_out[turn.queue]);
    most_turns_on = std::max(most_turns_on, ++turns_on[turn.op.session]);
    if (parks) most_parked_out = std::max(most_parked_out, ++parked_out);
    Promise<Result<TakeReply>> promise;
    auto future = promise.future();
    send<TakeReply>([=, this] {
      return behind_.finish_and_take(turn);
    }).then([this, promise, queue = turn.queue, session = turn.op.session, parks](Result<TakeReply> reply) {
      --turns_out[queue];
      --turns_on[session];
      if (parks) --parked_out;
      promise.set(std::move(reply));
    });
    return future;
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return send<ExtendReply>([=, this] { return behind_.extend_locks(request); });
  }
  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    return send<std::vector<JobId>>([=, this] { return behind_.reclaim(request); });
  }
  Async<Recovered> recover(RecoverRequest request) override {
    return send<Recovered>([=, this] { return behind_.recover(request); });
  }
  Async<QueueHint> wake_delayed(QueueName queue) override {
    return send<QueueHint>([=, this] { return behind_.wake_delayed(queue); });
  }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return send<WorkReply>([=, this] { return behind_.wait_for_work(request); });
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return behind_.cancel(job, who, why);
  }
  Async<Unit> retry(JobRef job, bool reset) override { return behind_.retry(job, reset); }
  Async<Unit> promote(JobRef job) override { return behind_.promote(job); }
  Async<Unit> remove(JobRef job) override { return behind_.remove(job); }
  Async<Unit> update_data(JobRef job, std::string data) override { return behind_.update_data(job, data); }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return send<Unit>([=, this] { return behind_.update_progress(job, token, progress); });
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return send<std::uint64_t>([=, this] { return behind_.append_logs(job, lines); });
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override { return behind_.change_delay(job, delay); }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return behind_.change_priority(job, priority, lifo);
  }

 private:
  template <class T>
  Async<T> later(Result<T> value) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    const auto wait =
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(latest.count()) + 1));
    env_.loop.post_at(env_.clock.now() + Duration(wait),
                      [promise, value = std::move(value)] { promise.set(value); });
    return future;
  }
  template <class T, class Call>
  Async<T> send(Call call) {
    const Error lost{Errc::kDisconnected, "the line is bad"};
    if (down || random_.below(100) < lost_requests) return later<T>(lost);
    const bool lose_reply = random_.below(100) < lost_replies;
    Promise<Result<T>> promise;
    auto future = promise.future();
    call().then([this, promise, lose_reply, lost](Result<T> reply) {
      later<T>(lose_reply ? Result<T>(lost) : std::move(reply)).then([promise](Result<T> late) {
        promise.set(std::move(late));
      });
    });
    return future;
  }

  Transitions& behind_;
  ManualEnv& env_;
  SeededRandom random_;
};

}  // namespace gaur
