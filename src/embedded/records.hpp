#pragma once
// The records in the data file. Each has a frame (magic, CRC32C over key and payload, payload length), so
// that reading detects damage and a salvage tool can read page by page. A change of layout raises
// kDiskFormat, extends Engine::migrate() and updates docs/reference/disk-format.md.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embedded/keys.hpp"
#include "gaur/job.hpp"
#include "gaur/queue.hpp"

namespace gaur::embedded {

inline constexpr std::uint32_t kDiskFormat = 4;
/// "Gau" and a letter for the kind of record, in the byte order of the file.
enum class Magic : std::uint32_t {
  kFormat = 0x46'75'61'47,   // "GauF"
  kBackup = 0x4B'75'61'47,   // "GauK": the format record of a backup
  kGlobal = 0x47'75'61'47,   // "GauG"
  kQueue = 0x51'75'61'47,    // "GauQ"
  kName = 0x4E'75'61'47,     // "GauN"
  kState = 0x53'75'61'47,    // "GauS"
  kBody = 0x42'75'61'47,     // "GauB"
  kPart = 0x50'75'61'47,     // "GauP"
  kEvents = 0x45'75'61'47,   // "GauE"
  kLog = 0x4C'75'61'47,      // "GauL"
  kSession = 0x54'75'61'47,  // "GauT"
};
inline constexpr std::size_t kFrameBytes = 12;

/// Clears `out` and reserves the frame. Append the payload, then call seal_record().
void begin_record(std::string& out);
void seal_record(std::string& out, Magic magic, std::string_view key);
/// The payload; nothing if magic, length or checksum do not match.
std::optional<std::string_view> open_record(std::string_view record, Magic magic, std::string_view key);
Error damaged(std::string_view what, std::string_view key);

/// The first record of a store.
struct FormatRecord {
  std::uint32_t version = kDiskFormat;
  /// Random; 0 before format 4.
  std::uint64_t store_id = 0;
  /// Only a restore makes a store of the file.
  bool backup = false;
};
void encode_format(const FormatRecord& format, std::string& out);
std::optional<FormatRecord> decode_format(std::string_view record, std::string_view key);
/// Errors: kNewerFormat.
Status check_version(std::uint32_t version);

inline constexpr std::int64_t kNoTime = INT64_MIN;

/// The changing part of a job. Its size is fixed (about 140 bytes), so that a change rewrites it in place.
struct JobState {
  enum Flag : std::uint16_t {
    kLifo = 1,
    /// A part contains the last failure and the stack traces.
    kHasFailurePart = 2,
    /// The result is "null", the most frequent one; it has no part.
    kResultIsNull = 4,
    kHasProgress = 8,
    kHasResult = 16,
    /// The failure in the part is the job's; off after a manual retry.
    kHasFailure = 32,
    kHasUsage = 64,
    kHasUsageDetails = 128,
    kHasLogs = 256,
    /// The result's JSON text includes the result file.
    kHasResultFile = 512,
  };
  State state = State::kWaiting;
  std::uint16_t flags = 0;
  std::uint32_t priority = 0;
  std::uint32_t attempts_made = 0, attempts_started = 0, stalled = 0;
  /// Number of the worker's name; 0: never started.
  std::uint32_t processed_by = 0;
  /// Sort key in the set that contains it.
  std::int64_t order = 0;
  /// Milliseconds.
  std::int64_t timestamp = 0, delay = 0;
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

/// The part of a job that is written once; update_data() rewrites it. The views point into the record.
struct JobBody {
  /// The custom id; empty if the id was generated.
  std::string_view id;
  std::string_view name, data, options;
};
void encode_body(const JobBody& body, std::string_view key, std::string& out);
/// The custom id, if the first bytes of the record contain it. Not checked.
std::string_view peek_body_id(std::string_view record);
/// `checked` = false skips the checksum but still checks bounds. Use it where a checked read follows.
std::optional<JobBody> decode_body(std::string_view record, std::string_view key, bool checked = true);

std::string encode_options(const JobOptions& options);
std::optional<JobOptions> decode_options(std::string_view bytes);

struct StoredFailure {
  Failure failure;
  /// Oldest first.
  std::vector<std::string> stacktrace;
};
void encode_failure(const StoredFailure& failure, std::string_view key, std::string& out);
std::optional<StoredFailure> decode_failure(std::string_view record, std::string_view key);
/// A record with a single text: progress, result, usage details, log line, worker name.
void encode_text(Magic magic, std::string_view text, std::string_view key, std::string& out);
std::optional<std::string_view> decode_text(Magic magic, std::string_view record, std::string_view key);

/// A queue with its counters. Each transaction that changes the queue rewrites it.
struct QueueRecord {
  QueueNumber number = 0;
  bool paused = false;
  std::array<std::uint64_t, kAllStates.size()> counts{};
  /// The last generated id.
  JobNumber last_id = 0;
  /// The last job with a custom id, counted from kFirstCustomNumber.
  JobNumber last_custom = 0;
  /// Order of the last job added at the front; decreases.
  std::int64_t front = 0;
  /// Order of the last job added at the back of any set; increases.
  std::int64_t back = 0;
  /// Number of the oldest stored event.
  std::uint64_t first_event = 1;
  std::uint64_t next_event = 1;
  /// AdmissionFilter::function_field for which the index of ready jobs was built.
  std::string function_field;
  bool operator==(const QueueRecord&) const = default;
};
void encode_queue(const QueueRecord& queue, std::string_view key, std::string& out);
std::optional<QueueRecord> decode_queue(std::string_view record, std::string_view key);

struct GlobalRecord {
  QueueNumber last_queue = 0;
  std::uint32_t last_name = 0;
  /// Counts the jobs taken by requests without a sequence number: part of their lock tokens.
  std::uint64_t last_unnumbered = 0;
  bool operator==(const GlobalRecord&) const = default;
};
void encode_global(const GlobalRecord& global, std::string_view key, std::string& out);
std::optional<GlobalRecord> decode_global(std::string_view record, std::string_view key);

/// An event. A record in the file contains the consecutive events of a commit, or some of them.
struct StoredEvent {
  EventKind kind = EventKind::kAdded;
  std::optional<State> previous;
  /// 0: an event of the queue.
  JobNumber job = 0;
  /// The custom id, or empty.
  std::string_view id;
  std::int64_t at = 0;
  std::string_view detail;
};
void encode_event(const StoredEvent& event, std::string& out);
/// Before the events of a record: the second place of the queue's highest numbers, so that a page of table
/// meta that was lost, or is an old copy, is noticed.
struct EventsHeader {
  std::uint32_t count = 0;
  /// QueueRecord::last_id and last_custom at the commit.
  JobNumber last_id = 0, last_custom = 0;
};
inline constexpr std::size_t kEventsHeaderBytes = 20;
/// `events`: encoded with encode_event().
void encode_events(const EventsHeader& header, std::string_view events, std::string_view key,
                   std::string& out);
/// `format`: the disk format of the record; before 4 it contains only the count.
std::optional<EventsHeader> decode_events_header(std::string_view record, std::string_view key,
                                                 std::uint32_t format = kDiskFormat);
/// How a queue contradicts its newest record of events, which ends before event `next`.
std::optional<std::string> contradiction(const QueueRecord& queue, std::uint64_t next,
                                         const EventsHeader& newest);
/// Calls `each(event)` for every event of a payload. Returns false if the payload is damaged.
bool decode_events(std::string_view payload, const std::function<void(const StoredEvent&)>& each);

}  // namespace gaur::embedded
