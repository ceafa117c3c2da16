#pragma once
// What all groups of verbs of a Bull store share: the client, the scripts, the clock that scripts are given,
// and how a reply becomes an answer. It lives as long as the last answer that is on its way. Thread-safety:
// any thread; `hooks` are set before the first verb.
#include <atomic>
#include <functional>
#include <memory>

#include "bull/bull_store.hpp"
#include "bull/dialect_check.hpp"
#include "bull/keys.hpp"
#include "bull/scripts.hpp"

namespace gaur::bull {

struct Shared : std::enable_shared_from_this<Shared> {
  Shared(redis::Client& the_client, Env the_env, BullOptions the_options)
      : client(the_client), env(the_env), options(std::move(the_options)), gate(client, options.prefix) {}

  redis::Client& client;
  const Env env;
  const BullOptions options;
  const Scripts scripts;
  DialectCheck gate;
  std::atomic<bool> open{true};  ///< false once the store is gone: continuations must not touch the client

  /// Called for every job that a turn took, on the loop, before the turn is answered: repeatable jobs
  /// schedule their next iteration here.
  std::function<void(const QueueName&, const Job&)> on_taken;
  /// Called when a scan found something to take behind what a turn looks at.
  std::function<void(const QueueName&)> on_found;

  Keys keys(const QueueName& queue) const { return {options.prefix, queue}; }
  /// What scripts take for now: "" for the server's own clock.
  std::string now() const {
    return options.clock_for_tests == nullptr ? "" : std::to_string(to_ms(options.clock_for_tests->wall()));
  }
  /// The life of a lock as scripts get it. The server lets locks expire by its own clock: where a test moves
  /// a clock of its own, a thousandth of that clock is the server's, so that the test's real duration does
  /// not count.
  std::string lock_ms(Duration life) const {
    return std::to_string(options.clock_for_tests == nullptr ? life.count() : life.count() * 1000);
  }
  /// KEYS are the queue's two bases; `arguments` follow `now()`, which is ARGV[1] of every script. Before the
  /// first on a queue its dialect is looked at (gate.hpp).
  redis::Answer<redis::Reply> run(std::string_view script, const QueueName& queue,
                                  std::vector<std::string> arguments);

  /// An answer that needs no server, delivered on the loop as any other.
  template <class T>
  Async<T> answer(Result<T> value) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    env.loop.post([promise, value = std::move(value)] { promise.set(value); });
    return future;
  }
};
using SharedPtr = std::shared_ptr<Shared>;

/// The reply, or the Error that a failure of the server's stands for (out of memory: kStoreFull; loading,
/// read-only, master down: kDisconnected; no permission: kPermission).
Result<redis::Reply> checked(Result<redis::Reply> reply);
Error error_of(const redis::Reply::Failure& failure);

/// Runs `read(reply)` on what the server answered and fulfils the Future with its Result<T>.
template <class T, class Read>
Async<T> read_reply(redis::Answer<redis::Reply> answer, Read read) {
  Promise<Result<T>> promise;
  auto future = promise.future();
  std::move(answer).then([promise, read = std::move(read)](Result<redis::Reply> reply) mutable {
    auto good = checked(std::move(reply));
    if (!good) return promise.set(Result<T>(good.error()));
    promise.set(read(*std::move(good)));
  });
  return future;
}

// ---- reading replies ---------------------------------------------------------------------------

/// The element as text ("" for nil and anything else), as number (0 for what is none).
std::string text_of(const redis::Reply& reply);
std::int64_t integer_of(const redis::Reply& reply);
const redis::Reply::Array& array_of(const redis::Reply& reply);  ///< empty for what is none
/// A lane's name stands in keys, in tokens and behind the @ of channels. Errors: kInvalidArgument.
Status check_lane(const SessionName& session);
Error stale_operation(const OperationId& op,
                      std::string_view last);  ///< the lane's last number is above this one
Error malformed(std::string_view script);      ///< kCorrupt: our script answered otherwise

}  // namespace gaur::bull
