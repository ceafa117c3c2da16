#pragma once
// Looking: jobs, states, counts, ranges, logs.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class Looking {
 public:
  explicit Looking(SharedPtr shared) : shared_(std::move(shared)) {}

  Async<Job> get(JobRef job);
  Async<State> state(JobRef job);
  Async<Position> position(JobRef job);
  Async<std::vector<QueueName>> queues();
  Async<Counts> counts(QueueName queue);
  Async<std::vector<Job>> range(RangeRequest request);
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit);

 private:
  SharedPtr shared_;
};

}  // namespace gaur::bull
