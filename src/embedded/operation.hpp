#pragma once
// The calls that the writer executes: run in a transaction, answered after its commit.
// Thread-safety: an operation moves from the caller to the writer to the executor; it is never shared.
#include <memory>
#include <optional>
#include <vector>

#include "embedded/engine.hpp"

namespace gaur::embedded {

class Operation {
 public:
  virtual ~Operation() = default;
  /// Runs on the writer, in the open transaction.
  virtual void run(Engine& engine) = 0;
  /// Replaces the reply by an error: nothing was changed, or the outcome is unknown.
  virtual void reject(const Error& error) = 0;
  /// Fulfils the caller's promise. Runs on the executor, after the commit.
  virtual void deliver() = 0;
  /// True if run() left work for another transaction. It is then run again before newer calls.
  virtual bool has_more() const { return false; }
  /// Runs on the writer, after the commit. True if another thread answers, so that deliver() is not called.
  virtual bool delegate() { return false; }
  /// About how many bytes an add stores. 0 for other calls: a full disk does not reject them.
  virtual std::uint64_t added_bytes() const { return 0; }
};

/// A call that one function of the engine answers.
template <class T, class Function>
class Call final : public Operation {
 public:
  Call(Promise<Result<T>> promise, Function function, std::uint64_t added_bytes)
      : promise_(std::move(promise)), function_(std::move(function)), added_bytes_(added_bytes) {}
  void run(Engine& engine) override { reply_.emplace(function_(engine)); }
  void reject(const Error& error) override { reply_.emplace(error); }
  void deliver() override { promise_.set(*std::move(reply_)); }
  std::uint64_t added_bytes() const override { return added_bytes_; }

 private:
  Promise<Result<T>> promise_;
  Function function_;
  std::uint64_t added_bytes_;
  std::optional<Result<T>> reply_;
};

/// A removal in batches, so that it does not block other calls for long. `remove` removes at most so many
/// jobs and returns how many; fewer than requested ends the removal. `finally` runs once, after the last
/// batch.
template <class Remove, class Finally>
class BatchedRemoval final : public Operation {
 public:
  static constexpr std::uint64_t kBatch = 2000;
  /// On a full disk, so that one transaction copies few pages.
  static constexpr std::uint64_t kSmallBatch = 50;
  BatchedRemoval(Promise<Result<std::uint64_t>> promise, Remove remove, Finally finally, std::uint64_t limit)
      : promise_(std::move(promise)),
        remove_(std::move(remove)),
        finally_(std::move(finally)),
        limit_(limit) {}
  void run(Engine& engine) override {
    const std::uint64_t batch = std::min(engine.short_of_space() ? kSmallBatch : kBatch, limit_ - removed_);
    Result<std::uint64_t> removed = remove_(engine, batch);
    error_ = removed ? std::nullopt : std::optional(removed.error());
    removed_ += removed.value_or(0);
    has_more_ = removed && *removed == batch && removed_ < limit_;
    if (removed && !has_more_) finally_(engine, removed_);
  }
  void reject(const Error& error) override {
    error_ = error;
    has_more_ = false;
  }
  void deliver() override {
    if (error_) {
      promise_.set(*error_);
    } else {
      promise_.set(removed_);
    }
  }
  bool has_more() const override { return has_more_; }

 private:
  Promise<Result<std::uint64_t>> promise_;
  Remove remove_;
  Finally finally_;
  std::uint64_t limit_;
  std::uint64_t removed_ = 0;
  bool has_more_ = false;
  std::optional<Error> error_;
};

/// finish_and_take. As a long poll it stays in the writer between its first transaction and its reply; a
/// repeat that arrives meanwhile joins it.
struct TakeCall final : public Operation {
  explicit TakeCall(TakeRequest r) : request(std::move(r)), callers(1) {}
  void run(Engine& engine) override {
    auto result = engine.finish_and_take(request);
    waits = result && result->waits;
    reply = result ? Result<TakeReply>(std::move(result->reply)) : Result<TakeReply>(result.error());
  }
  void reject(const Error& error) override { reply = error; }
  void deliver() override {
    for (std::size_t i = 0; i + 1 < callers.size(); ++i) callers[i].set(reply);
    callers.back().set(std::move(reply));
  }

  TakeRequest request;
  std::vector<Promise<Result<TakeReply>>> callers;
  Result<TakeReply> reply{TakeReply{}};
  /// It becomes a long poll.
  bool waits = false;
  Instant until{};
  /// The queue's `ready_change` at which it was last tried without success.
  std::uint64_t tried_at = 0;
};

/// wait_for_work.
struct WorkWait final : public Operation {
  explicit WorkWait(WorkRequest r) : request(std::move(r)) {}
  void run(Engine& engine) override { reply = engine.work_for(request); }
  void reject(const Error& e) override { error = e; }
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

/// Waits until the queue has an event after `after`, or until `until`. Then `read` makes a reader answer.
struct EventWait final : public Operation {
  EventWait(QueueName q, std::optional<std::uint64_t> a, Instant u, Promise<Result<EventPage>> p,
            std::function<void(std::uint64_t)> r)
      : queue(std::move(q)), after(a), until(u), promise(std::move(p)), read(std::move(r)) {}
  void run(Engine&) override {}
  void reject(const Error& e) override { error = e; }
  void deliver() override { promise.set(*std::move(error)); }
  bool delegate() override {
    if (error) return false;
    read(*after);
    return true;
  }

  QueueName queue;
  /// Nothing: the newest event at the moment when the writer receives the call.
  std::optional<std::uint64_t> after;
  Instant until;
  Promise<Result<EventPage>> promise;
  /// Takes the number of the event to read after.
  std::function<void(std::uint64_t)> read;
  std::optional<Error> error;
};

}  // namespace gaur::embedded
