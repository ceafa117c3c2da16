// Recovery of stalled jobs, and delayed jobs that are due.
#include "redis_store/finish_and_take.hpp"
#include "redis_store/scripts.hpp"
#include "redis_store/stalled_detector.hpp"
#include "redis_store/take_arguments.hpp"
#include "redis_store/when_all.hpp"

namespace gaur::redis_store {
namespace {

constexpr std::size_t kMostWoken = 1'000;

void append_ids(const redis::Reply& reply, std::vector<JobId>& ids) {
  for (const redis::Reply& id : array_of(reply)) ids.emplace_back(text_of(id));
}

/// Recovers these jobs, some per script, and completes `out` with the outcome.
void recover_jobs(const ContextPtr& context, const RecoverRequest& request,
                  const std::vector<std::string>& ids, const std::shared_ptr<Recovered>& out,
                  const Promise<Result<Recovered>>& promise) {
  std::vector<redis::Answer<redis::Reply>> answers;
  for (std::size_t first = 0; first < ids.size(); first += kJobsPerScript) {
    std::vector<std::string> arguments{std::to_string(request.max_stalled),
                                       keep_argument(request.keep_failed)};
    for (std::size_t i = first; i < std::min(first + kJobsPerScript, ids.size()); ++i)
      arguments.push_back(ids[i]);
    answers.push_back(context->run("recover", request.queue, std::move(arguments)));
  }
  when_all(std::move(answers), [promise, out](const Result<Replies>& replies) {
    if (!replies) return promise.set(replies.error());
    for (const redis::Reply& reply : *replies) {
      const auto& parts = array_of(reply);
      if (parts.size() < 2) return promise.set(malformed("recover"));
      append_ids(parts[0], out->requeued);
      append_ids(parts[1], out->failed);
    }
    promise.set(std::move(*out));
  });
}

/// Wakes some per script, until none is due or enough were woken.
void wake_some(const ContextPtr& context, const QueueName& queue, std::size_t woken,
               const Promise<Result<QueueHint>>& promise) {
  auto answer = context->run("wake_delayed", queue, {"gaur", std::to_string(kJobsPerScript)});
  std::move(answer).then([=](Result<redis::Reply> reply) {
    auto good = checked(std::move(reply));
    if (!good) return promise.set(good.error());
    const auto& parts = array_of(*good);
    if (parts.size() < 4) return promise.set(malformed("wake_delayed"));
    const auto due = static_cast<std::size_t>(integer_of(parts[0]));
    if (due == kJobsPerScript && woken + due < kMostWoken)
      return wake_some(context, queue, woken + due, promise);
    QueueHint next;
    if (!parts[1].is_nil()) next.due = due_of_score(std::strtod(text_of(parts[1]).c_str(), nullptr));
    next.paused = integer_of(parts[2]) == 1;
    next.more = integer_of(parts[3]) > 0;
    promise.set(next);
  });
}

}  // namespace

Async<Recovered> FinishAndTake::recover(RecoverRequest request) {
  Promise<Result<Recovered>> promise;
  auto future = promise.future();
  auto active = context_->run("active_jobs", request.queue, {});
  std::move(active).then([promise, request = std::move(request), context = context_,
                          memory = memory_](Result<redis::Reply> reply) {
    auto good = checked(std::move(reply));
    if (!good) return promise.set(good.error());
    auto out = std::make_shared<Recovered>();
    std::vector<std::string> ids;
    {
      std::lock_guard lock(memory->mutex);
      ids = StalledDetector(*context, request, *memory).stalled(array_of(*good), out->unlocked);
    }
    recover_jobs(context, request, ids, out, promise);
  });
  return future;
}

Async<QueueHint> FinishAndTake::wake_delayed(QueueName queue) {
  Promise<Result<QueueHint>> promise;
  auto future = promise.future();
  wake_some(context_, queue, 0, promise);
  return future;
}

}  // namespace gaur::redis_store
