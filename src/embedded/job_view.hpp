#pragma once
// The keys of all tables, and a job assembled from its records. The engine and the readers use both.
// Thread-safety: pure functions over the caller's transaction.
#include "embedded/lmdb_env.hpp"
#include "embedded/records.hpp"

namespace gaur::embedded {

// Keys of table `meta`, beside kFormatKey and kGlobalKey.
/// "q" and the queue's name.
Key queue_key(const QueueName& name);
/// "n" and the number of a worker's name.
Key name_key(std::uint32_t number);
Key part_key(JobKey job, Part part);
Key id_key(QueueNumber queue, std::string_view id);
Key ready_prefix(QueueNumber queue);
Key ready_key(QueueNumber queue, std::uint32_t priority, std::int64_t order);
// The index of ready jobs by function. `priority_and_order` is the part of a ready key after the queue.
Key function_prefix(QueueNumber queue, FunctionHash function);
Key function_key(QueueNumber queue, FunctionHash function, std::string_view priority_and_order);
Key delayed_key(QueueNumber queue, std::int64_t due, std::int64_t order);
Key active_key(QueueNumber queue, std::int64_t order);
Key finished_prefix(QueueNumber queue, State state);
Key finished_key(QueueNumber queue, State state, std::int64_t order);
Key events_key(QueueNumber queue, std::uint64_t first);
Key log_key(JobKey job, std::uint64_t line);
/// The table of the set that contains jobs of this state, and a job's key in it.
Table set_table(State state);
Key set_key(JobKey job, const JobState& state);

std::string encode_job_number(JobNumber job);
/// The job number in the value of an entry of any set.
std::optional<JobNumber> decode_job_number(std::string_view value);

/// The value of a ready entry.
struct ReadyEntry {
  JobNumber job = 0;
  FunctionHash function = 0;
};
std::array<char, 16> encode_ready_entry(const ReadyEntry& entry);
std::optional<ReadyEntry> decode_ready_entry(std::string_view value);
/// Priority and order of a ready key.
inline std::string_view priority_and_order(std::string_view ready_key) {
  return ready_key.substr(4);
}

/// The key of the job with this id. A generated id is not looked up. Errors: kNotFound, kCorrupt.
Result<JobKey> find_job(Txn& txn, QueueNumber queue, const JobId& id);
/// Errors: kNotFound, kCorrupt.
Result<JobState> load_state(Txn& txn, JobKey job);
/// The views are valid until the transaction's next write. Errors: kCorrupt.
Result<JobBody> load_body(Txn& txn, JobKey job);
Result<StoredFailure> load_failure(Txn& txn, JobKey job);
/// Reads the worker's name from table `meta`. Errors: kCorrupt.
Result<Job> load_job(Txn& txn, const QueueName& queue, JobKey job, const JobState& state);

inline std::optional<Time> to_time(std::int64_t ms) {
  return ms == kNoTime ? std::nullopt : std::optional(from_ms(ms));
}
Error not_found(const JobId& id);
/// not_found(), or kCorrupt if the store is known to be damaged: the job may be in the damaged part.
Error missing(const Txn& txn, const JobId& id);

}  // namespace gaur::embedded
