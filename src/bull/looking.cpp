#include "bull/looking.hpp"

namespace gaur::bull {

Async<Job> Looking::get(JobRef /*job*/) {
  return shared_->not_built_yet<Job>("get");
}

Async<State> Looking::state(JobRef /*job*/) {
  return shared_->not_built_yet<State>("state");
}

Async<Position> Looking::position(JobRef /*job*/) {
  return shared_->not_built_yet<Position>("position");
}

Async<std::vector<QueueName>> Looking::queues() {
  return shared_->not_built_yet<std::vector<QueueName>>("queues");
}

Async<Counts> Looking::counts(QueueName /*queue*/) {
  return shared_->not_built_yet<Counts>("counts");
}

Async<std::vector<Job>> Looking::range(RangeRequest /*request*/) {
  return shared_->not_built_yet<std::vector<Job>>("range");
}

Async<LogPage> Looking::logs(JobRef /*job*/, std::uint64_t /*offset*/, std::uint32_t /*limit*/) {
  return shared_->not_built_yet<LogPage>("logs");
}

}  // namespace gaur::bull
