// Sets, indexes and counts from the states of the jobs. Each step commits what fits into one transaction.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/try.hpp"
#include "embedded/job_view.hpp"
#include "embedded/salvage.hpp"

namespace gaur::embedded {

namespace {

constexpr std::size_t kJobsInTransaction = 5'000;
/// Added to the highest number that was found, if a queue's record is lost or may be an old one.
constexpr JobNumber kUnknownJobs = 1'000'000;

struct RebuiltQueue {
  std::string name;
  QueueRecord record;
  /// Of the damaged store; nothing: its record is lost.
  std::optional<std::uint64_t> jobs_before;
};

class Rebuild {
 public:
  Rebuild(LmdbEnv& env, SalvageReport& report, Now now) : env_(env), report_(report), now_(now) {}

  Status run() {
    GAUR_TRY(txn_, Txn::begin(env_, Txn::Mode::kWrite));
    read_queues();
    GAUR_CHECK(for_each_key(Table::kState, [this](std::string_view key) { remove_job_without_data(key); }));
    GAUR_CHECK(for_each_key(Table::kBody, [this](std::string_view key) { add_job(key); }));
    GAUR_CHECK(
        for_each_key(Table::kParts, [this](std::string_view key) { remove_orphan(Table::kParts, key); }));
    GAUR_CHECK(
        for_each_key(Table::kLogs, [this](std::string_view key) { remove_orphan(Table::kLogs, key); }));
    write_queues();
    write_names();
    return commit();
  }

 private:
  static JobKey job_of(std::string_view key) { return {u32_at(key, 0), u64_at(key, 4)}; }

  /// Calls `each` for every key of a table; it may write. Commits now and then.
  template <class Each>
  Status for_each_key(Table table, Each each) {
    std::string from;
    std::vector<std::string> keys;
    do {
      keys.clear();
      for (PrefixScan scan(*txn_, table, {}, PrefixScan::Order::kForward, from);
           !scan.done() && keys.size() < kJobsInTransaction; scan.next())
        keys.emplace_back(scan.key());
      for (const std::string& key : keys) each(key);
      if (!keys.empty()) from = keys.back() + '\0';
      GAUR_CHECK(commit());
      GAUR_TRY(txn_, Txn::begin(env_, Txn::Mode::kWrite));
    } while (keys.size() == kJobsInTransaction);
    return ok();
  }

  Status commit() {
    const int code = txn_->commit();
    return code == 0 ? ok() : Status(lmdb_error("cannot write the new store", code));
  }

  void lose(JobKey job, std::string_view custom_id, std::string_view what) {
    std::string id = custom_id.empty() ? fmt::format("{}", job.job) : std::string(custom_id);
    if (custom_id.empty() && job.job >= kFirstCustomNumber) id = "with a custom id that is not known";
    report_.losses.push_back(fmt::format("queue {}, job {}: {}", queue_of(job.queue).name, id, what));
  }

  void read_queues() {
    for (PrefixScan scan(*txn_, Table::kMeta, "q"); !scan.done(); scan.next()) {
      const auto record = decode_queue(scan.value(), scan.key());
      if (!record) continue;
      RebuiltQueue& queue = queues_[record->number];
      queue.name = scan.key().substr(1);
      queue.record = *record;
      std::uint64_t jobs = 0;
      for (const std::uint64_t count : record->counts) jobs += count;
      queue.jobs_before = jobs;
      queue.record.counts = {};
    }
  }

  RebuiltQueue& queue_of(QueueNumber number) {
    RebuiltQueue& queue = queues_[number];
    if (queue.record.number == 0) {
      queue.record.number = number;
      queue.name = fmt::format("recovered-{}", number);
      report_.losses.push_back(
          fmt::format("queue {}: its name and whether it is paused are lost", queue.name));
    }
    return queue;
  }

  void remove_job_without_data(std::string_view key) {
    const auto record = txn_->get(Table::kBody, key);
    if (record && decode_body(*record, key)) return;
    lose(job_of(key), {}, "its data is lost; the job is not in the new store");
    txn_->erase(Table::kState, key);
  }

  void add_job(std::string_view key) {
    const JobKey job = job_of(key);
    const std::string record(*txn_->get(Table::kBody, key));
    const auto body = decode_body(record, key);
    if (!body) return;
    RebuiltQueue& queue = queue_of(job.queue);
    if (!add_id(job, *body)) return;
    QueueRecord& numbers = queue.record;
    if (job.job < kFirstCustomNumber) numbers.last_id = std::max(numbers.last_id, job.job);
    if (job.job >= kFirstCustomNumber)
      numbers.last_custom = std::max(numbers.last_custom, job.job - kFirstCustomNumber);
    const auto stored = txn_->get(Table::kState, key);
    auto state = stored ? decode_state(*stored, key) : std::nullopt;
    if (!state) state = fail_without_state(job, body->id);
    check_parts(job, body->id, *state);
    add_to_set(queue, job, *body, *state);
    encode_state(*state, key, buffer_);
    txn_->put(Table::kState, key, buffer_);
    ++report_.jobs;
  }

  /// False: another job has the id; this one is an older one in a lost page.
  bool add_id(JobKey job, const JobBody& body) {
    if (job.job < kFirstCustomNumber) return true;
    const Key key = id_key(job.queue, body.id);
    if (const auto other = txn_->get(Table::kIds, key.view())) {
      lose(job, body.id, "two jobs with this id were found; the one that was added first is kept");
      const Key at(job);
      txn_->erase(Table::kBody, at.view());
      txn_->erase(Table::kState, at.view());
      return false;
    }
    txn_->put(Table::kIds, key.view(), encode_job_number(job.job));
    return true;
  }

  /// It may have run already: an operator decides whether it runs again.
  JobState fail_without_state(JobKey job, std::string_view id) {
    lose(job, id, "its state is lost; the job is failed with code damaged, retry it if it has not run");
    JobState state;
    state.state = State::kFailed;
    state.timestamp = state.ready_since = state.finished_on = to_ms(now_.wall);
    state.set(JobState::kHasFailurePart);
    state.set(JobState::kHasFailure);
    state.order = INT64_MIN;  // gets the next order
    const Key key = part_key(job, Part::kFailure);
    encode_failure(
        {{"damaged", "the state of this job was lost with a damaged store; retry it if it has not run", "",
          ""},
         {}},
        key.view(), buffer_);
    txn_->put(Table::kParts, key.view(), buffer_);
    return state;
  }

  bool has_part(JobKey job, Part part) {
    const Key key = part_key(job, part);
    const auto record = txn_->get(Table::kParts, key.view());
    return record && open_record(*record, Magic::kPart, key.view());
  }

  void check_parts(JobKey job, std::string_view id, JobState& state) {
    const auto check = [&](JobState::Flag flag, Part part, std::string_view what) {
      if (!state.has(flag) || has_part(job, part)) return;
      state.set(flag, false);
      lose(job, id, fmt::format("its {} is lost", what));
    };
    check(JobState::kHasResult, Part::kResult, "result");
    if (!state.has(JobState::kHasResult)) state.set(JobState::kHasResultFile, false);
    check(JobState::kHasProgress, Part::kProgress, "progress");
    check(JobState::kHasUsageDetails, Part::kUsageDetails, "usage");
    check(JobState::kHasFailurePart, Part::kFailure, "failure");
    if (!state.has(JobState::kHasFailurePart)) state.set(JobState::kHasFailure, false);
    if (state.has(JobState::kHasLogs) && PrefixScan(*txn_, Table::kLogs, Key(job).view()).done()) {
      state.set(JobState::kHasLogs, false);
      lose(job, id, "its log is lost");
    }
    highest_name_ = std::max(highest_name_, state.processed_by);
  }

  void add_to_set(RebuiltQueue& queue, JobKey job, const JobBody& body, JobState& state) {
    QueueRecord& numbers = queue.record;
    const Table table = set_table(state.state);
    // Orders are unique in an undamaged store.
    if (state.order == INT64_MIN || txn_->get(table, set_key(job, state).view()))
      state.order = numbers.back + 1;
    numbers.back = std::max(numbers.back, state.order);
    numbers.front = std::min(numbers.front, state.order);
    ++numbers.counts[static_cast<std::size_t>(state.state)];
    const Key key = set_key(job, state);
    if (table != Table::kReady) return txn_->put(table, key.view(), encode_job_number(job.job));
    const ReadyEntry entry{job.job, hash_of(function_of(body.name, body.data, numbers.function_field))};
    const auto value = encode_ready_entry(entry);
    txn_->put(table, key.view(), {value.data(), value.size()});
    txn_->put(Table::kByFunction,
              function_key(job.queue, entry.function, priority_and_order(key.view())).view(), {});
  }

  void remove_orphan(Table table, std::string_view key) {
    if (!txn_->get(Table::kBody, key.substr(0, 12))) txn_->erase(table, key);
  }

  void write_queues() {
    for (auto& [number, queue] : queues_) {
      QueueRecord& record = queue.record;
      std::uint64_t jobs = 0;
      for (const std::uint64_t count : record.counts) jobs += count;
      if (queue.jobs_before && *queue.jobs_before > jobs) report_.missing += *queue.jobs_before - jobs;
      if (!queue.jobs_before || report_.may_contain_removed_jobs || report_.may_contain_old_states) {
        record.last_id += kUnknownJobs;
        record.last_custom += kUnknownJobs;
      }
      // The events are not saved: a record without events is the second place of the numbers.
      record.first_event = record.next_event;
      const Key events = events_key(number, record.next_event);
      encode_events({0, record.last_id, record.last_custom}, {}, events.view(), buffer_);
      txn_->put(Table::kEvents, events.view(), buffer_);
      const Key key = queue_key(QueueName(queue.name));
      encode_queue(record, key.view(), buffer_);
      txn_->put(Table::kMeta, key.view(), buffer_);
    }
  }

  void write_names() {
    const auto stored = txn_->get(Table::kMeta, kGlobalKey);
    const auto known = stored ? decode_global(*stored, kGlobalKey) : std::nullopt;
    // Above every counter that the lost record can have contained.
    GlobalRecord global = known.value_or(GlobalRecord{0, 0, 1ULL << 40});
    if (!queues_.empty()) global.last_queue = std::max(global.last_queue, queues_.rbegin()->first);
    for (PrefixScan scan(*txn_, Table::kMeta, "n"); !scan.done(); scan.next())
      highest_name_ = std::max(highest_name_, u32_at(scan.key(), 1));
    global.last_name = std::max(global.last_name, highest_name_);
    for (std::uint32_t number = 1; number <= global.last_name; ++number) {
      const Key key = name_key(number);
      const auto name = txn_->get(Table::kMeta, key.view());
      if (name && decode_text(Magic::kName, *name, key.view())) continue;
      encode_text(Magic::kName, fmt::format("unknown-worker-{}", number), key.view(), buffer_);
      txn_->put(Table::kMeta, key.view(), buffer_);
    }
    encode_global(global, kGlobalKey, buffer_);
    txn_->put(Table::kMeta, kGlobalKey, buffer_);
  }

  LmdbEnv& env_;
  SalvageReport& report_;
  const Now now_;
  std::unique_ptr<Txn> txn_;
  std::map<QueueNumber, RebuiltQueue> queues_;
  std::uint32_t highest_name_ = 0;
  std::string buffer_;
};

}  // namespace

Status rebuild_store(LmdbEnv& env, SalvageReport& report, Now now) {
  return Rebuild(env, report, now).run();
}

}  // namespace gaur::embedded
