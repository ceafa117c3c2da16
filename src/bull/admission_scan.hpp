#pragma once
// Runs the scans of what waits further back than a turn looks (waiting_index.hpp), one script at a time a
// queue, and hints at the queue when they find something to take. While ids are passed over, a slow audit
// reads the scanned part again. Thread-safety: internally locked by TakeMemory's mutex.
#include <memory>

#include "bull/finish_and_take.hpp"
#include "bull/shared.hpp"

namespace gaur::bull {

class Scanning : public std::enable_shared_from_this<Scanning> {
 public:
  Scanning(SharedPtr shared, std::shared_ptr<TakeMemory> memory)
      : shared_(std::move(shared)), memory_(std::move(memory)) {}

  /// Scans on if there is need and no scan of the queue is under way.
  void poke(const QueueName& queue);
  /// What Reader::waiting_functions answers: the first thousand jobs, and what the scans counted further
  /// back.
  Async<std::vector<WaitingFunction>> functions(const QueueName& queue, std::string field,
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

  const SharedPtr shared_;
  const std::shared_ptr<TakeMemory> memory_;
};

}  // namespace gaur::bull
