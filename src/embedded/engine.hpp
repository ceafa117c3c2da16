#pragma once
// The embedded store without threads and clock: each verb runs in the open write transaction.
//
// Call begin(now), then any number of verbs, then commit() or abort(). A verb reads and checks before its
// first write, so that a rejected verb changes nothing. If LMDB rejects a write, commit() fails for the whole
// transaction. abort() also reverts the state in memory (queue records, locks).
// Thread-safety: confined to the writer.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/semantics.hpp"
#include "core/store.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/job_view.hpp"
#include "embedded/lmdb_env.hpp"
#include "embedded/locks.hpp"
#include "embedded/records.hpp"
#include "embedded/space_guard.hpp"

namespace gaur::embedded {

struct Now {
  Time wall{};
  Instant steady{};
};

/// A queue in memory: its record, and what the open transaction still has to write for it.
struct QueueEntry {
  QueueName name;
  QueueRecord record;
  /// The committed record, if the open transaction touched the queue.
  std::optional<QueueRecord> before;
  /// By the open transaction.
  bool created = false;
  /// The stored record has the layout of an older disk format.
  bool rewrite = false;
  /// Jobs that became ready since the store was opened.
  std::uint64_t arrivals = 1;
  /// Engine::last_change_ at the last change of what can be taken from this queue.
  std::uint64_t ready_change = 0;
  /// Payload of events that are not written yet.
  std::string events;
  std::uint32_t pending_events = 0;

  std::uint64_t& count(State state) { return record.counts[static_cast<std::size_t>(state)]; }
  std::uint64_t count(State state) const { return record.counts[static_cast<std::size_t>(state)]; }
  std::uint64_t ready() const { return count(State::kWaiting) + count(State::kPrioritized); }
};

enum class ListEnd : std::uint8_t { kBack, kFront };

/// The kind of the operation that a session remembers. Stored on disk.
enum class OperationKind : std::uint8_t { kAdd = 1, kTake = 2 };

class Engine {
 public:
  struct Totals {
    std::uint64_t added = 0, taken = 0, finished = 0;
  };
  struct TakeResult {
    TakeReply reply;
    /// Nothing was taken, and the request allows a long poll.
    bool waits = false;
  };

  /// Migrates an older disk format, reads the queues and requeues every active job; see
  /// EmbeddedOptions::count_active. Errors: kNewerFormat, kCorrupt, kIo, kStoreFull.
  static Result<std::unique_ptr<Engine>> open(LmdbEnv& env, const Semantics& semantics, Now now,
                                              const std::optional<CountActive>& count = {});

  /// `notify` is called inside every verb that made jobs ready, before the verb's reply is built, so that the
  /// writer can hand jobs off to long polls.
  void on_ready(std::function<void()> notify) { on_ready_ = std::move(notify); }

  /// From now on jobs are taken only if `space`, which must outlive the engine, has space for their ends.
  void use_space(SpaceGuard& space) { space_ = &space; }
  /// By active jobs.
  std::uint64_t reserved_bytes() const { return locks_.reserved_bytes(); }
  /// The disk is full: operations should write little in one transaction.
  bool short_of_space() const { return space_ != nullptr && space_->full(); }

  Status begin(Now now);
  /// Returns whether something was written. On an error nothing was written or (kIo) the outcome is unknown.
  Result<bool> commit();
  void abort();
  bool in_transaction() const { return txn_ != nullptr; }

  // Producers and workers: engine_add.cpp, engine_finish.cpp, engine_take.cpp, engine_locks.cpp
  Result<std::vector<Added>> add(const AddRequest& request);
  Result<TakeResult> finish_and_take(const TakeRequest& request);
  /// Takes jobs for a long poll. Returns true if it took one; `reply` then contains it and the session
  /// remembers it.
  Result<bool> hand_off(const TakeRequest& request, TakeReply& reply);
  /// Updates hint and cancels in the reply of a long poll that ends without a job.
  void refresh(const TakeRequest& request, TakeReply& reply);
  ExtendReply extend_locks(const ExtendRequest& request);
  /// Extends all locks. Outside of a transaction.
  void extend_all_locks(Duration by) { locks_.extend_all(by); }
  bool has_locks() const { return !locks_.empty(); }
  Result<Recovered> recover(const RecoverRequest& request);
  Result<QueueHint> wake_delayed(const QueueName& queue);
  /// The reply of wait_for_work, or nothing if it has to wait.
  std::optional<WorkReply> work_for(const WorkRequest& request);

  // One job: engine_edit.cpp
  Result<CancelReply> cancel(const JobRef& job, const std::string& who, const std::string& why);
  Status retry(const JobRef& job, bool reset_attempts);
  Status promote(const JobRef& job);
  Status remove(const JobRef& job);
  Status update_data(const JobRef& job, const std::string& data);
  Status update_progress(const JobRef& job, const std::optional<LockToken>& token,
                         const std::string& progress);
  Result<std::uint64_t> append_logs(const JobRef& job, const std::vector<std::string>& lines);
  Status change_delay(const JobRef& job, Duration delay);
  Status change_priority(const JobRef& job, std::uint32_t priority, bool lifo);

  // Whole queues: engine_admin.cpp. Those with `limit` remove at most so many jobs and return how many.
  Status pause(const QueueName& queue);
  Status resume(const QueueName& queue);
  Result<std::uint64_t> drain(const QueueName& queue, bool delayed_too, std::uint64_t limit);
  Result<std::uint64_t> clean(const QueueName& queue, State state, Duration grace, std::uint64_t limit);
  /// Writes the event after the last batch of a clean.
  Status cleaned(const QueueName& queue, std::uint64_t removed);
  Result<std::uint64_t> obliterate(const QueueName& queue, bool force, std::uint64_t limit);

  /// After a restore: the store gets a new id, and every queue skips so many job ids and event numbers, at
  /// most 2^52. Errors: kInvalidArgument (a number would exceed 2^53-1).
  Status begin_history(std::uint64_t skip);

  QueueEntry* find_queue(const QueueName& name);
  /// The random id in the format record.
  std::uint64_t store_id() const { return store_id_; }
  const Totals& totals() const { return totals_; }
  /// Entries of the ready jobs and of their index that the last take read. For tests.
  std::uint64_t visited() const { return visited_; }
  /// Pairs of worker and queue whose last hint is remembered. For tests.
  std::size_t remembered_hints() const { return reported_.size(); }

 private:
  struct Found {
    QueueEntry* queue;
    JobKey key;
    JobState state;
  };
  struct Selection {
    std::vector<Taken> taken;
    std::optional<BlockedHead> blocked;
    /// The scan ended before the last ready job.
    bool more = false;
    /// A job was not taken because there is no space for its result.
    bool store_full = false;
    /// What remains of those of the filter.
    Resources free{}, spare{};
  };
  /// A ready job that a take request considers.
  struct Candidate {
    JobKey key;
    JobState state;
    FunctionName function;
  };
  enum class Decision : std::uint8_t { kTake, kSkip, kEnd };
  /// What became of a job that a take request may take.
  enum class Start : std::uint8_t { kDone, kDamaged, kNoSpace };

  Engine(LmdbEnv& env, const Semantics& semantics) : env_(env), semantics_(semantics) {}

  // engine.cpp: opening, transactions, queues, worker names
  Status load();
  Result<std::uint32_t> load_format();
  void write_format();
  Status check_numbers();
  void migrate(std::uint32_t from_format);
  void add_numbers_to_events(const QueueEntry& queue);
  Status requeue_active(QueueEntry& queue, const std::optional<CountActive>& count);
  Result<QueueEntry*> queue_for_writing(const QueueName& name);
  void touch(QueueEntry& queue);
  void write_queue(QueueEntry& queue);
  Result<Found> find(const JobRef& job);
  std::uint32_t name_number(const std::string& name);
  Error not_in_state(const JobRef& job, State state, std::string_view wanted) const;

  // engine_events.cpp
  void event(QueueEntry& queue, EventKind kind, JobNumber job, std::string_view custom_id,
             std::optional<State> previous = {}, std::string_view detail = {});
  void flush_events(QueueEntry& queue);
  void trim_events(QueueEntry& queue);
  /// The custom id of a job, or "".
  std::string custom_id(JobKey job);
  JobId id_of(JobKey job);

  // engine_sets.cpp: the only functions that insert into the sets and remove from them
  void write_state(JobKey job, const JobState& state, bool fresh = false);
  void write_part(JobKey job, Part part, std::string_view text);
  void insert_last(QueueEntry& queue, JobKey job, JobState& state);
  /// Returns the function's hash of a job that was ready, else 0.
  FunctionHash remove_from_set(QueueEntry& queue, JobKey job, const JobState& state);
  void make_ready(QueueEntry& queue, JobKey job, JobState& state, ListEnd end, FunctionHash function);
  void move_to_ready(QueueEntry& queue, JobKey job, JobState& state, State previous, ListEnd end);
  void delay_until(QueueEntry& queue, JobKey job, JobState& state, std::int64_t due);
  void erase_job(QueueEntry& queue, JobKey job, const JobState& state);
  Status remove_entry(QueueEntry& queue, Table table, std::string_view key, JobNumber number);
  void retain(QueueEntry& queue, State state, const Retention& keep, JobNumber just_finished, bool& kept);
  void notify_ready() {
    if (on_ready_) on_ready_();
  }
  void ready_changed(QueueEntry& queue) { queue.ready_change = ++last_change_; }

  // engine_index.cpp: the index of ready jobs by function
  void put_ready(std::string_view ready_key, const ReadyEntry& entry);
  void erase_from_index(std::string_view ready_key, FunctionHash function);
  FunctionHash function_hash(const QueueEntry& queue, JobKey job);
  void update_index(QueueEntry& queue, JobKey job, const JobState& state);
  void set_index_field(QueueEntry& queue, const std::string& function_field);
  void build_index(QueueEntry& queue);

  // engine_add.cpp
  static std::uint64_t new_jobs_in(const AddRequest& request, const QueueEntry* queue, Txn& txn);
  Added add_one(QueueEntry& queue, const NewJob& job);

  // engine_finish.cpp
  Result<FinishResult> finish(QueueEntry& queue, const Finish& finish);
  Result<FinishResult> apply_outcome(QueueEntry& queue, JobKey job, JobState& state, const Finish& finish);
  Result<FinishResult> finish_run(QueueEntry& queue, JobKey job, JobState& state, State to,
                                  const Retention& keep, std::string_view detail);
  FinishResult retry_run(QueueEntry& queue, JobKey job, JobState& state, Duration delay);
  Result<FinishResult> stall(QueueEntry& queue, JobKey job, JobState& state, std::uint32_t max_stalled,
                             const Failure& failure, const Retention& keep);
  void fail_waiting(QueueEntry& queue, JobKey job, JobState& state, State previous, const Failure& failure);
  Status write_failure(JobKey job, JobState& state, const Failure& failure, bool with_stack);
  void store_usage(JobKey job, JobState& state, const Usage& usage);
  static FinishResult current_result(const JobState& state);

  // engine_edit.cpp
  Status book_logs(JobKey job, const std::vector<std::string>& lines);

  // engine_locks.cpp
  Result<FinishResult> stall_unlocked(QueueEntry& queue, JobKey job, JobState& state,
                                      std::uint32_t max_stalled, const Retention& keep);
  Status check_lock(const JobId& id, JobKey job, const JobState& state, const LockToken& token);
  std::vector<CancelRequest> cancels_for(const QueueEntry& queue, const std::string& worker,
                                         bool once = false);

  // engine_take.cpp
  Result<Selection> take(QueueEntry& queue, const TakeRequest& request);
  std::optional<Candidate> read_candidate(const QueueEntry& queue, std::string_view key,
                                          const ReadyEntry& entry, const TakeRequest& request);
  Decision decide(const TakeRequest& request, const Candidate& job, Selection& selection);
  Start start_candidate(QueueEntry& queue, Candidate& job, const TakeRequest& request, Selection& selection);
  Result<Taken> start(QueueEntry& queue, JobKey job, JobState& state, const TakeRequest& request,
                      std::size_t index, FunctionName function);
  Result<FunctionName> function_name(JobKey job, const TakeRequest& request);
  void complete(TakeReply& reply, QueueEntry& queue, const TakeRequest& request, Selection selection);
  bool reserve_space(const Job& job, const FunctionName& function, const TakeRequest& request, Lock& lock);
  QueueHint hint_for(QueueEntry& queue, bool more);

  // engine_sessions.cpp
  Result<std::optional<std::string>> remembered_reply(const OperationId& op, OperationKind kind);
  void remember(const OperationId& op, OperationKind kind, std::string_view reply);
  void expire_sessions();
  static std::string encode_added(const std::vector<Added>& added);
  static Result<std::vector<Added>> decode_added(std::string_view bytes);
  std::string encode_take_reply(const TakeRequest& request, const TakeReply& reply);
  Result<TakeReply> decode_take_reply(const TakeRequest& request, std::string_view bytes);

  LmdbEnv& env_;
  const Semantics semantics_;
  std::uint64_t store_id_ = 0;
  std::function<void()> on_ready_;
  /// nullptr: nothing is reserved.
  SpaceGuard* space_ = nullptr;

  std::unique_ptr<Txn> txn_;
  Now now_;
  std::map<QueueName, std::unique_ptr<QueueEntry>> queues_;
  std::vector<QueueEntry*> touched_;
  /// Queues that the open transaction obliterated.
  std::vector<std::unique_ptr<QueueEntry>> obliterated_;
  GlobalRecord global_, global_before_;
  /// Worker names by number. 0 stands for no worker.
  std::vector<std::string> names_{""};
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::size_t names_before_ = 1;
  LockTable locks_;
  /// QueueEntry::arrivals at the last hint for a worker and queue.
  std::map<std::pair<std::string, QueueName>, std::uint64_t> reported_;
  /// Function names of waiting jobs, read from the field functions_field_ of their data.
  std::unordered_map<JobKey, FunctionName, JobKeyHash> functions_;
  std::string functions_field_;
  /// The session at which expire_sessions() continues.
  std::string expiry_position_;
  std::uint64_t visited_ = 0;
  /// See QueueEntry::ready_change.
  std::uint64_t last_change_ = 0;
  Totals totals_, totals_before_;
  /// Encoding buffer, reused.
  std::string record_;
};

}  // namespace gaur::embedded
