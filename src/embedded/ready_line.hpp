#pragma once
// The line of ready jobs as a turn sees it: which functions it wants, and a walk that leaps over the jobs of
// all others. The cost of a walk grows with the jobs taken and with the functions, not with the jobs passed.
// Thread-safety: confined to the writer, over its transaction.
#include <optional>
#include <unordered_set>

#include "core/needs.hpp"
#include "embedded/job_view.hpp"

namespace gaur::embedded {

/// The functions of which a turn may still take a job. It only shrinks: within a turn, room only becomes
/// less.
class Wanted {
 public:
  /// nullptr: any function.
  explicit Wanted(const AdmissionFilter* admit);
  bool has(FunctionHash function) const {
    return any_ || listed_.contains(function) || (others_ && !excluded_.contains(function));
  }
  /// No more jobs of this function fit, nor, if it is not listed, of any other that is not.
  void drop(FunctionHash function);

  const std::unordered_set<FunctionHash>& listed() const { return listed_; }
  bool others() const { return others_; }

 private:
  bool any_;
  bool others_ = false;  ///< functions that Admit does not list
  std::unordered_set<FunctionHash> listed_, excluded_;
};

class ReadyLine {
 public:
  ReadyLine(Txn& txn, QueueNumber queue);
  bool done() const { return walk_->done(); }
  std::string_view key() const { return walk_->key(); }
  std::string_view value() const { return walk_->value(); }
  void next() {
    ++visited_;
    walk_->next();
  }
  /// Removes the entry that it stands on, here and from the index.
  void erase(FunctionHash function);
  /// Past an entry that is not wanted; after several in a row, to the next one that is.
  void skip(const Wanted& wanted);
  std::uint64_t visited() const { return visited_; }

 private:
  void leap(const Wanted& wanted);
  void nearest(FunctionHash function, const std::string& here, std::optional<std::string>& best);

  Txn& txn_;
  const QueueNumber queue_;
  std::optional<Walk> walk_;
  unsigned skipped_ = 0;  ///< in a row
  std::uint64_t visited_ = 0;
};

}  // namespace gaur::embedded
