#pragma once
// Values that gaur/client.hpp and the stores share: new jobs, counts, pages of logs and events.
// Thread-safety: values.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/job.hpp"

namespace gaur {

// ---- producers -------------------------------------------------------------------------------

struct NewJob {
  std::string name{};
  /// JSON text, stored byte for byte.
  std::string data = "{}";
  JobOptions options{};
};

struct Added {
  JobId id{};
  /// kActive: the add handed the job to a long poll in the same step.
  State state = State::kWaiting;
  /// A job with this id exists; nothing was changed.
  bool duplicate = false;
  /// Approximate number of jobs that start before it; 0 for active and delayed jobs.
  std::uint64_t position = 0;
  /// The existing job has another name or other data. Set by Client only.
  bool differs = false;
  bool operator==(const Added&) const = default;
};

enum class CancelReply : std::uint8_t { kRemoved, kRequested, kFinished, kForeign };
std::string_view to_string(CancelReply reply);

struct JobRef {
  QueueName queue{};
  JobId id{};
};

// ---- reading ---------------------------------------------------------------------------------

struct Counts {
  std::array<std::uint64_t, kAllStates.size()> of{};
  bool paused = false;
  std::uint64_t& operator[](State state) { return of[static_cast<std::size_t>(state)]; }
  std::uint64_t operator[](State state) const { return of[static_cast<std::size_t>(state)]; }
  std::uint64_t ready() const { return (*this)[State::kWaiting] + (*this)[State::kPrioritized]; }
  bool operator==(const Counts&) const = default;
};

struct Position {
  std::uint64_t before = 0;
  /// false above 1 000: an estimate.
  bool exact = true;
  bool operator==(const Position&) const = default;
};

struct RangeRequest {
  QueueName queue{};
  State state = State::kWaiting;
  std::uint64_t offset = 0;
  /// At most 1 000.
  std::uint32_t limit = 100;
  /// Reverses the order: the order of starts for waiting jobs, of finishing for finished ones.
  bool newest_first = false;
};

struct LogPage {
  std::vector<std::string> lines{};
  /// Lines that are stored.
  std::uint64_t total = 0;
};

// ---- events ----------------------------------------------------------------------------------

enum class EventKind : std::uint8_t {
  kAdded,
  kWaiting,
  kDelayed,
  kActive,
  kProgress,
  kCompleted,
  kFailed,
  kRetriesExhausted,
  kStalled,
  kRemoved,
  kDuplicated,
  kWaitingChildren,
  kPaused,
  kResumed,
  kDrained,
  kCleaned,
  kCancelRequested,
};
/// The name in Bull and BullMQ: "added", "waiting", "retries-exhausted" ...
std::string_view to_string(EventKind kind);

struct Event {
  /// Opaque position in the queue's event log.
  std::string cursor{};
  EventKind kind = EventKind::kAdded;
  /// Empty for queue events.
  JobId id{};
  std::optional<State> previous{};
  /// kCompleted: result; kFailed: reason; kProgress: JSON; kDelayed: due time in ms; kAdded: name.
  std::string detail{};
  Time at{};
};
struct EventPage {
  std::vector<Event> events{};
  /// The `cursor` of the next request.
  std::string cursor{};
  /// Events after the requested cursor were trimmed and are missing.
  bool gap = false;
};

}  // namespace gaur
