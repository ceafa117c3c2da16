#pragma once
// What producers and onlookers say to a queue and hear from it: the value types that gaur/client.hpp and
// the stores share. Copy them freely. Thread-safety: values.
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
  std::string data = "{}";  ///< JSON text, stored byte for byte
  JobOptions options{};
};

struct Added {
  JobId id{};
  State state = State::kWaiting;  ///< kActive: handed to a parked turn in the same step
  bool duplicate = false;         ///< a job of this id was there already; nothing was changed
  std::uint64_t position = 0;  ///< jobs that would be handed out before it, about; 0 for active and delayed
  bool differs = false;        ///< the job that was there has another name or other data; set by Client alone
  bool operator==(const Added&) const = default;
};

enum class CancelReply : std::uint8_t { kRemoved, kRequested, kFinished, kForeign };
std::string_view to_string(CancelReply reply);

struct JobRef {
  QueueName queue{};
  JobId id{};
};

// ---- looking ---------------------------------------------------------------------------------

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
  bool exact = true;  ///< false above 1 000: "about"
  bool operator==(const Position&) const = default;
};

struct RangeRequest {
  QueueName queue{};
  State state = State::kWaiting;
  std::uint64_t offset = 0;
  std::uint32_t limit = 100;  ///< at most 1 000
  bool newest_first = false;  ///< waiting states: default is the order of handing out; finished: of finishing
};

struct LogPage {
  std::vector<std::string> lines{};
  std::uint64_t total = 0;  ///< lines kept
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
/// The dialects' own words: "added", "waiting", "retries-exhausted" ...
std::string_view to_string(EventKind kind);

struct Event {
  std::string cursor{};  ///< opaque; order within a queue is the order of the log
  EventKind kind = EventKind::kAdded;
  JobId id{};  ///< empty for queue events
  std::optional<State> previous{};
  std::string detail{};  ///< completed: result; failed: reason; progress: JSON; delayed: due ms; added: name
  Time at{};
};
struct EventPage {
  std::vector<Event> events{};
  std::string cursor{};  ///< pass it next time
  bool gap = false;      ///< events after the given cursor were trimmed before they were read
};

}  // namespace gaur
