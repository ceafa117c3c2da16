#pragma once
// Administration of whole queues.
// Thread-safety: that of Store.
#include "redis_store/store_context.hpp"

namespace gaur::redis_store {

class QueueAdmin {
 public:
  explicit QueueAdmin(ContextPtr context) : context_(std::move(context)) {}

  Async<Unit> pause(QueueName queue);
  Async<Unit> resume(QueueName queue);
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too);
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit);
  Async<Unit> obliterate(QueueName queue, bool force);
  Async<Unit> set_global_concurrency(QueueName queue, std::optional<std::uint32_t> at_most);
  Async<Unit> set_rate_limit(QueueName queue, std::optional<RateLimit> limit);
  Async<Unit> remove_deduplication(QueueName queue, std::string id);

 private:
  ContextPtr context_;
};

}  // namespace gaur::redis_store
