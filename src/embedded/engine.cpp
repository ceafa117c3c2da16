// Opening, transactions, queues and names.
#include "embedded/engine.hpp"

#include <fmt/format.h>

#include "base/system_env.hpp"
#include "base/try.hpp"
#include "embedded/bytes.hpp"

namespace gaur::embedded {

Result<std::unique_ptr<Engine>> Engine::open(LmdbEnv& env, const Semantics& semantics, Now now,
                                             const std::optional<CountActive>& count) {
  if (semantics.zero_priority != Semantics::ZeroPriority::kBeforeAll) {
    return Error{Errc::kInvalidArgument, "the embedded store serves priority 0 before all others"};
  }
  std::unique_ptr<Engine> engine(new Engine(env, semantics));
  GAUR_CHECK(engine->begin(now));
  Status loaded = engine->load();
  if (!loaded) {
    engine->abort();
    return loaded.error();
  }
  for (const auto& [name, queue] : engine->queues_) {
    Status requeued = engine->requeue_active(*queue, count);
    if (!requeued) {
      engine->abort();
      return requeued.error().in("queue " + name.value);
    }
  }
  GAUR_TRY([[maybe_unused]] const bool written, engine->commit());
  return engine;
}

void Engine::write_format() {
  if (store_id_ == 0) store_id_ = SystemRandom().next();
  encode_format({kDiskFormat, store_id_}, record_);
  txn_->put(Table::kMeta, kFormatKey, record_);
}

/// The format of the file. A new file gets the current one.
Result<std::uint32_t> Engine::load_format() {
  const auto stored = txn_->get(Table::kMeta, kFormatKey);
  if (!stored && env_.is_new()) {
    write_format();
    return kDiskFormat;
  }
  const auto format = stored ? decode_format(*stored, kFormatKey) : std::nullopt;
  if (!format) return damaged("the format record", kFormatKey);
  GAUR_CHECK(check_version(format->version));
  store_id_ = format->store_id;
  return format->version;
}

Status Engine::load() {
  GAUR_TRY(const std::uint32_t format, load_format());
  if (const auto stored = txn_->get(Table::kMeta, kGlobalKey)) {
    const auto global = decode_global(*stored, kGlobalKey);
    if (!global) return damaged("the global record", kGlobalKey);
    global_ = global_before_ = *global;
  }
  for (std::uint32_t number = 1; number <= global_.last_name; ++number) {
    const Key key = name_key(number);
    const auto stored = txn_->get(Table::kMeta, key.view());
    const auto name = stored ? decode_text(Magic::kName, *stored, key.view()) : std::nullopt;
    if (!name) return damaged("a worker's name", key.view());
    names_.emplace_back(*name);
    numbers_.emplace(*name, number);
  }
  names_before_ = names_.size();
  for (PrefixScan scan(*txn_, Table::kMeta, "q"); !scan.done(); scan.next()) {
    const auto record = decode_queue(scan.value(), scan.key());
    if (!record) return damaged("a queue", scan.key());
    auto entry = std::make_unique<QueueEntry>();
    entry->name = QueueName(std::string(scan.key().substr(1)));
    entry->record = *record;
    queues_.emplace(entry->name, std::move(entry));
  }
  if (format < kDiskFormat) migrate(format);
  return check_numbers();
}

/// The highest numbers are stored twice: in the record of the queue and in its newest record of events. A
/// page that was lost, or that is an old copy, would make the store use numbers again.
Status Engine::check_numbers() {
  for (const auto& [name, queue] : queues_) {
    const Key prefix = std::move(Key().u32(queue->record.number));
    const PrefixScan newest(*txn_, Table::kEvents, prefix.view(), PrefixScan::Order::kBackward);
    EventsHeader header;
    std::uint64_t next = 1;
    if (!newest.done()) {
      const auto stored = decode_events_header(newest.value(), newest.key());
      if (!stored) return damaged("the newest events of queue " + name.value, newest.key());
      header = *stored;
      next = u64_at(newest.key(), 4) + header.count;
    }
    if (const auto problem = contradiction(queue->record, next, header))
      return Error{Errc::kCorrupt, fmt::format("queue {}: {}", name.value, *problem)};
  }
  return txn_->intact();
}

/// Runs in the transaction that opens the store: a crash leaves the file unchanged.
void Engine::migrate(std::uint32_t from_format) {
  if (from_format < 2) {  // had no index of ready jobs by function
    for (const auto& [name, queue] : queues_) {
      touch(*queue);
      build_index(*queue);
      queue->rewrite = true;
    }
  }
  if (from_format < 3) txn_->rename_table("lanes", Table::kSessions);
  if (from_format < 4) {
    for (const auto& [name, queue] : queues_) add_numbers_to_events(*queue);
  }
  write_format();
}

/// Before format 4 a record of events began with its count only.
void Engine::add_numbers_to_events(const QueueEntry& queue) {
  std::vector<std::pair<std::string, std::string>> records;
  for (PrefixScan scan(*txn_, Table::kEvents, Key().u32(queue.record.number).view()); !scan.done();
       scan.next()) {
    const auto payload = open_record(scan.value(), Magic::kEvents, scan.key());
    if (payload && payload->size() >= 4) records.emplace_back(scan.key(), *payload);
  }
  for (const auto& [key, payload] : records) {
    ByteReader reader(payload);
    const EventsHeader header{reader.number<std::uint32_t>(), queue.record.last_id, queue.record.last_custom};
    encode_events(header, reader.rest(), key, record_);
    txn_->put(Table::kEvents, key, record_);
  }
}

/// 2^53-1: every JSON reader keeps it.
constexpr std::uint64_t kLargestId = (1ULL << 53) - 1;

Status Engine::begin_history(std::uint64_t skip) {
  store_id_ = 0;
  write_format();
  for (const auto& [name, queue] : queues_) {
    if (std::max(queue->record.last_id, queue->record.next_event) > kLargestId - skip) {
      return Error{
          Errc::kInvalidArgument,
          fmt::format("queue {} has the job id {} and the event {}: {} more exceed {}; skip fewer ids",
                      name.value, queue->record.last_id, queue->record.next_event, skip, kLargestId)};
    }
    touch(*queue);
    queue->record.last_id += skip;
    queue->record.next_event += skip;
    // A record without events: the second place of the numbers.
    const Key key = events_key(queue->record.number, queue->record.next_event);
    encode_events({0, queue->record.last_id, queue->record.last_custom}, {}, key.view(), record_);
    txn_->put(Table::kEvents, key.view(), record_);
  }
  return ok();
}

/// Requeues newest first, so that the oldest start ends up at the front.
Status Engine::requeue_active(QueueEntry& queue, const std::optional<CountActive>& count) {
  std::vector<JobNumber> active;
  for (PrefixScan scan(*txn_, Table::kActive, Key().u32(queue.record.number).view(),
                       PrefixScan::Order::kBackward);
       !scan.done(); scan.next()) {
    const auto number = decode_job_number(scan.value());
    if (!number) return damaged("the list of active jobs", scan.key());
    active.push_back(*number);
  }
  if (active.empty()) return ok();
  touch(queue);
  for (const JobNumber number : active) {
    const JobKey key{queue.record.number, number};
    auto state = load_state(*txn_, key);
    if (!state) continue;  // a damaged job does not prevent opening; get() reports it
    if (count && stall_unlocked(queue, key, *state, count->max_stalled, count->keep_failed)) continue;
    remove_from_set(queue, key, *state);
    move_to_ready(queue, key, *state, State::kActive, ListEnd::kFront);
  }
  return ok();
}

Status Engine::begin(Now now) {
  GAUR_TRY(txn_, Txn::begin(env_, Txn::Mode::kWrite));
  now_ = now;
  return ok();
}

Result<bool> Engine::commit() {
  for (QueueEntry* queue : touched_) write_queue(*queue);
  if (global_ != global_before_) {
    encode_global(global_, kGlobalKey, record_);
    txn_->put(Table::kMeta, kGlobalKey, record_);
  }
  const bool dirty = txn_->dirty();
  if (const int code = txn_->commit(); code != 0) {
    abort();
    return lmdb_error("commit", code);
  }
  txn_.reset();
  for (QueueEntry* queue : touched_) {
    queue->before.reset();
    queue->created = false;
  }
  touched_.clear();
  obliterated_.clear();
  global_before_ = global_;
  names_before_ = names_.size();
  totals_before_ = totals_;
  locks_.commit();
  return dirty;
}

void Engine::abort() {
  txn_.reset();
  for (auto& entry : obliterated_) queues_.insert_or_assign(entry->name, std::move(entry));
  obliterated_.clear();
  for (QueueEntry* queue : touched_) {
    queue->record = *queue->before;
    queue->before.reset();
    queue->events.clear();
    queue->pending_events = 0;
    if (queue->created) queues_.erase(QueueName(queue->name));
  }
  touched_.clear();
  global_ = global_before_;
  for (; names_.size() > names_before_; names_.pop_back()) numbers_.erase(names_.back());
  totals_ = totals_before_;
  functions_.clear();
  reported_.clear();  // workers get the hints of the aborted transaction again
  locks_.abort();
}

QueueEntry* Engine::find_queue(const QueueName& name) {
  const auto found = queues_.find(name);
  return found == queues_.end() ? nullptr : found->second.get();
}

Result<QueueEntry*> Engine::queue_for_writing(const QueueName& name) {
  if (QueueEntry* queue = find_queue(name)) {
    touch(*queue);
    return queue;
  }
  GAUR_CHECK(validate_queue_name(name.value));
  auto entry = std::make_unique<QueueEntry>();
  entry->name = name;
  entry->record.number = ++global_.last_queue;
  entry->created = true;
  QueueEntry* queue = queues_.emplace(name, std::move(entry)).first->second.get();
  touch(*queue);
  return queue;
}

void Engine::touch(QueueEntry& queue) {
  if (queue.before) return;
  queue.before = queue.record;
  touched_.push_back(&queue);
}

void Engine::write_queue(QueueEntry& queue) {
  flush_events(queue);
  if (queue.record == *queue.before && !queue.created && !queue.rewrite) return;
  queue.rewrite = false;
  const Key key = queue_key(queue.name);
  encode_queue(queue.record, key.view(), record_);
  txn_->put(Table::kMeta, key.view(), record_);
}

Result<Engine::Found> Engine::find(const JobRef& job) {
  QueueEntry* queue = find_queue(job.queue);
  if (queue == nullptr) return not_found(job.id).in("queue " + job.queue.value);
  auto key = find_job(*txn_, queue->record.number, job.id);
  if (!key) return key.error().in("queue " + job.queue.value);
  auto state = load_state(*txn_, *key);
  if (!state) return state.error().in("queue " + job.queue.value);
  return Found{queue, *key, *state};
}

std::uint32_t Engine::name_number(const std::string& name) {
  if (name.empty()) return 0;
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  const std::uint32_t number = ++global_.last_name;
  const Key key = name_key(number);
  encode_text(Magic::kName, name, key.view(), record_);
  txn_->put(Table::kMeta, key.view(), record_);
  names_.push_back(name);
  numbers_.emplace(name, number);
  return number;
}

Error Engine::not_in_state(const JobRef& job, State state, std::string_view wanted) const {
  return {Errc::kNotInState, fmt::format("job {} is {}, not {}", job.id.value, to_string(state), wanted)};
}

}  // namespace gaur::embedded
