#pragma once
// finish_and_take, the locks of what was taken, and what wakes delayed jobs.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class Turning {
 public:
  explicit Turning(SharedPtr shared) : shared_(std::move(shared)) {}

  Async<TurnReply> finish_and_take(Turn turn);
  Async<ExtendReply> extend_locks(ExtendRequest request);
  Async<Recovered> recover(RecoverRequest request);
  Async<std::vector<JobId>> reclaim(ReclaimRequest request);
  Async<Next> wake_delayed(QueueName queue);
  Async<WorkReply> wait_for_work(WorkRequest request);

 private:
  SharedPtr shared_;
};

}  // namespace gaur::bull
