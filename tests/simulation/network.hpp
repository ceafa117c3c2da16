#pragma once
// The connection of one host, or of a producer, to the store: requests and replies are lost, delayed,
// duplicated and reordered. With `fault` at its default it delivers everything at once, as in one process.
// Thread-safety: confined to one simulation.
#include "base/manual_env.hpp"
#include "core/forwarding_store.hpp"
#include "mutants.hpp"

namespace gaur::simulation {

struct Faults {
  /// Percent.
  unsigned lost_requests = 0, lost_replies = 0, duplicated = 0;
  /// Longest delay of a request and of a reply.
  Duration latest{0};
  /// A black hole: nothing arrives.
  bool down = false;
};

class Network final : public ForwardingTransitions {
 public:
  /// `loop` receives the replies, `outside` carries the messages.
  Network(Transitions& inner, Loop& loop, ManualEnv& outside, Mutant mutant)
      : inner_(inner), loop_(loop), outside_(outside), mutant_(mutant) {}

  Faults faults;

  Async<std::vector<Added>> add(AddRequest request) override {
    return send<std::vector<Added>>([=, this] { return inner_.add(request); });
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override;
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    if (mutant_ == Mutant::kNoRenewal && request.renew) {
      ExtendReply renewed;
      renewed.locks.assign(request.held.size(), ok());
      return reply_later(Result<ExtendReply>(std::move(renewed)));
    }
    return send<ExtendReply>([=, this] { return inner_.extend_locks(request); });
  }
  Async<Recovered> recover(RecoverRequest request) override {
    return send<Recovered>([=, this] { return inner_.recover(request); });
  }
  Async<QueueHint> wake_delayed(QueueName queue) override {
    if (mutant_ == Mutant::kDueIgnored) return reply_later(Result<QueueHint>(QueueHint{}));
    return send<QueueHint>([=, this] { return inner_.wake_delayed(queue); });
  }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    auto reply = send<WorkReply>([=, this] { return inner_.wait_for_work(request); });
    return with_inspected(std::move(reply), [this](Result<WorkReply>& work) {
      if (work && mutant_ == Mutant::kHintsLost) work->queues.clear();
    });
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return send<Unit>([=, this] { return inner_.update_progress(job, token, progress); });
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return send<std::uint64_t>([=, this] { return inner_.append_logs(job, lines); });
  }

 private:
  Transitions& inner() const override { return inner_; }
  bool percent(unsigned chance) { return chance > 0 && outside_.random.below(100) < chance; }
  Duration delay() {
    return Duration(static_cast<std::int64_t>(
        outside_.random.below(static_cast<std::uint64_t>(faults.latest.count()) + 1)));
  }

  template <class T>
  Async<T> reply_later(Result<T> value) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    loop_.post([promise, value = std::move(value)] { promise.set(value); });
    return future;
  }
  template <class T>
  void deliver(const Promise<Result<T>>& promise, Result<T> value) {
    outside_.loop.post_at(outside_.clock.now() + delay(),
                          [this_loop = &loop_, promise, value = std::move(value)] {
                            this_loop->post([promise, value] { promise.set(value); });
                          });
  }
  template <class T, class Call>
  Async<T> send(Call call) {
    const Error lost{Errc::kDisconnected, "the connection was lost"};
    Promise<Result<T>> promise;
    auto future = promise.future();
    if (faults.down || percent(faults.lost_requests)) {
      deliver<T>(promise, lost);
      return future;
    }
    if (percent(faults.duplicated)) {
      // The client has given up waiting; the first copy arrives later all the same.
      outside_.loop.post_at(outside_.clock.now() + delay() * 3, [call] { call().then([](Result<T>) {}); });
    }
    const bool lose_reply = percent(faults.lost_replies);
    const auto arrive = [this, call, promise, lose_reply, lost] {
      call().then([this, promise, lose_reply, lost](Result<T> reply) {
        deliver<T>(promise, lose_reply ? Result<T>(lost) : std::move(reply));
      });
    };
    outside_.loop.post_at(outside_.clock.now() + delay(), arrive);
    return future;
  }

  Transitions& inner_;
  Loop& loop_;
  ManualEnv& outside_;
  const Mutant mutant_;
  /// Mutant::kRepeatedTakeIsNew.
  std::map<SessionName, std::uint64_t> sent_;
};

inline Async<TakeReply> Network::finish_and_take(TakeRequest request) {
  std::uint64_t& last = sent_[request.op.session];
  const bool repeated = last == request.op.sequence;
  last = request.op.sequence;
  if (repeated && mutant_ == Mutant::kRepeatedTakeIsNew) request.op.sequence = 0;
  auto future = send<TakeReply>([=, this] { return inner_.finish_and_take(request); });
  if (mutant_ != Mutant::kFinishForgotten || request.finished.empty()) return future;
  return with_inspected(std::move(future), [count = request.finished.size()](Result<TakeReply>& reply) {
    if (reply) return;
    TakeReply forgotten;
    forgotten.finished.assign(count, FinishResult{});
    reply = std::move(forgotten);
  });
}

}  // namespace gaur::simulation
