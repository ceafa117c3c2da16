#pragma once
// What a host knows about the waiting jobs beyond those that a take request looks at: how far the queue's
// list was scanned, and the places of jobs whose functions this host serves. It is only a hint: other clients
// add, take and remove jobs anywhere at any time, so each script checks ids against places. A place is the
// number of ids that are handed out earlier (the list's tail is handed out next). Pure: admission_scan.hpp
// runs the scripts. Thread-safety: a value; TakeMemory's mutex guards it.
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/needs.hpp"

namespace gaur::redis_store {

struct Spot {
  JobId id{};
  std::uint64_t place = 0;
};

/// Where a scan continues.
struct ScanPosition {
  /// The first unread place.
  std::uint64_t next = 0;
  /// Ids that were read, last first: the position is found again by them.
  std::vector<Spot> anchors{};
  /// The place around which they are searched first.
  std::uint64_t search = 0;
};

/// A waiting job that a scan found.
struct FoundJob {
  JobId id{};
  FunctionName function{};
  std::uint64_t place = 0;
  /// A take request with it is under way.
  bool sent = false;
  /// How often it was not near its place.
  unsigned misses = 0;
};

/// One script to run. `planned` is the sum of shifts when it was planned; clear() changes `generation`.
struct ScanTask {
  enum class Kind : std::uint8_t { kForward, kRefill, kAudit };
  Kind kind = Kind::kForward;
  /// Of kRefill.
  FunctionName function{};
  ScanPosition from{};
  /// AdmissionFilter::function_field.
  std::string field{};
  /// Jobs with a priority that arrived; their places are requested.
  std::vector<JobId> asked{};
  std::int64_t planned = 0;
  std::uint64_t generation = 0;
  /// The last forward scan did not reach the end of the list.
  bool is_long = false;
};

/// What the script read, in the order of handing out. An id without a function has no job.
struct Scanned {
  /// Place of the first of `jobs`.
  std::uint64_t first = 0;
  /// How far the task's anchors had moved.
  std::int64_t shift = 0;
  /// Ids in the list.
  std::uint64_t waiting = 0;
  struct Read {
    JobId id{};
    std::optional<FunctionName> function{};
    std::uint64_t place = 0;
  };
  std::vector<Read> jobs{}, asked{};
};

/// The changes of a take request to the list, from its reply.
struct TakeEffect {
  /// One for each job of the request (shared/take_found.lua).
  std::string letters{};
  /// Of their places from the expected ones.
  std::int64_t shift = 0;
  /// Removed from the tail.
  std::uint64_t popped = 0;
  /// Places of the other taken jobs, before the request.
  std::vector<std::uint64_t> removed{};
};

class WaitingIndex {
 public:
  bool active() const { return active_; }
  /// A take request left ids unlooked at: from now on they are scanned for the functions in `admit`.
  void begin(const AdmissionFilter& admit);
  /// One take request looks at all waiting jobs again.
  void clear();

  /// Jobs for the next take request, in the order of handing out. They count as sent until took() or
  /// release().
  std::vector<FoundJob> to_take(const AdmissionFilter& admit, std::size_t most);
  std::int64_t planned() const { return total_shift_; }
  void took(const std::vector<FoundJob>& given, const TakeEffect& effect, std::int64_t planned);
  void release(const std::vector<FoundJob>& given);

  /// A job that entered the list, perhaps in its middle.
  void arrived(const JobId& id);

  /// The next scan; nothing if all was scanned or a job can be taken.
  std::optional<ScanTask> next_scan();
  /// Scans from the front again, to find jobs that entered the scanned part unnoticed.
  ScanTask audit();
  /// Whether a job can be taken now and none could before.
  bool scanned(const ScanTask& task, const Scanned& result);
  /// None of the task's anchors was found near its place.
  void lost(const ScanTask& task);
  bool audit_done() const { return audit_.next == 0; }

  /// The scanned jobs by function.
  const std::map<FunctionName, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t scanned_to() const { return forward_.next; }

 private:
  /// The first jobs of one function, and where to look for more before `forward_`.
  struct Group {
    std::vector<FoundJob> jobs;
    std::optional<ScanPosition> rest;
  };

  static FunctionName key_of(const FunctionName& function, const AdmissionFilter& admit);
  Group* group_of(const FunctionName& function);
  bool is_available(const FunctionName& key) const;
  bool can_take() const;
  void insert(const Scanned::Read& job);
  void refill(Group& group, const Scanned& result);
  void shift(std::int64_t by);
  void removed(std::uint64_t place);
  template <class Visit>
  void each_place(Visit visit);
  ScanTask task(ScanTask::Kind kind, const ScanPosition& from, const FunctionName& function = {}) const;

  bool active_ = false;
  /// Of the last take request.
  AdmissionFilter admit_{};
  ScanPosition forward_, audit_;
  /// The last forward scan reached the end of the list, and no job is known to have arrived since.
  bool at_end_ = false;
  bool is_long_ = true;
  std::map<FunctionName, Group> groups_;
  std::vector<JobId> arrivals_;
  std::int64_t total_shift_ = 0;
  std::uint64_t generation_ = 0;
  std::map<FunctionName, std::uint64_t> counts_, audit_counts_;
};

}  // namespace gaur::redis_store
