#include "conformance/capability_mask.hpp"

namespace gaur::conformance {

template <class T, class Change>
Async<T> CapabilityMask::changed(Async<T> answer, Change change) {
  Promise<Result<T>> promise;
  auto future = promise.future();
  std::move(answer).then([promise, change = std::move(change)](Result<T> value) {
    if (value) change(*value);
    promise.set(std::move(value));
  });
  return future;
}

Job CapabilityMask::seen(Job job) const {
  if (!can_.has(Capability::kProcessedBy)) job.processed_by.clear();
  if (!can_.has(Capability::kUsage)) job.usage.reset();
  // Where only message and stacks are stored, the failure's own stack is the newest of those.
  if (!can_.has(Capability::kFailureCode) && job.failure)
    job.failure = Failure{.message = job.failure->message};
  return job;
}

Async<TakeReply> CapabilityMask::finish_and_take(TakeRequest turn) {
  if (!can_.has(Capability::kHandOff)) turn.park = Duration{0};
  return changed(store().finish_and_take(std::move(turn)), [self = *this](TakeReply& reply) {
    for (Taken& taken : reply.taken) taken.job = self.seen(std::move(taken.job));
    for (Result<FinishResult>& moved : reply.finished) {
      if (moved && !self.semantics_.kept_is_exact) moved->kept = true;
    }
  });
}

Async<Job> CapabilityMask::get(JobRef job) {
  return changed(store().get(std::move(job)),
                 [self = *this](Job& found) { found = self.seen(std::move(found)); });
}

Async<std::vector<Job>> CapabilityMask::range(RangeRequest request) {
  return changed(store().range(std::move(request)), [self = *this](std::vector<Job>& jobs) {
    for (Job& job : jobs) job = self.seen(std::move(job));
  });
}

Async<EventPage> CapabilityMask::events(QueueName queue, std::string cursor, std::uint32_t limit,
                                        Duration at_most) {
  if (!can_.has(Capability::kEventLog)) return ready(Result<EventPage>(EventPage{}));
  return store().events(std::move(queue), std::move(cursor), limit, at_most);
}

}  // namespace gaur::conformance
