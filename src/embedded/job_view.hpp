#pragma once
// A job put together from its records, for whoever has a transaction: the engine and the readers.
// Thread-safety: pure over the caller's transaction.
#include "embedded/lmdb_env.hpp"
#include "embedded/records.hpp"

namespace gaur::embedded {

// Keys of table `meta`.
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kGlobalKey = "global";
Key queue_key(const QueueName& name);  ///< "q" and the name
Key name_key(std::uint32_t number);    ///< "n" and the number: a worker's name
Key part_key(JobKey job, Part part);
Key id_key(QueueNumber queue, std::string_view id);
Key ready_prefix(QueueNumber queue);
Key ready_key(QueueNumber queue, std::uint32_t priority, std::int64_t order);
/// Index of ready jobs by function: `place` is what follows the queue in a ready key (priority and order).
Key function_prefix(QueueNumber queue, FunctionHash function);
Key function_key(QueueNumber queue, FunctionHash function, std::string_view place);
Key delayed_key(QueueNumber queue, std::int64_t due, std::int64_t order);
Key active_key(QueueNumber queue, std::int64_t order);
Key finished_prefix(QueueNumber queue, State state);
Key finished_key(QueueNumber queue, State state, std::int64_t order);
Key events_key(QueueNumber queue, std::uint64_t first);
Key log_key(JobKey job, std::uint64_t line);
/// The key of a job's place in the set that its state names; the value there is its number.
Key place_key(JobKey job, const JobState& state);
Table place_table(State state);

std::string number_value(JobNumber job);
std::optional<JobNumber> number_of(std::string_view value);  ///< of an entry of any set

/// The value of a ready entry.
struct ReadyEntry {
  JobNumber job = 0;
  FunctionHash function = 0;
};
std::array<char, 16> ready_value(const ReadyEntry& entry);
std::optional<ReadyEntry> ready_entry_of(std::string_view value);
/// Priority and order of a ready key.
inline std::string_view place_in_line(std::string_view ready_key) {
  return ready_key.substr(4);
}

/// Where a job stands by id. Errors: kNotFound, kCorrupt.
Result<JobKey> find_job(Txn& txn, QueueNumber queue, const JobId& id);
Result<JobState> load_state(Txn& txn, JobKey job);  ///< kNotFound, kCorrupt
/// The views live until the transaction's next write. Errors: kCorrupt.
Result<JobBody> load_body(Txn& txn, JobKey job);
Result<StoredFailure> load_failure(Txn& txn, JobKey job);
/// `processed_by` is looked up in the file. Errors: kCorrupt.
Result<Job> load_job(Txn& txn, const QueueName& queue, JobKey job, const JobState& state);

inline std::optional<Time> to_time(std::int64_t ms) {
  return ms == kNoTime ? std::nullopt : std::optional(from_ms(ms));
}
Error not_found(const JobId& id);

}  // namespace gaur::embedded
