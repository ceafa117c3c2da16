#pragma once
// finish_and_take, the locks of taken jobs, recovery of unlocked jobs, and delayed jobs that are due.
// Thread-safety: that of Store.
#include "redis_store/store_context.hpp"
#include "redis_store/take_memory.hpp"

namespace gaur::redis_store {

class AdmissionScan;

class FinishAndTake {
 public:
  explicit FinishAndTake(ContextPtr context);

  Async<TakeReply> finish_and_take(TakeRequest request);
  Async<ExtendReply> extend_locks(ExtendRequest request);
  Async<Recovered> recover(RecoverRequest request);
  Async<std::vector<JobId>> reclaim(ReclaimRequest request);
  Async<QueueHint> wake_delayed(QueueName queue);
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string field,
                                                        std::uint32_t limit);
  /// A job gets other data, and with it perhaps another function.
  void data_changed(const JobRef& job);

  const std::shared_ptr<TakeMemory>& memory() const { return memory_; }

 private:
  ContextPtr context_;
  std::shared_ptr<TakeMemory> memory_;
  std::shared_ptr<AdmissionScan> scan_;
};

}  // namespace gaur::redis_store
