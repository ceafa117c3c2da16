#include "bull/inspect.hpp"

#include <algorithm>

#include "bull/inspect_impl.hpp"

namespace gaur::bull {

Inspector::Inspector(redis::Client& client, std::string prefix, InspectLimits limits)
    : impl_(std::make_shared<Impl>(client, std::move(prefix), limits)) {}
Inspector::~Inspector() = default;

Async<ServerFacts> Inspector::server() {
  return redis_store::read_server_facts(impl_->client);
}

namespace {
std::uint32_t scan_steps(const InspectLimits& limits) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.scanned_keys / 1000, 1'000'000)) + 1;
}
}  // namespace

Async<Inspector::Found> Inspector::queues() {
  return redis_store::find_queues(impl_->client, impl_->prefix,
                                  {.steps = scan_steps(impl_->limits), .queues = impl_->limits.queues});
}

Async<PrefixesFound> Inspector::prefixes() {
  constexpr std::size_t kQueuesEach = 5;
  return redis_store::find_prefixes(impl_->client,
                                    {.steps = scan_steps(impl_->limits), .queues = kQueuesEach});
}

Async<Evidence> Inspector::dialect(QueueName queue) {
  return redis_store::read_evidence(impl_->client, redis_store::Keys(impl_->prefix, queue));
}

Async<QueueLook> Inspector::look(QueueName queue) {
  Promise<Result<QueueLook>> promise;
  auto future = promise.future();
  dialect(queue).then([impl = impl_, promise, queue](Result<Evidence> evidence) {
    if (!evidence) return promise.set(evidence.error());
    impl->look_at_lists(promise, QueueLook{.queue = queue, .evidence = *std::move(evidence)});
  });
  return future;
}

}  // namespace gaur::bull
