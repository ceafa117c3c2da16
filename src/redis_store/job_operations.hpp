#pragma once
// Verbs on one job: cancel, retry, promote, remove, data, progress, logs, delay and priority.
// Thread-safety: that of Store.
#include "redis_store/store_context.hpp"

namespace gaur::redis_store {

class JobOperations {
 public:
  explicit JobOperations(ContextPtr context) : context_(std::move(context)) {}

  Async<CancelReply> cancel(JobRef job, std::string who, std::string why);
  Async<Unit> retry(JobRef job, bool reset_attempts);
  Async<Unit> promote(JobRef job);
  Async<Unit> remove(JobRef job);
  Async<Unit> update_data(JobRef job, std::string data);
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress);
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines);
  Async<Unit> change_delay(JobRef job, Duration delay);
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo);

 private:
  /// For scripts that reply 0, a code of the protocol, or the letter of the job's state. `wanted`: the states
  /// in which the verb is legal, for the message.
  Async<Unit> change(std::string_view verb, const JobRef& job, std::vector<std::string> arguments,
                     std::string_view wanted);

  ContextPtr context_;
};

}  // namespace gaur::redis_store
