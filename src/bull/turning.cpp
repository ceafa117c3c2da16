#include "bull/turning.hpp"

namespace gaur::bull {

Async<TurnReply> Turning::finish_and_take(Turn /*turn*/) {
  return shared_->not_built_yet<TurnReply>("finish_and_take");
}

Async<ExtendReply> Turning::extend_locks(ExtendRequest /*request*/) {
  return shared_->not_built_yet<ExtendReply>("extend_locks");
}

Async<Recovered> Turning::recover(RecoverRequest /*request*/) {
  return shared_->not_built_yet<Recovered>("recover");
}

Async<std::vector<JobId>> Turning::reclaim(ReclaimRequest /*request*/) {
  return shared_->not_built_yet<std::vector<JobId>>("reclaim");
}

Async<Next> Turning::wake_delayed(QueueName /*queue*/) {
  return shared_->not_built_yet<Next>("wake_delayed");
}

Async<WorkReply> Turning::wait_for_work(WorkRequest /*request*/) {
  return shared_->not_built_yet<WorkReply>("wait_for_work");
}

}  // namespace gaur::bull
