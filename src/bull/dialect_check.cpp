#include "bull/dialect_check.hpp"

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace gaur::bull {

Status validate_prefix(std::string_view prefix) {
  const auto bad = prefix.find_first_of("@*?[]\\");
  if (bad == std::string_view::npos && !prefix.empty() && json::is_utf8(prefix)) return ok();
  return Error{Errc::kInvalidArgument,
               "prefix: not empty, UTF-8, without @ * ? [ ] and \\ (they break subscriptions), was " +
                   json::quote(utf8_prefix(prefix, 100))};
}

DialectCheck::DialectCheck(redis::Client& client, std::string prefix)
    : prefix_(prefix), inspector_(client, std::move(prefix)), state_(std::make_shared<State>()) {}

bool DialectCheck::passed(const QueueName& queue) const {
  std::lock_guard lock(state_->mutex);
  return state_->passed.contains(queue);
}

void DialectCheck::wait(const QueueName& queue, Enter enter) {
  if (Status valid = validate_prefix(prefix_); !valid) return enter(valid);
  {
    std::unique_lock lock(state_->mutex);
    if (state_->passed.contains(queue)) {
      lock.unlock();
      return enter(ok());
    }
    const auto [line, is_first] = state_->lines.try_emplace(queue);
    line->second.push_back(std::move(enter));
    if (!is_first) return;
  }
  inspector_.dialect(queue).then([queue, state = state_](const Result<Evidence>& evidence) {
    state->let_in(queue, evidence ? may_be_used_as_bull(queue, *evidence) : Status(evidence.error()));
  });
}

/// Whoever comes meanwhile stands behind: the gate is open once nobody waits. After a refusal the next to
/// come has the queue looked at again.
void DialectCheck::State::let_in(const QueueName& queue, const Status& use) {
  bool done = false;
  while (!done) {
    std::vector<Enter> waiting;
    {
      std::lock_guard lock(mutex);
      const auto line = lines.find(queue);
      waiting.swap(line->second);
      done = waiting.empty() || !use;
      if (done) lines.erase(line);
      if (done && use) {
        if (passed.size() > 100'000) passed.clear();  // they are looked at again
        passed.insert(queue);
      }
    }
    for (const Enter& enter : waiting) enter(use);
  }
}

}  // namespace gaur::bull
