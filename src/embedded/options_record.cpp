// A job's options as bytes: a bitmap of those that differ from the default, then their values in the order of
// the bits.
#include <bit>

#include "embedded/bytes.hpp"
#include "embedded/records.hpp"

namespace gaur::embedded {

namespace {
enum Bit : std::uint32_t {
  kId = 1U << 0,
  kDelay = 1U << 1,
  kPriority = 1U << 2,
  kLifo = 1U << 3,
  kAttempts = 1U << 4,
  kBackoff = 1U << 5,
  kTimestamp = 1U << 6,
  kOnComplete = 1U << 7,
  kOnFail = 1U << 8,
  kTimeout = 1U << 9,
  kQueueTimeout = 1U << 10,
  kKeepLogs = 1U << 11,
  kStackLimit = 1U << 12,
  kKnown = (1U << 13) - 1,
};

void write_retention(ByteWriter& w, const Retention& keep) {
  w.number(static_cast<std::uint8_t>((keep.count ? 1 : 0) | (keep.age ? 2 : 0)));
  if (keep.count) w.number(*keep.count);
  if (keep.age) w.number(static_cast<std::int64_t>(keep.age->count()));
}

Retention read_retention(ByteReader& r) {
  Retention keep;
  const auto have = r.number<std::uint8_t>();
  if ((have & 1) != 0) keep.count = r.number<std::uint64_t>();
  if ((have & 2) != 0) keep.age = std::chrono::seconds(r.number<std::int64_t>());
  return keep;
}

std::uint32_t bits_of(const JobOptions& o) {
  static const JobOptions kDefault;
  std::uint32_t bits = 0;
  const auto mark = [&](bool differs, Bit bit) { bits |= differs ? bit : 0U; };
  mark(o.id.has_value(), kId);
  mark(o.delay != kDefault.delay, kDelay);
  mark(o.priority != 0, kPriority);
  mark(o.lifo, kLifo);
  mark(o.attempts != 0, kAttempts);
  mark(o.backoff != kDefault.backoff, kBackoff);
  mark(o.timestamp.has_value(), kTimestamp);
  mark(o.on_complete.has_value(), kOnComplete);
  mark(o.on_fail.has_value(), kOnFail);
  mark(o.timeout.has_value(), kTimeout);
  mark(o.queue_timeout.has_value(), kQueueTimeout);
  mark(o.keep_logs != kDefault.keep_logs, kKeepLogs);
  mark(o.stack_trace_limit != kDefault.stack_trace_limit, kStackLimit);
  return bits;
}
}  // namespace

std::string encode_options(const JobOptions& o) {
  const std::uint32_t bits = bits_of(o);
  std::string out;
  if (bits == 0) return out;
  ByteWriter w(out);
  w.number(bits);
  if (bits & kId) w.text(o.id->value);
  if (bits & kDelay) w.number(o.delay.count());
  if (bits & kPriority) w.number(o.priority);
  if (bits & kAttempts) w.number(o.attempts);
  if (bits & kBackoff) {
    w.number(static_cast<std::uint8_t>(o.backoff.kind));
    w.number(o.backoff.delay.count());
    w.number(std::bit_cast<std::uint64_t>(o.backoff.jitter));
  }
  if (bits & kTimestamp) w.number(to_ms(*o.timestamp));
  if (bits & kOnComplete) write_retention(w, *o.on_complete);
  if (bits & kOnFail) write_retention(w, *o.on_fail);
  if (bits & kTimeout) w.number(o.timeout->count());
  if (bits & kQueueTimeout) w.number(o.queue_timeout->count());
  if (bits & kKeepLogs) w.number(o.keep_logs);
  if (bits & kStackLimit) w.number(o.stack_trace_limit);
  return out;
}

std::optional<JobOptions> decode_options(std::string_view bytes) {
  JobOptions o;
  if (bytes.empty()) return o;
  ByteReader r(bytes);
  const auto bits = r.number<std::uint32_t>();
  if ((bits & ~kKnown) != 0) return std::nullopt;
  if (bits & kId) o.id = JobId(std::string(r.text()));
  if (bits & kDelay) o.delay = Duration(r.number<std::int64_t>());
  if (bits & kPriority) o.priority = r.number<std::uint32_t>();
  o.lifo = (bits & kLifo) != 0;
  if (bits & kAttempts) o.attempts = r.number<std::uint32_t>();
  if (bits & kBackoff) {
    o.backoff.kind = r.number<std::uint8_t>() == 0 ? Backoff::Kind::kFixed : Backoff::Kind::kExponential;
    o.backoff.delay = Duration(r.number<std::int64_t>());
    o.backoff.jitter = std::bit_cast<double>(r.number<std::uint64_t>());
  }
  if (bits & kTimestamp) o.timestamp = from_ms(r.number<std::int64_t>());
  if (bits & kOnComplete) o.on_complete = read_retention(r);
  if (bits & kOnFail) o.on_fail = read_retention(r);
  if (bits & kTimeout) o.timeout = Duration(r.number<std::int64_t>());
  if (bits & kQueueTimeout) o.queue_timeout = Duration(r.number<std::int64_t>());
  if (bits & kKeepLogs) o.keep_logs = r.number<std::uint32_t>();
  if (bits & kStackLimit) o.stack_trace_limit = r.number<std::uint32_t>();
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return o;
}

}  // namespace gaur::embedded
