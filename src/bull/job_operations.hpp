#pragma once
// Verbs on one job by hand: cancel, retry, promote, remove, data, progress, logs, delay and priority.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class JobOperations {
 public:
  explicit JobOperations(SharedPtr shared) : shared_(std::move(shared)) {}

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
  /// For scripts that answer 0, a code of the protocol or the letter of where the job stands.
  Async<Unit> run_on(std::string_view script, const JobRef& job, std::vector<std::string> arguments,
                     std::string_view wanted);

  SharedPtr shared_;
};

}  // namespace gaur::bull
