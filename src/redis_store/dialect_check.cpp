#include "redis_store/dialect_check.hpp"

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace gaur::redis_store {

namespace {
constexpr std::size_t kMostPassed = 100'000;  // beyond it all queues are checked again
}  // namespace

Status validate_prefix(std::string_view prefix) {
  const auto bad = prefix.find_first_of("@*?[]\\");
  if (bad == std::string_view::npos && !prefix.empty() && json::is_utf8(prefix)) return ok();
  return Error{Errc::kInvalidArgument,
               "prefix: not empty, UTF-8, without @ * ? [ ] and \\ (they break subscriptions), was " +
                   json::quote(utf8_prefix(prefix, 100))};
}

DialectCheck::DialectCheck(redis::Client& client, std::string prefix, MayBeUsed may_be_used)
    : client_(client),
      prefix_(std::move(prefix)),
      may_be_used_(may_be_used),
      state_(std::make_shared<State>()) {}

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
    const auto [calls, is_first] = state_->waiting.try_emplace(queue);
    calls->second.push_back(std::move(enter));
    if (!is_first) return;
  }
  read_evidence(client_, Keys(prefix_, queue))
      .then([queue, state = state_, may_be_used = may_be_used_](const Result<Evidence>& evidence) {
        state->finish_check(queue, evidence ? may_be_used(queue, *evidence) : Status(evidence.error()));
      });
}

/// Calls that arrive during the check are run in order; the queue counts as passed once none waits.
void DialectCheck::State::finish_check(const QueueName& queue, const Status& use) {
  bool done = false;
  while (!done) {
    std::vector<Enter> calls;
    {
      std::lock_guard lock(mutex);
      const auto here = waiting.find(queue);
      calls.swap(here->second);
      done = calls.empty() || !use;
      if (done) waiting.erase(here);
      if (done && use) {
        if (passed.size() > kMostPassed) passed.clear();
        passed.insert(queue);
      }
    }
    for (const Enter& enter : calls) enter(use);
  }
}

}  // namespace gaur::redis_store
