#include "embedded/ready_line.hpp"

namespace gaur::embedded {

namespace {
constexpr unsigned kLeapAfter = 16;  // a leap costs a search for each function
}

Wanted::Wanted(const AdmissionFilter* admit) : any_(admit == nullptr) {
  if (admit == nullptr) return;
  others_ = admit->default_needs && !admit->default_needs->unavailable;
  for (const auto& [function, needs] : admit->needs) {
    (needs.unavailable ? excluded_ : listed_).insert(hash_of(function));
  }
}

void Wanted::drop(FunctionHash function) {
  if (listed_.erase(function) == 0 && !excluded_.contains(function)) others_ = false;
  excluded_.insert(function);
}

ReadyLine::ReadyLine(Txn& txn, QueueNumber queue) : txn_(txn), queue_(queue) {
  walk_.emplace(txn, Table::kReady, ready_prefix(queue).view());
}

void ReadyLine::erase(FunctionHash function) {
  const Key indexed = function_key(queue_, function, place_in_line(key()));
  txn_.erase(Table::kByFunction, indexed.view());
  ++visited_;
  skipped_ = 0;
  walk_->erase();
}

void ReadyLine::skip(const Wanted& wanted) {
  if (++skipped_ < kLeapAfter) return next();
  skipped_ = 0;
  leap(wanted);
}

void ReadyLine::leap(const Wanted& wanted) {
  const std::string here(place_in_line(key()));
  std::optional<std::string> best;
  for (const FunctionHash function : wanted.listed()) nearest(function, here, best);
  if (wanted.others()) {
    // One function after the other, as the index lists them.
    std::string from(Key().u32(queue_).view());
    while (true) {
      ++visited_;
      const Walk walk(txn_, Table::kByFunction, Key().u32(queue_).view(), Walk::Order::kForward, from);
      if (walk.done()) break;
      const FunctionHash function = u64_at(walk.key(), 4);
      if (wanted.has(function) && !wanted.listed().contains(function)) nearest(function, here, best);
      if (function == UINT64_MAX) break;
      from = function_prefix(queue_, function + 1).view();
    }
  }
  const std::string from = std::string(ready_prefix(queue_).view()) + best.value_or(std::string(12, '\xFF'));
  walk_.emplace(txn_, Table::kReady, ready_prefix(queue_).view(), Walk::Order::kForward, from);
}

/// The first place from `here` on of a job of this function, if it is before `best`.
void ReadyLine::nearest(FunctionHash function, const std::string& here, std::optional<std::string>& best) {
  ++visited_;
  const Key from = function_key(queue_, function, here);
  const Walk walk(txn_, Table::kByFunction, function_prefix(queue_, function).view(), Walk::Order::kForward,
                  from.view());
  if (walk.done()) return;
  std::string place(walk.key().substr(12));
  if (!best || place < *best) best = std::move(place);
}

}  // namespace gaur::embedded
