#include "redis_store/finish_and_take.hpp"

#include "base/try.hpp"
#include "core/validation.hpp"
#include "redis_store/admission_scan.hpp"
#include "redis_store/take_arguments.hpp"
#include "redis_store/take_reply.hpp"
#include "redis_store/when_all.hpp"

namespace gaur::redis_store {
namespace {

Status check(const TakeRequest& request) {
  GAUR_CHECK(validate_queue_name(request.queue.value));
  GAUR_CHECK(check_session(request.op.session));
  if (request.limit && (request.limit->max == 0 || request.limit->per <= Duration{0}))
    return Error{Errc::kInvalidArgument, "rate limit: at least 1 start in at least 1 ms"};
  return ok();
}

}  // namespace

FinishAndTake::FinishAndTake(ContextPtr context)
    : context_(std::move(context)),
      memory_(std::make_shared<TakeMemory>()),
      scan_(std::make_shared<AdmissionScan>(context_, memory_)) {}

Async<TakeReply> FinishAndTake::finish_and_take(TakeRequest request) {
  if (Status good = check(request); !good) return context_->answer<TakeReply>(good.error());
  auto plan = std::make_shared<TakePlan>();
  {
    std::lock_guard lock(memory_->mutex);
    memory_->remember_owner(request.op.session, request.worker);
    TakeMemory::OfQueue& queue = memory_->queues[request.queue];
    expire_functions(context_->env.clock.now(), queue);
    *plan = plan_take(request, *context_, queue);
  }
  Promise<Result<TakeReply>> promise;
  auto future = promise.future();
  std::vector<redis::Answer<redis::Reply>> answers;
  for (auto& part : plan->parts)
    answers.push_back(context_->run("finish_and_take", request.queue, std::move(part)));
  auto sent = std::make_shared<TakeRequest>(std::move(request));
  when_all(std::move(answers), [promise, plan, sent, memory = memory_, context = context_,
                                scan = scan_](const Result<Replies>& replies) {
    auto reply = read_take_reply(replies, *sent, *plan, *context, *memory);
    if (!reply) return promise.set(reply.error());
    if (context->on_taken) {
      for (const Taken& taken : reply->taken) context->on_taken(sent->queue, taken.job);
    }
    if (plan->takes_by_needs) scan->run_if_needed(sent->queue);
    promise.set(*std::move(reply));
  });
  return future;
}

Async<std::vector<WaitingFunction>> FinishAndTake::waiting_functions(QueueName queue, std::string field,
                                                                     std::uint32_t limit) {
  return scan_->waiting_functions(queue, std::move(field), limit);
}

void FinishAndTake::data_changed(const JobRef& job) {
  std::lock_guard lock(memory_->mutex);
  const auto found = memory_->queues.find(job.queue);
  if (found != memory_->queues.end()) found->second.functions.erase(job.id);
}

}  // namespace gaur::redis_store
