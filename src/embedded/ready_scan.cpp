#include "embedded/ready_scan.hpp"

namespace gaur::embedded {

namespace {
constexpr unsigned kSeekAfter = 16;  // skipped entries; a seek costs one lookup for each function
}

WantedFunctions::WantedFunctions(const AdmissionFilter* filter) : any_(filter == nullptr) {
  if (filter == nullptr) return;
  unlisted_ = filter->default_needs && !filter->default_needs->unavailable;
  for (const auto& [function, needs] : filter->needs) {
    (needs.unavailable ? excluded_ : listed_).insert(hash_of(function));
  }
}

void WantedFunctions::remove(FunctionHash function) {
  if (listed_.erase(function) == 0 && !excluded_.contains(function)) unlisted_ = false;
  excluded_.insert(function);
}

ReadyScan::ReadyScan(Txn& txn, QueueNumber queue) : txn_(txn), queue_(queue) {
  scan_.emplace(txn, Table::kReady, ready_prefix(queue).view());
}

void ReadyScan::erase(FunctionHash function) {
  const Key indexed = function_key(queue_, function, priority_and_order(key()));
  txn_.erase(Table::kByFunction, indexed.view());
  ++visited_;
  skipped_in_a_row_ = 0;
  scan_->erase();
}

void ReadyScan::skip(const WantedFunctions& wanted) {
  if (++skipped_in_a_row_ < kSeekAfter) return next();
  skipped_in_a_row_ = 0;
  seek_wanted(wanted);
}

void ReadyScan::seek_wanted(const WantedFunctions& wanted) {
  const std::string from(priority_and_order(key()));
  std::optional<std::string> first;
  for (const FunctionHash function : wanted.listed()) find_first_of(function, from, first);
  if (wanted.unlisted()) {
    // A skip scan over the functions in the index.
    std::string next(Key().u32(queue_).view());
    while (true) {
      ++visited_;
      const PrefixScan scan(txn_, Table::kByFunction, Key().u32(queue_).view(), PrefixScan::Order::kForward,
                            next);
      if (scan.done()) break;
      const FunctionHash function = u64_at(scan.key(), 4);
      if (wanted.contains(function) && !wanted.listed().contains(function))
        find_first_of(function, from, first);
      if (function == UINT64_MAX) break;
      next = function_prefix(queue_, function + 1).view();
    }
  }
  const std::string target =
      std::string(ready_prefix(queue_).view()) + first.value_or(std::string(12, '\xFF'));
  scan_.emplace(txn_, Table::kReady, ready_prefix(queue_).view(), PrefixScan::Order::kForward, target);
}

/// Sets `first` to the priority and order of this function's first job at or after `from`, if that is less.
void ReadyScan::find_first_of(FunctionHash function, const std::string& from,
                              std::optional<std::string>& first) {
  ++visited_;
  const Key start = function_key(queue_, function, from);
  const PrefixScan scan(txn_, Table::kByFunction, function_prefix(queue_, function).view(),
                        PrefixScan::Order::kForward, start.view());
  if (scan.done()) return;
  std::string found(scan.key().substr(12));
  if (!first || found < *first) first = std::move(found);
}

}  // namespace gaur::embedded
