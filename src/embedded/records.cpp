#include "embedded/records.hpp"

#include <fmt/format.h>

#include "embedded/bytes.hpp"
#include "embedded/crc32c.hpp"

namespace gaur::embedded {

void begin_record(std::string& out) {
  out.assign(kFrameBytes, '\0');
}

void seal_record(std::string& out, Magic magic, std::string_view key) {
  const auto length = static_cast<std::uint32_t>(out.size() - kFrameBytes);
  const std::uint32_t crc = crc32c(std::string_view(out).substr(kFrameBytes), crc32c(key));
  const auto kind = static_cast<std::uint32_t>(magic);
  std::memcpy(out.data(), &kind, 4);
  std::memcpy(out.data() + 4, &crc, 4);
  std::memcpy(out.data() + 8, &length, 4);
}

namespace {
std::optional<std::string_view> unframed(std::string_view record, Magic magic) {
  ByteReader reader(record);
  const auto kind = reader.number<std::uint32_t>();
  reader.number<std::uint32_t>();
  const auto length = reader.number<std::uint32_t>();
  if (!reader.ok() || kind != static_cast<std::uint32_t>(magic) || length != reader.rest().size())
    return std::nullopt;
  return reader.rest();
}
}  // namespace

std::optional<std::string_view> open_record(std::string_view record, Magic magic, std::string_view key) {
  const auto payload = unframed(record, magic);
  if (!payload) return std::nullopt;
  std::uint32_t crc = 0;
  std::memcpy(&crc, record.data() + 4, 4);
  return crc == crc32c(*payload, crc32c(key)) ? payload : std::nullopt;
}

Error damaged(std::string_view what, std::string_view key) {
  std::string hex;
  for (const char c : key.substr(0, 32)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return {Errc::kCorrupt,
          fmt::format("{} (key {}) does not match its checksum: the data file is damaged; restore a backup",
                      what, hex)};
}

void encode_format(const FormatRecord& format, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  w.number(format.version);
  w.number(format.store_id);
  seal_record(out, format.backup ? Magic::kBackup : Magic::kFormat, kFormatKey);
}

std::optional<FormatRecord> decode_format(std::string_view record, std::string_view key) {
  FormatRecord format;
  auto payload = open_record(record, Magic::kFormat, key);
  if (!payload) {
    payload = open_record(record, Magic::kBackup, key);
    format.backup = true;
  }
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  format.version = r.number<std::uint32_t>();
  if (!r.at_end()) format.store_id = r.number<std::uint64_t>();  // absent before disk format 4
  if (!r.ok()) return std::nullopt;
  return format;
}

Status check_version(std::uint32_t version) {
  if (version <= kDiskFormat) return ok();
  return Error{
      Errc::kNewerFormat,
      fmt::format(
          "the store has disk format {}, this program reads up to {}; use the newer Gaur that wrote it",
          version, kDiskFormat)};
}

void encode_state(const JobState& state, std::string_view key, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  w.number(static_cast<std::uint8_t>(state.state));
  w.number(std::uint8_t{0});
  w.number(state.flags);
  for (const std::uint32_t n :
       {state.priority, state.attempts_made, state.attempts_started, state.stalled, state.processed_by})
    w.number(n);
  for (const std::int64_t n : {state.order, state.timestamp, state.delay, state.due, state.ready_since,
                               state.processed_on, state.finished_on})
    w.number(n);
  for (const std::uint64_t n : {state.cpu_us, state.peak_rss_bytes, state.wall_us}) w.number(n);
  seal_record(out, Magic::kState, key);
}

std::optional<JobState> decode_state(std::string_view record, std::string_view key) {
  const auto payload = open_record(record, Magic::kState, key);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  JobState s;
  const auto state = r.number<std::uint8_t>();
  if (state >= kAllStates.size()) return std::nullopt;
  s.state = static_cast<State>(state);
  r.number<std::uint8_t>();
  s.flags = r.number<std::uint16_t>();
  for (std::uint32_t* n : {&s.priority, &s.attempts_made, &s.attempts_started, &s.stalled, &s.processed_by})
    *n = r.number<std::uint32_t>();
  for (std::int64_t* n :
       {&s.order, &s.timestamp, &s.delay, &s.due, &s.ready_since, &s.processed_on, &s.finished_on})
    *n = r.number<std::int64_t>();
  for (std::uint64_t* n : {&s.cpu_us, &s.peak_rss_bytes, &s.wall_us}) *n = r.number<std::uint64_t>();
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return s;
}

void encode_body(const JobBody& body, std::string_view key, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  for (const std::string_view text : {body.id, body.name, body.options, body.data}) w.text(text);
  seal_record(out, Magic::kBody, key);
}

std::string_view peek_body_id(std::string_view record) {
  return ByteReader(record.substr(std::min(kFrameBytes, record.size()))).text();
}

std::optional<JobBody> decode_body(std::string_view record, std::string_view key, bool checked) {
  const auto payload = checked ? open_record(record, Magic::kBody, key) : unframed(record, Magic::kBody);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  JobBody body;
  for (std::string_view* text : {&body.id, &body.name, &body.options, &body.data}) *text = r.text();
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return body;
}

void encode_failure(const StoredFailure& failure, std::string_view key, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  const Failure& f = failure.failure;
  for (const std::string* text : {&f.code, &f.message, &f.stack, &f.details}) w.text(*text);
  w.number(static_cast<std::uint32_t>(failure.stacktrace.size()));
  for (const std::string& stack : failure.stacktrace) w.text(stack);
  seal_record(out, Magic::kPart, key);
}

std::optional<StoredFailure> decode_failure(std::string_view record, std::string_view key) {
  const auto payload = open_record(record, Magic::kPart, key);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  StoredFailure stored;
  Failure& f = stored.failure;
  for (std::string* text : {&f.code, &f.message, &f.stack, &f.details}) *text = r.text();
  for (auto left = r.number<std::uint32_t>(); left > 0 && r.ok(); --left)
    stored.stacktrace.emplace_back(r.text());
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return stored;
}

void encode_text(Magic magic, std::string_view text, std::string_view key, std::string& out) {
  begin_record(out);
  out.append(text);
  seal_record(out, magic, key);
}

std::optional<std::string_view> decode_text(Magic magic, std::string_view record, std::string_view key) {
  return open_record(record, magic, key);
}

void encode_queue(const QueueRecord& q, std::string_view key, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  w.number(q.number);
  w.number(static_cast<std::uint8_t>(q.paused));
  for (const std::uint64_t count : q.counts) w.number(count);
  w.number(q.last_id);
  w.number(q.last_custom);
  w.number(q.front);
  w.number(q.back);
  w.number(q.first_event);
  w.number(q.next_event);
  w.text(q.function_field);
  seal_record(out, Magic::kQueue, key);
}

std::optional<QueueRecord> decode_queue(std::string_view record, std::string_view key) {
  const auto payload = open_record(record, Magic::kQueue, key);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  QueueRecord q;
  q.number = r.number<std::uint32_t>();
  q.paused = r.number<std::uint8_t>() != 0;
  for (std::uint64_t& count : q.counts) count = r.number<std::uint64_t>();
  q.last_id = r.number<std::uint64_t>();
  q.last_custom = r.number<std::uint64_t>();
  q.front = r.number<std::int64_t>();
  q.back = r.number<std::int64_t>();
  q.first_event = r.number<std::uint64_t>();
  q.next_event = r.number<std::uint64_t>();
  if (!r.at_end()) q.function_field = r.text();  // absent in disk format 1
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return q;
}

void encode_global(const GlobalRecord& global, std::string_view key, std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  w.number(global.last_queue);
  w.number(global.last_name);
  w.number(global.last_unnumbered);
  seal_record(out, Magic::kGlobal, key);
}

std::optional<GlobalRecord> decode_global(std::string_view record, std::string_view key) {
  const auto payload = open_record(record, Magic::kGlobal, key);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  GlobalRecord global;
  global.last_queue = r.number<std::uint32_t>();
  global.last_name = r.number<std::uint32_t>();
  global.last_unnumbered = r.number<std::uint64_t>();
  if (!r.ok() || !r.at_end()) return std::nullopt;
  return global;
}

void encode_event(const StoredEvent& event, std::string& out) {
  ByteWriter w(out);
  w.number(static_cast<std::uint8_t>(event.kind));
  w.number(static_cast<std::uint8_t>(event.previous ? static_cast<int>(*event.previous) : 0xFF));
  w.number(event.job);
  w.number(event.at);
  w.number(static_cast<std::uint8_t>(event.id.size()));
  out.append(event.id);
  w.text(event.detail);
}

void encode_events(const EventsHeader& header, std::string_view events, std::string_view key,
                   std::string& out) {
  begin_record(out);
  ByteWriter w(out);
  w.number(header.count);
  w.number(header.last_id);
  w.number(header.last_custom);
  out.append(events);
  seal_record(out, Magic::kEvents, key);
}

std::optional<EventsHeader> decode_events_header(std::string_view record, std::string_view key,
                                                 std::uint32_t format) {
  const auto payload = open_record(record, Magic::kEvents, key);
  if (!payload) return std::nullopt;
  ByteReader r(*payload);
  EventsHeader header;
  header.count = r.number<std::uint32_t>();
  if (format >= 4) {
    header.last_id = r.number<std::uint64_t>();
    header.last_custom = r.number<std::uint64_t>();
  }
  if (!r.ok()) return std::nullopt;
  return header;
}

std::optional<std::string> contradiction(const QueueRecord& queue, std::uint64_t next,
                                         const EventsHeader& newest) {
  if (queue.last_id == newest.last_id && queue.last_custom == newest.last_custom && queue.next_event == next)
    return std::nullopt;
  return fmt::format(
      "its record has the highest numbers {} and {} (custom ids) and next event {}; its newest events record "
      "has {}, {} and {}",
      queue.last_id, queue.last_custom, queue.next_event, newest.last_id, newest.last_custom, next);
}

bool decode_events(std::string_view payload, const std::function<void(const StoredEvent&)>& each) {
  ByteReader r(payload);
  while (!r.at_end()) {
    StoredEvent event;
    event.kind = static_cast<EventKind>(r.number<std::uint8_t>());
    const auto previous = r.number<std::uint8_t>();
    if (previous < kAllStates.size()) event.previous = static_cast<State>(previous);
    event.job = r.number<std::uint64_t>();
    event.at = r.number<std::int64_t>();
    const std::size_t id_bytes = r.number<std::uint8_t>();
    if (!r.ok() || r.rest().size() < id_bytes) return false;
    event.id = r.rest().substr(0, id_bytes);
    r = ByteReader(r.rest().substr(id_bytes));
    event.detail = r.text();
    if (!r.ok() || event.kind > EventKind::kCancelRequested) return false;
    each(event);
  }
  return true;
}

}  // namespace gaur::embedded
