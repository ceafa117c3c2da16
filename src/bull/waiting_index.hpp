#pragma once
// What a host knows about the jobs that wait further back in a queue's list than a turn looks: how far it was
// scanned, and where jobs of the functions served here stand. In memory only and never trusted: each script
// checks ids against places, peers may add, take and remove anywhere at any time. A place counts the ids that
// are handed out before one (the list's tail is handed out next). Pure: scanning.hpp runs the scripts.
// Thread-safety: a value; TakeMemory's mutex guards it.
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/needs.hpp"

namespace gaur::bull {

struct Spot {
  JobId id{};
  std::uint64_t place = 0;
};

/// Where a scan goes on.
struct ScanPosition {
  std::uint64_t next = 0;       ///< the first place not read yet
  std::vector<Spot> anchors{};  ///< ids that were read, last first: by them the position is found again
  std::uint64_t search = 0;     ///< the place around which they are searched first
};

/// A job that waits, found by a scan.
struct FoundJob {
  JobId id{};
  FunctionName function{};
  std::uint64_t place = 0;
  bool sent = false;    ///< a turn that may take it has no answer yet
  unsigned misses = 0;  ///< how often it was not near its place
};

/// One script to run; `planned` is the total of shifts when it was planned, `generation` changes with
/// clear().
struct ScanTask {
  enum class Kind : std::uint8_t { kForward, kRefill, kAudit };
  Kind kind = Kind::kForward;
  FunctionName function{};  ///< of kRefill
  ScanPosition from{};
  std::string field{};         ///< AdmissionFilter::function_field
  std::vector<JobId> asked{};  ///< jobs with a priority that arrived
  std::int64_t planned = 0;
  std::uint64_t generation = 0;
  bool long_way = false;  ///< the last forward scan did not reach the end of the list
};

/// What it read, in the order of handing out. A job without a function has no hash.
struct Scanned {
  std::uint64_t first = 0;    ///< place of the first of `jobs`
  std::int64_t shift = 0;     ///< how far the task's anchors had moved
  std::uint64_t waiting = 0;  ///< ids in the list
  struct Read {
    JobId id{};
    std::optional<FunctionName> function{};
    std::uint64_t place = 0;
  };
  std::vector<Read> jobs{}, asked{};
};

/// What a turn did to the list, as its script answers.
struct TakeEffect {
  std::string letters{};                 ///< one for each job that it was given (shared/found.lua)
  std::int64_t shift = 0;                ///< how far they stood from where they were expected
  std::uint64_t popped = 0;              ///< taken off the very tail
  std::vector<std::uint64_t> removed{};  ///< places of what else was taken, before anything was
};

class WaitingIndex {
 public:
  bool active() const { return active_; }
  /// A turn left ids unlooked at: from now on they are scanned for what `admit` serves.
  void begin(const AdmissionFilter& admit);
  /// All that waits fits a turn's look again.
  void clear();

  /// Jobs for the next turn, in the order of handing out; they count as sent until took() or release().
  std::vector<FoundJob> to_take(const AdmissionFilter& admit, std::size_t most);
  std::int64_t planned() const { return total_shift_; }
  void took(const std::vector<FoundJob>& given, const TakeEffect& effect, std::int64_t planned);
  void release(const std::vector<FoundJob>& given);

  /// A job that entered the list, perhaps in its middle.
  void arrived(const JobId& id);

  /// What to scan now; nothing when all was scanned or there is something to take.
  std::optional<ScanTask> next_scan();
  /// From the front again, beside what is known: what entered the scanned part unseen is found by it.
  ScanTask audit();
  /// Answers whether there is something to take now, and was not before.
  bool scanned(const ScanTask& task, const Scanned& result);
  /// None of the task's anchors was near where they were searched.
  void lost(const ScanTask& task);
  bool audit_done() const { return audit_.next == 0; }

  /// Jobs by function, as the scans counted them.
  const std::map<FunctionName, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t scanned_to() const { return forward_.next; }

 private:
  /// The first jobs of one function, and where to look for more of it before `forward_`.
  struct Group {
    std::vector<FoundJob> jobs;
    std::optional<ScanPosition> rest;
  };

  static FunctionName key_of(const FunctionName& function, const AdmissionFilter& admit);
  Group* group_of(const FunctionName& function);
  bool is_open(const FunctionName& key) const;
  bool something_to_take() const;
  void insert(const Scanned::Read& job);
  void refill(Group& group, const Scanned& result);
  void shift(std::int64_t by);
  void removed(std::uint64_t place);
  template <class Visit>
  void each_place(Visit visit);
  ScanTask task(ScanTask::Kind kind, const ScanPosition& from, const FunctionName& function = {}) const;

  bool active_ = false;
  AdmissionFilter admit_{};  ///< of the last turn: what is served, and what is open
  ScanPosition forward_, audit_;
  bool at_end_ =
      false;  ///< the last forward scan came to the end of the list, and nothing is known to have come since
  bool long_way_ = true;
  std::map<FunctionName, Group> groups_;
  std::vector<JobId> arrivals_;
  std::int64_t total_shift_ = 0;
  std::uint64_t generation_ = 0;
  std::map<FunctionName, std::uint64_t> counts_, audit_counts_;
};

}  // namespace gaur::bull
