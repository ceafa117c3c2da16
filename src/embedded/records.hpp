#pragma once
// What stands in the file, record by record. Every record is framed alike: magic, CRC32C over key and
// payload, payload length; so that damage is found when it is read and a salvage tool can read page by page.
// Change a layout here => raise kDiskFormat, teach the migration, describe it in
// docs/reference/disk-format.md.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embedded/keys.hpp"
#include "gaur/job.hpp"
#include "gaur/queue.hpp"

namespace gaur::embedded {

inline constexpr std::uint32_t kDiskFormat = 2;
/// "Gau" and the kind of record, as it lies in the file.
enum class Magic : std::uint32_t {
  kFormat = 0x46'75'61'47,  // "GauF"
  kGlobal = 0x47'75'61'47,  // "GauG"
  kQueue = 0x51'75'61'47,   // "GauQ"
  kName = 0x4E'75'61'47,    // "GauN"
  kState = 0x53'75'61'47,   // "GauS"
  kBody = 0x42'75'61'47,    // "GauB"
  kPart = 0x50'75'61'47,    // "GauP"
  kEvents = 0x45'75'61'47,  // "GauE"
  kLog = 0x4C'75'61'47,     // "GauL"
  kLane = 0x54'75'61'47,    // "GauT"
};
inline constexpr std::size_t kFrameBytes = 12;

/// Clears `out` and leaves room for the frame; append the payload, then seal().
void begin_record(std::string& out);
void seal_record(std::string& out, Magic magic, std::string_view key);
/// The payload, or nothing if magic, length or checksum are wrong.
std::optional<std::string_view> open_record(std::string_view record, Magic magic, std::string_view key);
Error damaged(std::string_view what, std::string_view key);

inline constexpr std::int64_t kNoTime = INT64_MIN;

/// The part of a job that changes; of fixed size, so that a change rewrites it in place. ~140 bytes.
struct JobState {
  enum Flag : std::uint16_t {
    kLifo = 1,
    kResultIsNull = 4,  ///< completed with "null", the commonest result: no part is written
    kHasProgress = 8,
    kHasResult = 16,
    kHasResultFile = 512,  ///< the result's JSON text includes the result file
    kHasFailure = 32,      ///< the part's failure is the job's; off after a retry by hand
    kHasFailurePart = 2,   ///< failure and stack traces
    kHasUsage = 64,
    kHasUsageDetails = 128,
    kHasLogs = 256,
  };
  State state = State::kWaiting;
  std::uint16_t flags = 0;
  std::uint32_t priority = 0;
  std::uint32_t attempts_made = 0, attempts_started = 0, stalled = 0;
  std::uint32_t processed_by = 0;         ///< number of the worker's name; 0: never started
  std::int64_t order = 0;                 ///< its place in the set in which it stands
  std::int64_t timestamp = 0, delay = 0;  ///< ms
  std::int64_t due = kNoTime, ready_since = kNoTime, processed_on = kNoTime, finished_on = kNoTime;
  std::uint64_t cpu_us = 0, peak_rss_bytes = 0, wall_us = 0;

  bool has(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag, bool on = true) {
    flags = static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
  }
  bool operator==(const JobState&) const = default;
};
void encode_state(const JobState& state, std::string_view key, std::string& out);
std::optional<JobState> decode_state(std::string_view record, std::string_view key);

/// The part that is written once (update_data writes it anew). Views point into the record.
struct JobBody {
  std::string_view id;  ///< the user's own; empty for the store's
  std::string_view name, data, options;
};
void encode_body(const JobBody& body, std::string_view key, std::string& out);
/// `checked` = false skips the checksum (bounds are still kept): for a look that is followed by a checked
/// one.
std::optional<JobBody> decode_body(std::string_view record, std::string_view key, bool checked = true);

std::string encode_options(const JobOptions& options);
std::optional<JobOptions> decode_options(std::string_view bytes);

struct StoredFailure {
  Failure failure;
  std::vector<std::string> stacktrace;  ///< oldest first
};
void encode_failure(const StoredFailure& failure, std::string_view key, std::string& out);
std::optional<StoredFailure> decode_failure(std::string_view record, std::string_view key);
/// A record that is one text: progress, result, usage details, log line, worker name.
void encode_text(Magic magic, std::string_view text, std::string_view key, std::string& out);
std::optional<std::string_view> decode_text(Magic magic, std::string_view record, std::string_view key);

/// A queue, with its counters: rewritten by each transaction that touched it.
struct QueueRecord {
  QueueNumber number = 0;
  bool paused = false;
  std::array<std::uint64_t, kAllStates.size()> counts{};
  JobNumber last_id = 0;          ///< of the store's own ids
  JobNumber last_own = 0;         ///< numbers the jobs with ids of the user's, from kOwnIds
  std::int64_t front = 0;         ///< order of the last job put in front; falls
  std::int64_t back = 0;          ///< order of the last job put behind; rises. Also orders all other sets
  std::uint64_t first_event = 1;  ///< number of the oldest event kept
  std::uint64_t next_event = 1;
  std::string function_field;  ///< AdmissionFilter::function_field that the index of ready jobs was built for
  bool operator==(const QueueRecord&) const = default;
};
void encode_queue(const QueueRecord& queue, std::string_view key, std::string& out);
std::optional<QueueRecord> decode_queue(std::string_view record, std::string_view key);

struct GlobalRecord {
  QueueNumber last_queue = 0;
  std::uint32_t last_name = 0;
  std::uint64_t last_unnumbered = 0;  ///< keeps tokens of operations without number apart
  bool operator==(const GlobalRecord&) const = default;
};
void encode_global(const GlobalRecord& global, std::string_view key, std::string& out);
std::optional<GlobalRecord> decode_global(std::string_view record, std::string_view key);

/// One event as it is gathered; a record in the file holds the run of events of one commit (or a part of it).
struct StoredEvent {
  EventKind kind = EventKind::kAdded;
  std::optional<State> previous;
  JobNumber job = 0;    ///< 0: a queue event
  std::string_view id;  ///< the user's own id, or empty
  std::int64_t at = 0;
  std::string_view detail;
};
void encode_event(const StoredEvent& event, std::string& out);
/// Calls `each(event)` for every event of a payload; false if it is damaged.
bool decode_events(std::string_view payload, const std::function<void(const StoredEvent&)>& each);

}  // namespace gaur::embedded
