#pragma once
// From the server's replies to answers of the store: errors, texts, numbers, states.
// Thread-safety: pure functions; continuations run where the client answers.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store.hpp"
#include "gaur/future.hpp"
#include "redis/client.hpp"

namespace gaur::redis_store {

using Replies = std::vector<redis::Reply>;

/// kStoreFull: out of memory; kDisconnected: loading, read-only, master down; kPermission: an ACL rule is
/// missing, with the rule in the message.
Error error_of(const redis::Reply::Failure& failure);
/// The reply, or the Error of the failure that it is.
Result<redis::Reply> checked(Result<redis::Reply> reply);

/// Runs `read(reply)` on the reply and fulfils the Future with its Result<T>.
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

/// Sends one pipeline. `next` gets as many replies as there are commands, failures among them; otherwise
/// `promise` gets the error. Without commands nothing is sent.
template <class T>
void run_pipeline(redis::Client& client, std::vector<redis::Command> commands,
                  const Promise<Result<T>>& promise, std::function<void(Replies)> next) {
  const std::size_t expected = commands.size();
  if (expected == 0) return next({});
  client.pipeline(std::move(commands))
      .then([promise, next = std::move(next), expected](Result<Replies> replies) {
        if (!replies) return promise.set(replies.error());
        if (replies->size() != expected)
          return promise.set(
              Error{Errc::kCorrupt, "redis: the pipeline's reply has fewer elements than commands"});
        next(*std::move(replies));
      });
}

/// "" for nil and for an array.
std::string text_of(const redis::Reply& reply);
/// 0 for what is not a number.
std::int64_t integer_of(const redis::Reply& reply);
/// 0 for a negative number and for what is not a number.
std::uint64_t count_of(const redis::Reply& reply);
/// A score: RESP2 sends a text, RESP3 a double.
double score_of(const redis::Reply& reply);
/// Empty for what is not an array.
const redis::Reply::Array& array_of(const redis::Reply& reply);
/// The lines of a text, without their ends; none of an empty one.
std::vector<std::string_view> lines_of(std::string_view text);
/// The reply of TIME, in ms.
Time server_time(const redis::Reply& reply);

/// A number as Lua or JavaScript wrote it ("1795350977642.0012"), rounded down; 0 if it is not a number.
std::int64_t whole_number(std::string_view text);
/// The ms in a score of `delayed`: floor(score / 4096).
Time due_of_score(double score);

/// The state of a letter in our scripts' replies ("w", "p", "d", "a", "c", "f").
std::optional<State> state_of(std::string_view letter);
/// '-' for a state that scripts do not know.
char letter_of(State state);

/// kCorrupt: our own script replied in another shape.
Error malformed(std::string_view script);
Error no_such_job(const JobRef& job);
Error not_in_state(const JobRef& job, std::string_view letter, std::string_view wanted);
Error store_closed();

}  // namespace gaur::redis_store
