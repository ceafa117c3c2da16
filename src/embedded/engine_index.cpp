// The index of ready jobs by function: what lets a turn leap over jobs that it may not take.
#include "embedded/engine.hpp"

namespace gaur::embedded {

void Engine::put_ready(std::string_view ready_key, const ReadyEntry& entry) {
  const auto value = ready_value(entry);
  txn_->append(Table::kReady, ready_key, {value.data(), value.size()});
  const Key indexed = function_key(u32_at(ready_key, 0), entry.function, place_in_line(ready_key));
  txn_->append(Table::kByFunction, indexed.view(), {});
}

void Engine::erase_indexed(std::string_view ready_key, FunctionHash function) {
  txn_->erase(Table::kByFunction,
              function_key(u32_at(ready_key, 0), function, place_in_line(ready_key)).view());
}

/// Read from the job's body. Damaged bodies get the hash of no name: such a job is never taken.
FunctionHash Engine::function_hash(const QueueEntry& queue, JobKey job) {
  const Key key(job);
  const auto record = txn_->get(Table::kBody, key.view());
  const auto body = record ? decode_body(*record, key.view(), false) : std::nullopt;
  return hash_of(body ? function_of(body->name, body->data, queue.record.function_field) : FunctionName());
}

/// The data of a ready job have changed, and perhaps its function.
void Engine::index_new_data(QueueEntry& queue, JobKey job, const JobState& state) {
  const Key key = place_key(job, state);
  const auto value = txn_->get(Table::kReady, key.view());
  const auto entry = value ? ready_entry_of(*value) : std::nullopt;
  const FunctionHash function = function_hash(queue, job);
  if (!entry || entry->function == function) return;
  erase_indexed(key.view(), entry->function);
  put_ready(key.view(), {job.job, function});
}

/// The index serves one function_field at a time; it is built anew when a turn brings another one.
void Engine::index_by(QueueEntry& queue, const std::string& function_field) {
  if (queue.record.function_field == function_field) return;
  touch(queue);
  queue.record.function_field = function_field;
  functions_.clear();
  build_index(queue);
}

void Engine::build_index(QueueEntry& queue) {
  constexpr std::size_t kAtOnce = 1024;  // the walk's place is lost with each write
  const QueueNumber number = queue.record.number;
  for (Walk walk(*txn_, Table::kByFunction, Key().u32(number).view()); !walk.done();) walk.erase();
  std::vector<std::pair<std::string, JobNumber>> entries;
  std::string from;
  do {
    entries.clear();
    for (Walk walk(*txn_, Table::kReady, ready_prefix(number).view(), Walk::Order::kForward, from);
         !walk.done() && entries.size() < kAtOnce; walk.next()) {
      entries.emplace_back(walk.key(), number_of(walk.value()).value_or(0));
    }
    for (const auto& [key, job] : entries) put_ready(key, {job, function_hash(queue, {number, job})});
    if (!entries.empty()) from = entries.back().first + '\0';
  } while (entries.size() == kAtOnce);
}

}  // namespace gaur::embedded
