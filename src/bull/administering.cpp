#include "bull/administering.hpp"

namespace gaur::bull {

Async<Unit> Administering::pause(QueueName /*queue*/) {
  return shared_->not_built_yet<Unit>("pause");
}

Async<Unit> Administering::resume(QueueName /*queue*/) {
  return shared_->not_built_yet<Unit>("resume");
}

Async<std::uint64_t> Administering::drain(QueueName /*queue*/, bool /*delayed_too*/) {
  return shared_->not_built_yet<std::uint64_t>("drain");
}

Async<std::uint64_t> Administering::clean(QueueName /*queue*/, State /*state*/, Duration /*grace*/,
                                          std::uint64_t /*limit*/) {
  return shared_->not_built_yet<std::uint64_t>("clean");
}

Async<Unit> Administering::obliterate(QueueName /*queue*/, bool /*force*/) {
  return shared_->not_built_yet<Unit>("obliterate");
}

Async<Unit> Administering::set_global_concurrency(QueueName /*queue*/,
                                                  std::optional<std::uint32_t> /*at_most*/) {
  return shared_->not_built_yet<Unit>("set_global_concurrency");
}

Async<Unit> Administering::set_rate_limit(QueueName /*queue*/, std::optional<RateLimit> /*limit*/) {
  return shared_->not_built_yet<Unit>("set_rate_limit");
}

Async<Unit> Administering::remove_deduplication(QueueName /*queue*/, std::string /*id*/) {
  return shared_->not_built_yet<Unit>("remove_deduplication");
}

}  // namespace gaur::bull
