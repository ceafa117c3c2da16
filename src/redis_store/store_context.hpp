#pragma once
// What all groups of verbs share: client, dialect, scripts, options, and the clock that scripts get. It lives
// until the last answer was delivered. Thread-safety: any thread; `on_taken` and `on_found` are set before
// the first verb.
#include <atomic>
#include <functional>
#include <memory>

#include "redis_store/dialect.hpp"
#include "redis_store/dialect_check.hpp"
#include "redis_store/redis_store.hpp"
#include "redis_store/replies.hpp"

namespace gaur::redis_store {

struct StoreContext : std::enable_shared_from_this<StoreContext> {
  StoreContext(redis::Client& the_client, Env the_env, Dialect the_dialect, StoreOptions the_options)
      : client(the_client),
        env(the_env),
        dialect(std::move(the_dialect)),
        options(std::move(the_options)),
        scripts(dialect.scripts),
        check(client, options.prefix, dialect.may_be_used) {}

  redis::Client& client;
  const Env env;
  const Dialect dialect;
  const StoreOptions options;
  const Scripts scripts;
  DialectCheck check;
  /// false once the store is gone: continuations must not use the client.
  std::atomic<bool> open{true};

  /// Called on the loop for every job that was taken, before the take request is answered.
  std::function<void(const QueueName&, const Job&)> on_taken;
  /// Called when an admission scan found a job to take.
  std::function<void(const QueueName&)> on_found;

  Keys keys(const QueueName& queue) const { return {options.prefix, queue}; }
  const Clock& clock() const {
    return options.clock_for_tests == nullptr ? env.clock : *options.clock_for_tests;
  }
  /// The time as scripts get it: "" for the server's own clock.
  std::string now() const;
  /// The lifetime of a lock as scripts get it. The server expires locks by its own clock. Under a test's
  /// clock the lifetime is a thousand times as long, so that the real duration of the test does not count.
  std::string lock_ms(Duration life) const;

  /// Runs a verb's script. KEYS are the queue's two bases, ARGV[1] is now(), then come `arguments`. Before
  /// the first script on a queue its dialect is checked.
  redis::Answer<redis::Reply> run(std::string_view verb, const QueueName& queue,
                                  std::vector<std::string> arguments);

  /// The same for a verb on one job; `read(reply)` gives its Result<T>. An id that is reserved for a key of
  /// the queue has no job.
  template <class T, class Read>
  Async<T> run_on(const JobRef& job, std::string_view verb, std::vector<std::string> arguments, Read read) {
    if (dialect.layout.is_reserved_id(job.id.value)) return answer<T>(no_such_job(job));
    return read_reply<T>(run(verb, job.queue, std::move(arguments)), std::move(read));
  }

  /// An answer without the server, delivered on the loop as any other.
  template <class T>
  Async<T> answer(Result<T> value) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    env.loop.post([promise, value = std::move(value)] { promise.set(value); });
    return future;
  }
};
using ContextPtr = std::shared_ptr<StoreContext>;

/// Session names are part of keys and of lock tokens, and follow the @ of channels. Errors: kInvalidArgument.
Status check_session(const SessionName& session);
/// kInvalidArgument: the session's last sequence number is above that of `op`.
Error stale_operation(const OperationId& op, std::string_view last);

}  // namespace gaur::redis_store
