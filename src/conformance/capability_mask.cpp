#include "conformance/capability_mask.hpp"

namespace gaur::conformance {

namespace {

Job masked(Job job, Capabilities capabilities) {
  if (!capabilities.has(Capability::kProcessedBy)) job.processed_by.clear();
  if (!capabilities.has(Capability::kUsage)) job.usage.reset();
  // A store of message and stacks only returns the failure's own stack as the newest of those.
  if (!capabilities.has(Capability::kFailureCode) && job.failure)
    job.failure = Failure{.message = job.failure->message};
  return job;
}

}  // namespace

Async<TakeReply> CapabilityMask::finish_and_take(TakeRequest request) {
  if (!capabilities_.has(Capability::kHandOff)) request.long_poll = Duration{0};
  return with_inspected(
      inner().finish_and_take(std::move(request)),
      [capabilities = capabilities_, kept_is_exact = semantics_.kept_is_exact](Result<TakeReply>& reply) {
        if (!reply) return;
        for (Taken& taken : reply->taken) taken.job = masked(std::move(taken.job), capabilities);
        for (Result<FinishResult>& finished : reply->finished) {
          if (finished && !kept_is_exact) finished->kept = true;
        }
      });
}

Async<Job> CapabilityMask::get(JobRef job) {
  return with_inspected(inner().get(std::move(job)), [capabilities = capabilities_](Result<Job>& reply) {
    if (reply) *reply = masked(std::move(*reply), capabilities);
  });
}

Async<std::vector<Job>> CapabilityMask::range(RangeRequest request) {
  return with_inspected(inner().range(std::move(request)),
                        [capabilities = capabilities_](Result<std::vector<Job>>& reply) {
                          if (!reply) return;
                          for (Job& job : *reply) job = masked(std::move(job), capabilities);
                        });
}

Async<EventPage> CapabilityMask::events(QueueName queue, std::string cursor, std::uint32_t limit,
                                        Duration at_most) {
  if (!capabilities_.has(Capability::kEventLog)) return ready(Result<EventPage>(EventPage{}));
  return inner().events(std::move(queue), std::move(cursor), limit, at_most);
}

}  // namespace gaur::conformance
