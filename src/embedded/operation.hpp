#pragma once
// One call on its way through the writer: carried out in a transaction, answered after its commit.
// Thread-safety: handed from the caller to the writer to the executor; never shared.
#include <memory>
#include <optional>
#include <vector>

#include "embedded/engine.hpp"

namespace gaur::embedded {

class Operation {
 public:
  virtual ~Operation() = default;
  /// In the open transaction.
  virtual void run(Engine& engine) = 0;
  /// Instead of the answer: nothing of it happened, or nobody knows.
  virtual void refuse(const Error& error) = 0;
  /// On the executor, after the commit.
  virtual void deliver() = 0;
  /// True if run() left work for another transaction: it is run again, before what came later.
  virtual bool again() const { return false; }
  /// On the writer, after the commit: true if somebody else answers.
  virtual bool pass_on() { return false; }
  /// About how much an add stores; 0 for everything else, which a full disk does not stop.
  virtual std::uint64_t adds_bytes() const { return 0; }
};

/// A call that is answered by one function of the engine.
template <class T, class Function>
class Call final : public Operation {
 public:
  Call(Promise<Result<T>> promise, Function function, std::uint64_t adds_bytes)
      : promise_(std::move(promise)), function_(std::move(function)), adds_bytes_(adds_bytes) {}
  void run(Engine& engine) override { reply_.emplace(function_(engine)); }
  void refuse(const Error& error) override { reply_.emplace(error); }
  void deliver() override { promise_.set(*std::move(reply_)); }
  std::uint64_t adds_bytes() const override { return adds_bytes_; }

 private:
  Promise<Result<T>> promise_;
  Function function_;
  std::uint64_t adds_bytes_;
  std::optional<Result<T>> reply_;
};

/// A removal in steps: `step` answers how many it removed, below `kStep` when there are no more; `last` ends
/// it.
template <class Step, class Last>
class Sweep final : public Operation {
 public:
  static constexpr std::uint64_t kStep = 2000;
  Sweep(Promise<Result<std::uint64_t>> promise, Step step, Last last, std::uint64_t limit)
      : promise_(std::move(promise)), step_(std::move(step)), last_(std::move(last)), limit_(limit) {}
  void run(Engine& engine) override {
    const std::uint64_t at_most = std::min(kStep, limit_ - removed_);
    Result<std::uint64_t> removed = step_(engine, at_most);
    error_ = removed ? std::nullopt : std::optional(removed.error());
    removed_ += removed.value_or(0);
    again_ = removed && *removed == at_most && removed_ < limit_;
    if (removed && !again_) last_(engine, removed_);
  }
  void refuse(const Error& error) override {
    error_ = error;
    again_ = false;
  }
  void deliver() override {
    if (error_) {
      promise_.set(*error_);
    } else {
      promise_.set(removed_);
    }
  }
  bool again() const override { return again_; }

 private:
  Promise<Result<std::uint64_t>> promise_;
  Step step_;
  Last last_;
  std::uint64_t limit_;
  std::uint64_t removed_ = 0;
  bool again_ = false;
  std::optional<Error> error_;
};

/// finish_and_take, which may stay parked between its transaction and its answer. A repeat that comes
/// meanwhile joins.
struct TakeCall final : public Operation {
  explicit TakeCall(TakeRequest t) : turn(std::move(t)), waiters(1) {}
  void run(Engine& engine) override {
    auto result = engine.turn(turn);
    parks = result && result->parks;
    reply = result ? Result<TakeReply>(std::move(result->reply)) : Result<TakeReply>(result.error());
  }
  void refuse(const Error& error) override { reply = error; }
  void deliver() override {
    for (std::size_t i = 0; i + 1 < waiters.size(); ++i) waiters[i].set(reply);
    waiters.back().set(std::move(reply));
  }

  TakeRequest turn;
  std::vector<Promise<Result<TakeReply>>> waiters;
  Result<TakeReply> reply{TakeReply{}};
  bool parks = false;
  Instant until{};
  std::uint64_t seen = 0;  ///< the queue's last change at which it was tried in vain
};

struct WorkCall final : public Operation {
  explicit WorkCall(WorkRequest r) : request(std::move(r)) {}
  void run(Engine& engine) override { reply = engine.work_for(request); }
  void refuse(const Error& e) override { error = e; }
  void deliver() override {
    if (error) {
      promise.set(*error);
    } else {
      promise.set(std::move(reply).value_or(WorkReply{}));
    }
  }

  WorkRequest request;
  Promise<Result<WorkReply>> promise;
  std::optional<WorkReply> reply;
  std::optional<Error> error;
  Instant until{};
};

/// Waits until the queue has an event after `after`, or its time is over; `read` then has a reader answer.
struct FollowCall final : public Operation {
  FollowCall(QueueName q, std::optional<std::uint64_t> a, Instant u, Promise<Result<EventPage>> p,
             std::function<void(std::uint64_t)> r)
      : queue(std::move(q)), after(a), until(u), promise(std::move(p)), read(std::move(r)) {}
  void run(Engine&) override {}
  void refuse(const Error& e) override { error = e; }
  void deliver() override { promise.set(*std::move(error)); }
  bool pass_on() override {
    if (error) return false;
    read(*after);
    return true;
  }

  QueueName queue;
  std::optional<std::uint64_t>
      after;  ///< nothing: what is the last when the writer comes to it, before any later call
  Instant until;
  Promise<Result<EventPage>> promise;
  std::function<void(std::uint64_t)> read;  ///< after which event
  std::optional<Error> error;
};

}  // namespace gaur::embedded
