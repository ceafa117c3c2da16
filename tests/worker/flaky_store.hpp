#pragma once
// A store behind an unreliable network: requests and replies are lost, replies are late, and it may be
// unreachable. Thread-safety: confined to one thread.
#include <map>

#include "base/manual_env.hpp"
#include "core/forwarding_store.hpp"

namespace gaur {

class FlakyStore final : public ForwardingTransitions {
 public:
  FlakyStore(Transitions& inner, ManualEnv& env, std::uint64_t seed)
      : inner_(inner), env_(env), random_(seed) {}

  /// Percent.
  unsigned lost_requests = 0, lost_replies = 0;
  /// Longest delay of a reply.
  Duration latest{0};
  bool down = false;
  std::function<std::optional<Error>(const TakeRequest&)> reject;

  /// Take requests in flight, long polls included.
  std::map<QueueName, int> takes_of_queue;
  /// Take requests in flight, long polls included.
  std::map<SessionName, int> takes_of_session;
  int long_polls = 0, most_takes_of_queue = 0, most_takes_of_session = 0, most_long_polls = 0;

  Async<std::vector<Added>> add(AddRequest request) override {
    return send<std::vector<Added>>([=, this] { return inner_.add(request); });
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    if (reject) {
      if (auto error = reject(request)) return delayed<TakeReply>(*std::move(error));
    }
    const bool is_long_poll = request.long_poll > Duration{0};
    most_takes_of_queue = std::max(most_takes_of_queue, ++takes_of_queue[request.queue]);
    most_takes_of_session = std::max(most_takes_of_session, ++takes_of_session[request.op.session]);
    if (is_long_poll) most_long_polls = std::max(most_long_polls, ++long_polls);
    return with_inspected(
        send<TakeReply>([=, this] { return inner_.finish_and_take(request); }),
        [this, queue = request.queue, session = request.op.session, is_long_poll](const Result<TakeReply>&) {
          --takes_of_queue[queue];
          --takes_of_session[session];
          if (is_long_poll) --long_polls;
        });
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return send<ExtendReply>([=, this] { return inner_.extend_locks(request); });
  }
  Async<std::vector<JobId>> reclaim(ReclaimRequest request) override {
    return send<std::vector<JobId>>([=, this] { return inner_.reclaim(request); });
  }
  Async<Recovered> recover(RecoverRequest request) override {
    return send<Recovered>([=, this] { return inner_.recover(request); });
  }
  Async<QueueHint> wake_delayed(QueueName queue) override {
    return send<QueueHint>([=, this] { return inner_.wake_delayed(queue); });
  }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    return send<WorkReply>([=, this] { return inner_.wait_for_work(request); });
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return send<Unit>([=, this] { return inner_.update_progress(job, token, progress); });
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return send<std::uint64_t>([=, this] { return inner_.append_logs(job, lines); });
  }

 private:
  Transitions& inner() const override { return inner_; }
  template <class T>
  Async<T> delayed(Result<T> value) {
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
    const Error lost{Errc::kDisconnected, "the connection was lost"};
    if (down || random_.below(100) < lost_requests) return delayed<T>(lost);
    const bool lose_reply = random_.below(100) < lost_replies;
    Promise<Result<T>> promise;
    auto future = promise.future();
    call().then([this, promise, lose_reply, lost](Result<T> reply) {
      delayed<T>(lose_reply ? Result<T>(lost) : std::move(reply)).then([promise](Result<T> late) {
        promise.set(std::move(late));
      });
    });
    return future;
  }

  Transitions& inner_;
  ManualEnv& env_;
  SeededRandom random_;
};

}  // namespace gaur
