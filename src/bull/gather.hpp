#pragma once
// Several replies as one: the parts of an operation that is too large for one script.
// Thread-safety: as Future.
#include <mutex>
#include <vector>

#include "bull/shared.hpp"

namespace gaur::bull {

/// Calls `done(replies)` when all have come, in the order of asking; the first error instead of them, if
/// there is one.
template <class Done>
void gather(std::vector<redis::Answer<redis::Reply>> answers, Done done) {
  struct State {
    std::mutex mutex;
    std::vector<redis::Reply> replies;
    std::optional<Error> error;
    std::size_t missing = 0;
  };
  if (answers.empty()) return done(Result<std::vector<redis::Reply>>(std::vector<redis::Reply>{}));
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
      if (state->error) return done(Result<std::vector<redis::Reply>>(*state->error));
      done(Result<std::vector<redis::Reply>>(std::move(state->replies)));
    });
  }
}

/// The lines of a text, without their ends; none of an empty one.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace gaur::bull
