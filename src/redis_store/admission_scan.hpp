#pragma once
// Scans the jobs beyond those that a take request looks at (waiting_index.hpp): one script at a time per
// queue. Hints at a queue when it finds a job to take. While jobs are skipped, a slow audit reads the scanned
// part again. Thread-safety: internally locked by TakeMemory's mutex.
#include <memory>

#include "redis_store/store_context.hpp"
#include "redis_store/take_memory.hpp"

namespace gaur::redis_store {

class AdmissionScan : public std::enable_shared_from_this<AdmissionScan> {
 public:
  AdmissionScan(ContextPtr context, std::shared_ptr<TakeMemory> memory)
      : context_(std::move(context)), memory_(std::move(memory)) {}

  /// Starts the next scan if one is needed and none of this queue is under way.
  void run_if_needed(const QueueName& queue);
  /// Implements Reader::waiting_functions: counts the first thousand jobs, and adds what the scans counted
  /// beyond them.
  Async<std::vector<WaitingFunction>> waiting_functions(const QueueName& queue, std::string field,
                                                        std::uint32_t limit);

 private:
  struct Count;
  void count(const std::shared_ptr<Count>& state, std::uint64_t from);
  void run(const QueueName& queue, const ScanTask& task);
  void send(const QueueName& queue, const ScanTask& task);
  void send_ahead(const QueueName& queue, const ScanTask& task, const std::shared_ptr<ScanAhead>& ahead);
  void use_ahead(const QueueName& queue, const ScanTask& task, const Result<redis::Reply>& reply);
  void read(const QueueName& queue, const ScanTask& task, const redis::Reply& reply);
  void finish(const QueueName& queue, const ScanTask& task, const Scanned* result);
  void schedule_audit(const QueueName& queue, Duration after);
  void audit(const QueueName& queue);

  const ContextPtr context_;
  const std::shared_ptr<TakeMemory> memory_;
};

}  // namespace gaur::redis_store
