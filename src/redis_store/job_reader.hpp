#pragma once
// Reads jobs, states, counts, ranges and logs. Thread-safety: that of Store.
#include "redis_store/store_context.hpp"

namespace gaur::redis_store {

class JobReader {
 public:
  explicit JobReader(ContextPtr context) : context_(std::move(context)) {}

  Async<Job> get(JobRef job);
  Async<State> state(JobRef job);
  Async<Position> position(JobRef job);
  Async<std::vector<QueueName>> queues();
  Async<Counts> counts(QueueName queue);
  /// One script reads the ids, a pipeline the jobs: a job that was moved or removed meanwhile is left out.
  Async<std::vector<Job>> range(RangeRequest request);
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit);

 private:
  ContextPtr context_;
};

}  // namespace gaur::redis_store
