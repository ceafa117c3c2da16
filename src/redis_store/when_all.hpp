#pragma once
// Waits for several replies: the parts of an operation that is too large for one script.
// Thread-safety: as Future.
#include <mutex>
#include <vector>

#include "redis_store/replies.hpp"

namespace gaur::redis_store {

/// Calls `done` once, when every answer is there: with the replies in order, or with the first error.
template <class Done>
void when_all(std::vector<redis::Answer<redis::Reply>> answers, Done done) {
  struct State {
    std::mutex mutex;
    Replies replies;
    std::optional<Error> error;
    std::size_t missing = 0;
  };
  if (answers.empty()) return done(Result<Replies>(Replies{}));
  auto state = std::make_shared<State>();
  state->missing = answers.size();
  state->replies.resize(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    std::move(answers[i]).then([state, i, done](Result<redis::Reply> reply) {
      {
        std::lock_guard lock(state->mutex);
        auto good = checked(std::move(reply));
        if (good) {
          state->replies[i] = *std::move(good);
        } else if (!state->error) {
          state->error = good.error();
        }
        if (--state->missing > 0) return;
      }
      if (state->error) return done(Result<Replies>(*state->error));
      done(Result<Replies>(std::move(state->replies)));
    });
  }
}

}  // namespace gaur::redis_store
