#include "app/host/queue_watch.hpp"

#include "base/try.hpp"

namespace gaur::app {

namespace {

/// All other errors concern the whole store: it is unreachable or busy.
bool concerns_one_queue(Errc code) {
  return code == Errc::kPermission || code == Errc::kCorrupt;
}

/// Joins the errors of all refused queues.
Error error_of_all(const Refusals& refused) {
  constexpr std::size_t kShown = 5;
  std::string text;
  std::size_t shown = 0;
  for (const auto& [queue, refusal] : refused) {
    if (shown++ == kShown) return {refused.begin()->second.error.code, text + "; and more"};
    text += (text.empty() ? "" : "; ") + refusal.error.message;
  }
  return {refused.begin()->second.error.code, std::move(text)};
}

}  // namespace

Result<std::optional<Refusal>> refusal_of(const QueueName& queue, const Result<bull::Evidence>& evidence) {
  if (!evidence && !concerns_one_queue(evidence.error().code)) return evidence.error();
  if (!evidence) return Refusal{evidence.error().in("queue " + queue.value), false};
  if (const Status usable = bull::may_be_used_as_bull(queue, *evidence); !usable)
    return Refusal{usable.error(), true};
  return std::optional<Refusal>();
}

Result<Refusals> check_queues(bull::Inspector& inspector, const std::vector<QueueName>& queues) {
  Refusals refused;
  for (const QueueName& queue : queues) {
    GAUR_TRY(std::optional<Refusal> refusal, refusal_of(queue, inspector.dialect(queue).get()));
    if (refusal) refused.emplace(queue, *std::move(refusal));
  }
  if (!queues.empty() && refused.size() == queues.size()) return error_of_all(refused);
  return refused;
}

void QueueWatch::set_refused(const Refusals& refused) {
  for (const auto& [queue, refusal] : refused) note(queue, refusal);
}

void QueueWatch::follow(const QueueName& queue) {
  loop_.post([this, queue] { check(queue); });
}

Refusals QueueWatch::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

void QueueWatch::check(const QueueName& queue) {
  if (stopped_) return;
  inspector_.dialect(queue).then([this, queue](const Result<bull::Evidence>& evidence) {
    if (stopped_) return;
    const auto refusal = refusal_of(queue, evidence);
    if (refusal) note(queue, *refusal);
    const Duration pause = refusal && *refusal ? kEveryRefused : kEvery;
    loop_.post_at(clock_.now() + pause, [this, queue] { check(queue); });
  });
}

void QueueWatch::note(const QueueName& queue, const std::optional<Refusal>& refusal) {
  bool was_refused = false;
  {
    std::lock_guard lock(mutex_);
    was_refused = refused_.erase(queue) > 0;
    if (refusal) refused_.emplace(queue, *refusal);
  }
  if (!refusal && !was_refused) return;
  if (refusal && !was_refused)
    log_.error("queue refused: this host takes no jobs from it",
               {{"queue", queue.value}, {"error", refusal->error.message}});
  if (!refusal) log_.info("queue accepted again", {{"queue", queue.value}});
  on_change_(queue, refusal ? &*refusal : nullptr);
}

}  // namespace gaur::app
