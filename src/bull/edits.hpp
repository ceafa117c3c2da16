#pragma once
// Verbs on one job by hand: cancel, retry, promote, remove, data, progress, logs, delay and priority.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class Edits {
 public:
  explicit Edits(SharedPtr shared) : shared_(std::move(shared)) {}

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
  SharedPtr shared_;
};

}  // namespace gaur::bull
