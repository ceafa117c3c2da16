#pragma once
// The verbs of gaur::Reader over one read transaction. Keep a snapshot only for one query: a long-lived one
// makes the file grow. Thread-safety: confined to one thread.
#include "core/store.hpp"
#include "embedded/job_view.hpp"

namespace gaur::embedded {

class Snapshot {
 public:
  explicit Snapshot(Txn& txn) : txn_(txn) {}

  /// kCorrupt if a query met damage: its answer is then not complete.
  Status intact() const { return txn_.intact(); }

  Result<Job> get(const JobRef& job);
  Result<State> state(const JobRef& job);
  Result<Position> position(const JobRef& job);
  Result<std::vector<QueueName>> queues();
  Result<Counts> counts(const QueueName& queue);
  Result<std::vector<Job>> range(const RangeRequest& request);
  Result<std::vector<WaitingFunction>> waiting_functions(const QueueName& queue,
                                                         const std::string& function_field,
                                                         std::uint32_t limit);
  Result<LogPage> logs(const JobRef& job, std::uint64_t offset, std::uint32_t limit);
  /// The page after `cursor`, which may be empty. Errors: kInvalidArgument (not a cursor of this queue).
  Result<EventPage> events(const QueueName& queue, const std::string& cursor, std::uint32_t limit);

 private:
  Result<std::optional<QueueRecord>> queue(const QueueName& name);
  Result<JobKey> find(const JobRef& job);
  std::optional<FunctionName> function_at(std::string_view ready_key, const std::string& function_field);
  Status add_events(QueueNumber number, std::uint64_t after, std::uint32_t limit, EventPage& page);

  Txn& txn_;
};

}  // namespace gaur::embedded
