#pragma once
// The embedded store without thread and clock: every verb as plain code over one open write transaction.
//
// begin(now), any number of verbs, then commit() or abort(). A verb checks and reads before its first write,
// so a refused one leaves no trace; a write that LMDB refuses spoils the whole transaction, and commit() says
// so. What stands in memory beside the file (queue records, locks) is undone by abort(). Thread-safety:
// confined to the writer.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/semantics.hpp"
#include "core/store.hpp"
#include "embedded/job_view.hpp"
#include "embedded/lmdb_env.hpp"
#include "embedded/locks.hpp"
#include "embedded/records.hpp"

namespace gaur::embedded {

struct Now {
  Time wall{};
  Instant steady{};
};

/// One queue in memory: its record, and what this transaction still has to write for it.
struct QueueEntry {
  QueueName name;
  QueueRecord record;
  std::optional<QueueRecord> before;  ///< set once touched by the open transaction
  bool made = false;                  ///< by the open transaction
  bool rewrite = false;               ///< its record has the layout of an older disk format
  std::uint64_t arrivals = 1;         ///< jobs that became ready since open: what wakes workers
  std::uint64_t ready_change = 0;  ///< of all changes to what can be taken, the number of this queue's last
  std::string events;              ///< payload of events not yet written
  std::uint32_t pending_events = 0;

  std::uint64_t& count(State state) { return record.counts[static_cast<std::size_t>(state)]; }
  std::uint64_t count(State state) const { return record.counts[static_cast<std::size_t>(state)]; }
  std::uint64_t ready() const { return count(State::kWaiting) + count(State::kPrioritized); }
};

enum class Place : std::uint8_t { kBehind, kInFront };

class Engine {
 public:
  struct Totals {
    std::uint64_t added = 0, taken = 0, finished = 0;
  };
  struct TakeResult {
    TakeReply reply;
    bool parks = false;  ///< nothing to take, and it may wait
  };

  /// Reads the queues and gives every active job back. Errors: kNewerFormat, kCorrupt, kIo, kStoreFull.
  static Result<std::unique_ptr<Engine>> open(LmdbEnv& env, const Semantics& semantics, Now now);

  /// `served()` is called inside every verb that made jobs ready, before the verb's answer is made: the shell
  /// hands jobs to parked turns there.
  void on_ready(std::function<void()> served) { on_ready_ = std::move(served); }

  Status begin(Now now);
  /// True if something was written. An error means that nothing was, or (kIo) that nobody knows.
  Result<bool> commit();
  void abort();
  bool in_transaction() const { return txn_ != nullptr; }

  // Producers and workers: engine_add.cpp, engine_turn.cpp, engine_take.cpp, engine_finish.cpp
  Result<std::vector<Added>> add(const AddRequest& request);
  Result<TakeResult> turn(const TakeRequest& turn);
  /// Takes for a parked turn; true if it got something, which is then in `reply` and remembered by its lane.
  Result<bool> hand_off(const TakeRequest& turn, TakeReply& reply);
  /// What a parked turn that got nothing is told at its end.
  void refresh(const TakeRequest& turn, TakeReply& reply);
  ExtendReply extend_locks(const ExtendRequest& request);
  Result<Recovered> recover(const RecoverRequest& request);
  Result<QueueHint> wake_delayed(const QueueName& queue);
  /// What wait_for_work answers now, if anything.
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

  // Whole queues: engine_admin.cpp. Those with `limit` remove at most so many and say how many.
  Status pause(const QueueName& queue);
  Status resume(const QueueName& queue);
  Result<std::uint64_t> drain(const QueueName& queue, bool delayed_too, std::uint64_t limit);
  Result<std::uint64_t> clean(const QueueName& queue, State state, Duration grace, std::uint64_t limit);
  Status cleaned(const QueueName& queue, std::uint64_t removed);  ///< the event that ends a clean
  Result<std::uint64_t> obliterate(const QueueName& queue, bool force, std::uint64_t limit);

  QueueEntry* find_queue(const QueueName& name);
  const std::map<QueueName, std::unique_ptr<QueueEntry>>& queues() const { return queues_; }
  const Totals& totals() const { return totals_; }
  /// Entries of the line of ready jobs, and of its index, that the last take visited.
  std::uint64_t visited() const { return visited_; }
  /// Workers and queues whose last hint is remembered.
  std::size_t remembered_hints() const { return reported_.size(); }

 private:
  struct Found {
    QueueEntry* queue;
    JobKey key;
    JobState state;
  };
  struct Picked {
    std::vector<Taken> taken;
    std::optional<BlockedHead> blocked;
    bool more = false;          ///< ready jobs lie behind those that were looked at
    Resources free{}, spare{};  ///< what is left of those of Admit
  };
  /// A ready job that a turn looks at.
  struct Candidate {
    JobKey key;
    JobState state;
    FunctionName function;
  };
  enum class Verdict : std::uint8_t { kTake, kSkip, kEnd };

  Engine(LmdbEnv& env, const Semantics& semantics) : env_(env), semantics_(semantics) {}

  // engine.cpp: the frame
  Status load();
  void migrate();
  Status give_back_active(QueueEntry& queue);
  Result<QueueEntry*> queue_for_writing(const QueueName& name);
  void touch(QueueEntry& queue);
  void write_queue(QueueEntry& queue);
  Result<Found> find(const JobRef& job);
  std::uint32_t name_number(const std::string& name);
  Error not_in_state(const JobRef& job, State state, std::string_view wanted) const;

  // engine_events.cpp
  void event(QueueEntry& queue, EventKind kind, JobNumber job, std::string_view own_id,
             std::optional<State> previous = {}, std::string_view detail = {});
  void flush_events(QueueEntry& queue);
  void trim_events(QueueEntry& queue);
  /// The user's own id of a job, or "": for events.
  std::string own_id(JobKey job);

  // engine_sets.cpp: the only doors in and out of the sets
  void write_state(JobKey job, const JobState& state, bool fresh = false);
  void write_part(JobKey job, Part part, std::string_view text);
  void put(QueueEntry& queue, JobKey job, JobState& state);
  /// Answers the function's hash of a job that was ready, else 0.
  FunctionHash lift(QueueEntry& queue, JobKey job, const JobState& state);
  void make_ready(QueueEntry& queue, JobKey job, JobState& state, Place where, FunctionHash function);
  void to_ready(QueueEntry& queue, JobKey job, JobState& state, State previous, Place where);
  void delay_until(QueueEntry& queue, JobKey job, JobState& state, std::int64_t due);
  void erase_job(QueueEntry& queue, JobKey job, const JobState& state);
  Status remove_entry(QueueEntry& queue, Table table, std::string_view key, JobNumber number);
  void retain(QueueEntry& queue, State state, const Retention& keep, JobNumber just_finished, bool& kept);
  void serve() {
    if (on_ready_) on_ready_();
  }
  void ready_changed(QueueEntry& queue) { queue.ready_change = ++last_change_; }

  // engine_index.cpp: ready jobs by function
  void put_ready(std::string_view ready_key, const ReadyEntry& entry);
  void erase_indexed(std::string_view ready_key, FunctionHash function);
  FunctionHash function_hash(const QueueEntry& queue, JobKey job);
  void index_new_data(QueueEntry& queue, JobKey job, const JobState& state);
  void index_by(QueueEntry& queue, const std::string& function_field);
  void build_index(QueueEntry& queue);

  // engine_add.cpp
  Added add_one(QueueEntry& queue, const NewJob& job);

  // engine_finish.cpp
  Result<FinishResult> finish(QueueEntry& queue, const Finish& finish);
  Status check_lock(const JobId& id, JobKey job, const JobState& state, const LockToken& token);
  Result<FinishResult> carry_out(QueueEntry& queue, JobKey job, JobState& state, const Finish& finish);
  Result<FinishResult> end_run(QueueEntry& queue, JobKey job, JobState& state, State to,
                               const Retention& keep, std::string_view detail);
  FinishResult run_later(QueueEntry& queue, JobKey job, JobState& state, Duration delay);
  Result<FinishResult> stall(QueueEntry& queue, JobKey job, JobState& state, std::uint32_t max_stalled,
                             const Failure& failure, const Retention& keep);
  void end_wait(QueueEntry& queue, JobKey job, JobState& state, State previous, const Failure& failure);
  Status write_failure(JobKey job, JobState& state, const Failure& failure, bool with_stack);
  void note_usage(JobKey job, JobState& state, const Usage& usage);
  static FinishResult where_it_is(const JobState& state);

  // engine_take.cpp
  Result<Picked> take(QueueEntry& queue, const TakeRequest& turn);
  std::optional<Candidate> read_candidate(const QueueEntry& queue, std::string_view place,
                                          const ReadyEntry& entry, const TakeRequest& turn);
  bool start_or_fail(QueueEntry& queue, Candidate& job, const TakeRequest& turn, Picked& picked);
  Verdict judge(const TakeRequest& turn, const Candidate& job, Picked& picked);
  Result<Taken> start(QueueEntry& queue, JobKey job, JobState& state, const TakeRequest& turn,
                      std::size_t index, FunctionName function);
  Result<FunctionName> function_name(JobKey job, const TakeRequest& turn);
  QueueHint next_of(QueueEntry& queue, bool more);
  std::vector<CancelRequest> cancels_for(const QueueEntry& queue, const std::string& by, bool once = false);
  JobId id_of(JobKey job);

  // engine_lanes.cpp
  struct LaneReply {
    std::uint64_t number = 0;
    std::uint8_t kind = 0;
    std::string bytes;
  };
  Result<std::optional<std::string>> earlier_reply(const OperationId& op, std::uint8_t kind);
  void remember(const OperationId& op, std::uint8_t kind, std::string_view reply);
  void forget_old_lanes();
  static std::string encode_added(const std::vector<Added>& added);
  static Result<std::vector<Added>> decode_added(std::string_view bytes);
  std::string encode_turn(const TakeRequest& turn, const TakeReply& reply);
  Result<TakeReply> decode_turn(const TakeRequest& turn, std::string_view bytes);

  LmdbEnv& env_;
  const Semantics semantics_;
  std::function<void()> on_ready_;

  std::unique_ptr<Txn> txn_;
  Now now_;
  std::map<QueueName, std::unique_ptr<QueueEntry>> queues_;
  std::vector<QueueEntry*> touched_;
  std::vector<std::unique_ptr<QueueEntry>> buried_;  ///< obliterated by the open transaction
  GlobalRecord global_, global_before_;
  std::vector<std::string> names_{""};  ///< workers by number; 0 is nobody
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::size_t names_before_ = 1;
  LockTable locks_;
  std::map<std::pair<std::string, QueueName>, std::uint64_t>
      reported_;  ///< worker and queue -> arrivals at its last hint
  std::unordered_map<JobKey, FunctionName, JobKeyHash>
      functions_;  ///< decoded fields of waiting jobs, see function_name()
  std::string functions_field_;
  std::string lane_sweep_at_;
  std::uint64_t visited_ = 0;
  std::uint64_t last_change_ = 0;  ///< see QueueEntry::ready_change
  Totals totals_, totals_before_;
  std::string record_;  ///< scratch, kept for its memory
};

}  // namespace gaur::embedded
