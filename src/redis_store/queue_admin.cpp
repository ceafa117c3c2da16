#include "redis_store/queue_admin.hpp"

#include <fmt/format.h>

#include "redis_store/scripts.hpp"

namespace gaur::redis_store {

namespace {

/// Repeats a script until nothing is left, so that no single call occupies the server for long.
struct Removal : std::enable_shared_from_this<Removal> {
  Removal(ContextPtr the_context, QueueName the_queue)
      : context(std::move(the_context)), queue(std::move(the_queue)) {}
  virtual ~Removal() = default;
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  Async<std::uint64_t> start() {
    auto future = promise.future();
    step();
    return future;
  }
  void step() {
    auto [script, arguments] = next();
    context->run(script, queue, std::move(arguments))
        .then([self = shared_from_this()](Result<redis::Reply> reply) {
          auto good = checked(std::move(reply));
          if (!good) return self->promise.set(good.error());
          const Result<bool> more = self->read(*good);
          if (!more) return self->promise.set(more.error());
          *more ? self->step() : self->promise.set(self->removed);
        });
  }
  virtual std::pair<std::string_view, std::vector<std::string>> next() const = 0;
  /// Whether to run the script again.
  virtual Result<bool> read(const redis::Reply& reply) = 0;

  ContextPtr context;
  const QueueName queue;
  Promise<Result<std::uint64_t>> promise;
  std::uint64_t removed = 0;
};

struct Drain final : Removal {
  using Removal::Removal;
  bool delayed_too = false;
  std::pair<std::string_view, std::vector<std::string>> next() const override {
    return {"drain", {delayed_too ? "1" : "0", std::to_string(kJobsPerScript)}};
  }
  Result<bool> read(const redis::Reply& reply) override {
    const auto step = static_cast<std::uint64_t>(integer_of(reply));
    removed += step;
    return step == kJobsPerScript;
  }
};

struct Clean final : Removal {
  using Removal::Removal;
  State state = State::kCompleted;
  Duration grace{0};
  /// 0: all.
  std::uint64_t limit = 0;
  std::uint64_t locked = 0;
  std::uint64_t wanted() const {
    return limit == 0 ? kJobsPerScript : std::min(kJobsPerScript, limit - removed);
  }
  std::pair<std::string_view, std::vector<std::string>> next() const override {
    return {"clean",
            {state == State::kCompleted ? "completed" : "failed", std::to_string(grace.count()),
             std::to_string(wanted()), std::to_string(locked)}};
  }
  Result<bool> read(const redis::Reply& reply) override {
    const auto& parts = array_of(reply);
    if (parts.size() != 2) return malformed("clean");
    const auto step = static_cast<std::uint64_t>(integer_of(parts[0]) + integer_of(parts[1]));
    const bool full = step == wanted();
    removed += static_cast<std::uint64_t>(integer_of(parts[0]));
    locked += static_cast<std::uint64_t>(integer_of(parts[1]));
    return full && (limit == 0 || removed < limit);
  }
};

struct Obliterate final : Removal {
  using Removal::Removal;
  bool force = false;
  std::pair<std::string_view, std::vector<std::string>> next() const override {
    return {"obliterate", {force ? "1" : "0", std::to_string(kJobsPerScript)}};
  }
  Result<bool> read(const redis::Reply& reply) override {
    const auto& parts = array_of(reply);
    if (parts.empty()) return malformed("obliterate");
    const std::int64_t step = integer_of(parts[0]);
    if (step < 0) {
      return Error{Errc::kBusy, fmt::format("queue {}: {} jobs are running", queue.value,
                                            parts.size() > 1 ? integer_of(parts[1]) : 0)};
    }
    removed += static_cast<std::uint64_t>(step);
    return step > 0;
  }
};

Async<Unit> done(redis::Answer<redis::Reply> answer) {
  return read_reply<Unit>(std::move(answer), [](const redis::Reply&) -> Status { return ok(); });
}

}  // namespace

Async<Unit> QueueAdmin::pause(QueueName queue) {
  if (Status valid = validate_queue_name(queue.value); !valid) return context_->answer<Unit>(valid.error());
  return done(context_->run("pause", queue, {}));
}

Async<Unit> QueueAdmin::resume(QueueName queue) {
  return done(context_->run("resume", queue, {}));
}

Async<std::uint64_t> QueueAdmin::drain(QueueName queue, bool delayed_too) {
  const auto drain = std::make_shared<Drain>(context_, std::move(queue));
  drain->delayed_too = delayed_too;
  return drain->start();
}

Async<std::uint64_t> QueueAdmin::clean(QueueName queue, State state, Duration grace, std::uint64_t limit) {
  if (state != State::kCompleted && state != State::kFailed) {
    return context_->answer<std::uint64_t>(Error{
        Errc::kInvalidArgument, fmt::format("clean: completed or failed jobs, not {}", to_string(state))});
  }
  const auto clean = std::make_shared<Clean>(context_, std::move(queue));
  clean->state = state;
  clean->grace = grace;
  clean->limit = limit;
  return clean->start();
}

Async<Unit> QueueAdmin::obliterate(QueueName queue, bool force) {
  const auto obliterate = std::make_shared<Obliterate>(context_, std::move(queue));
  obliterate->force = force;
  Promise<Status> promise;
  auto future = promise.future();
  obliterate->start().then([promise](Result<std::uint64_t> removed) {
    if (!removed) return promise.set(removed.error());
    promise.set(ok());
  });
  return future;
}

Async<Unit> QueueAdmin::set_global_concurrency(QueueName /*queue*/,
                                               std::optional<std::uint32_t> /*at_most*/) {
  return context_->answer<Unit>(Error{Errc::kUnsupported, context_->dialect.no_global_concurrency});
}

Async<Unit> QueueAdmin::set_rate_limit(QueueName /*queue*/, std::optional<RateLimit> /*limit*/) {
  return context_->answer<Unit>(Error{Errc::kUnsupported, context_->dialect.no_rate_limit});
}

Async<Unit> QueueAdmin::remove_deduplication(QueueName queue, std::string id) {
  Promise<Status> promise;
  auto future = promise.future();
  context_->client.call({"DEL", context_->keys(queue).at("de:" + id)})
      .then([promise](Result<redis::Reply> reply) {
        const auto good = checked(std::move(reply));
        promise.set(good ? ok() : Status(good.error()));
      });
  return future;
}

}  // namespace gaur::redis_store
