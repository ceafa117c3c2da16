// The index of ready jobs by function. A take request seeks in it past jobs that it cannot take.
#include "embedded/engine.hpp"

namespace gaur::embedded {

void Engine::put_ready(std::string_view ready_key, const ReadyEntry& entry) {
  const auto value = encode_ready_entry(entry);
  txn_->append(Table::kReady, ready_key, {value.data(), value.size()});
  const Key indexed = function_key(u32_at(ready_key, 0), entry.function, priority_and_order(ready_key));
  txn_->append(Table::kByFunction, indexed.view(), {});
}

void Engine::erase_from_index(std::string_view ready_key, FunctionHash function) {
  txn_->erase(Table::kByFunction,
              function_key(u32_at(ready_key, 0), function, priority_and_order(ready_key)).view());
}

/// Computed from the job's body. A damaged body gets the hash of the empty name; such a job is never taken.
FunctionHash Engine::function_hash(const QueueEntry& queue, JobKey job) {
  const Key key(job);
  const auto record = txn_->get(Table::kBody, key.view());
  const auto body = record ? decode_body(*record, key.view(), false) : std::nullopt;
  return hash_of(body ? function_of(body->name, body->data, queue.record.function_field) : FunctionName());
}

/// Call it after the data of a ready job changed: its function may have changed too.
void Engine::update_index(QueueEntry& queue, JobKey job, const JobState& state) {
  const Key key = set_key(job, state);
  const auto value = txn_->get(Table::kReady, key.view());
  const auto entry = value ? decode_ready_entry(*value) : std::nullopt;
  const FunctionHash function = function_hash(queue, job);
  if (!entry || entry->function == function) return;
  erase_from_index(key.view(), entry->function);
  put_ready(key.view(), {job.job, function});
}

/// The index is built for one function field. A request with another field rebuilds it.
void Engine::set_index_field(QueueEntry& queue, const std::string& function_field) {
  if (queue.record.function_field == function_field) return;
  touch(queue);
  queue.record.function_field = function_field;
  functions_.clear();
  build_index(queue);
}

void Engine::build_index(QueueEntry& queue) {
  constexpr std::size_t kBatch = 1024;  // writing invalidates the scan, so it restarts after each batch
  const QueueNumber number = queue.record.number;
  for (PrefixScan scan(*txn_, Table::kByFunction, Key().u32(number).view()); !scan.done();) scan.erase();
  std::vector<std::pair<std::string, JobNumber>> entries;
  std::string from;
  do {
    entries.clear();
    for (PrefixScan scan(*txn_, Table::kReady, ready_prefix(number).view(), PrefixScan::Order::kForward,
                         from);
         !scan.done() && entries.size() < kBatch; scan.next()) {
      entries.emplace_back(scan.key(), decode_job_number(scan.value()).value_or(0));
    }
    for (const auto& [key, job] : entries) put_ready(key, {job, function_hash(queue, {number, job})});
    if (!entries.empty()) from = entries.back().first + '\0';
  } while (entries.size() == kBatch);
}

}  // namespace gaur::embedded
