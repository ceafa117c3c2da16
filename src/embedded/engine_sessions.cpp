// Sessions: the last operation of each producer or worker and its reply, stored in the same transaction as
// its effect.
#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/bytes.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {
/// A session without an operation for this time is removed: its client has no repeat to send.
constexpr std::int64_t kSessionLifetimeMs = 24LL * 3600 * 1000;
/// Sessions checked after each operation.
constexpr int kExpiryChecks = 2;

void write_error(ByteWriter& w, const Error& error) {
  w.number(static_cast<std::uint8_t>(error.code));
  w.text(error.message);
}

Error read_error(ByteReader& r) {
  const auto code = static_cast<Errc>(r.number<std::uint8_t>());
  return {code, std::string(r.text())};
}

// The first byte of a finish: bit 0 accepted, bit 1 kept, bit 2 due time follows, from bit 3 the state.
void write_finish_result(ByteWriter& w, const FinishResult& result) {
  w.number(static_cast<std::uint8_t>(1 | (result.kept ? 2 : 0) | (result.due ? 4 : 0) |
                                     (static_cast<int>(result.state) << 3)));
  w.varint(result.attempts_made);
  w.varint(result.stalled);
  if (result.due) w.number(to_ms(*result.due));
}

FinishResult read_finish_result(ByteReader& r, std::uint8_t first) {
  FinishResult result;
  result.state = static_cast<State>(first >> 3);
  result.kept = (first & 2) != 0;
  result.attempts_made = static_cast<std::uint32_t>(r.varint());
  result.stalled = static_cast<std::uint32_t>(r.varint());
  if ((first & 4) != 0) result.due = from_ms(r.number<std::int64_t>());
  return result;
}

void write_blocked(ByteWriter& w, const std::optional<BlockedHead>& blocked) {
  w.number(static_cast<std::uint8_t>(blocked.has_value()));
  if (!blocked) return;
  w.text(blocked->id.value);
  w.text(blocked->function.value);
  w.number(std::bit_cast<std::uint64_t>(blocked->needs.cores));
  w.number(blocked->needs.memory_bytes);
  w.number(static_cast<std::uint8_t>(blocked->needs.ends_before_head));
  w.number(to_ms(blocked->waiting_since));
}

std::optional<BlockedHead> read_blocked(ByteReader& r) {
  if (r.number<std::uint8_t>() == 0) return std::nullopt;
  BlockedHead blocked;
  blocked.id = JobId(std::string(r.text()));
  blocked.function = FunctionName(std::string(r.text()));
  blocked.needs.cores = std::bit_cast<double>(r.number<std::uint64_t>());
  blocked.needs.memory_bytes = r.number<std::uint64_t>();
  blocked.needs.ends_before_head = r.number<std::uint8_t>() != 0;
  blocked.waiting_since = from_ms(r.number<std::int64_t>());
  return blocked;
}
}  // namespace

Result<std::optional<std::string>> Engine::remembered_reply(const OperationId& op, OperationKind kind) {
  if (op.sequence == 0) return std::optional<std::string>();
  if (op.session.empty() || op.session.value.size() > Key::kLongest) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("a session has 1 to {} bytes, not {}", Key::kLongest, op.session.value.size())};
  }
  const auto record = txn_->get(Table::kSessions, op.session.value);
  if (!record) return std::optional<std::string>();
  const auto payload = open_record(*record, Magic::kSession, op.session.value);
  if (!payload) return damaged("a session", op.session.value);
  ByteReader r(*payload);
  const auto last = r.number<std::uint64_t>();
  r.number<std::int64_t>();
  const auto stored_kind = static_cast<OperationKind>(r.number<std::uint8_t>());
  if (op.sequence > last) return std::optional<std::string>();
  if (op.sequence < last) {
    return Error{Errc::kInvalidArgument, fmt::format("session {}: sequence number {} follows {}",
                                                     op.session.value, op.sequence, last)};
  }
  if (stored_kind != kind) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("session {}: sequence number {} belongs to another kind of operation",
                             op.session.value, last)};
  }
  return std::optional(std::string(r.rest()));
}

void Engine::remember(const OperationId& op, OperationKind kind, std::string_view reply) {
  begin_record(record_);
  ByteWriter w(record_);
  w.number(op.sequence);
  w.number(to_ms(now_.wall));
  w.number(static_cast<std::uint8_t>(kind));
  record_.append(reply);
  seal_record(record_, Magic::kSession, op.session.value);
  txn_->put(Table::kSessions, op.session.value, record_);
  expire_sessions();
}

/// Checks a few sessions after each operation, in a cycle over all of them.
void Engine::expire_sessions() {
  PrefixScan scan(*txn_, Table::kSessions, {}, PrefixScan::Order::kForward, expiry_position_);
  for (int seen = 0; seen < kExpiryChecks && !scan.done(); ++seen) {
    const auto payload = open_record(scan.value(), Magic::kSession, scan.key());
    ByteReader r(payload.value_or(std::string_view()));
    r.number<std::uint64_t>();
    if (const auto used = r.number<std::int64_t>(); payload && used < to_ms(now_.wall) - kSessionLifetimeMs) {
      scan.erase();
    } else {
      scan.next();
    }
  }
  expiry_position_ = scan.done() ? std::string() : std::string(scan.key());
}

std::string Engine::encode_added(const std::vector<Added>& added) {
  std::string bytes;
  ByteWriter w(bytes);
  w.number(static_cast<std::uint32_t>(added.size()));
  for (const Added& one : added) {
    w.text(one.id.value);
    w.number(static_cast<std::uint8_t>(one.state));
    w.number(static_cast<std::uint8_t>(one.duplicate));
    w.number(one.position);
  }
  return bytes;
}

Result<std::vector<Added>> Engine::decode_added(std::string_view bytes) {
  ByteReader r(bytes);
  std::vector<Added> added;
  for (auto left = r.number<std::uint32_t>(); left > 0 && r.ok(); --left) {
    Added one;
    one.id = JobId(std::string(r.text()));
    one.state = static_cast<State>(r.number<std::uint8_t>());
    one.duplicate = r.number<std::uint8_t>() != 0;
    one.position = r.number<std::uint64_t>();
    added.push_back(std::move(one));
  }
  if (!r.ok()) return Error{Errc::kCorrupt, "the stored reply of a session is damaged"};
  return added;
}

/// Contains the numbers of the taken jobs, not the jobs: a repeat reads them again.
std::string Engine::encode_take_reply(const TakeRequest& request, const TakeReply& reply) {
  std::string bytes;
  ByteWriter w(bytes);
  w.number(static_cast<std::uint32_t>(reply.finished.size()));
  for (const auto& result : reply.finished) {
    if (result) {
      write_finish_result(w, *result);
    } else {
      w.number(std::uint8_t{0});
      write_error(w, result.error());
    }
  }
  const QueueEntry* queue = find_queue(request.queue);
  w.number(static_cast<std::uint32_t>(reply.taken.size()));
  if (!reply.taken.empty()) w.number(to_ms(now_.wall));
  JobNumber before = 0;
  for (const Taken& taken : reply.taken) {
    const auto key = find_job(*txn_, queue == nullptr ? 0 : queue->record.number, taken.job.id);
    const JobNumber number = key ? key->job : 0;
    w.varint(number - before);  // a small difference; unsigned wrap-around is reversible
    w.varint(taken.job.attempts_started);
    before = number;
  }
  write_blocked(w, reply.blocked);
  w.number(reply.next.due ? to_ms(*reply.next.due) : kNoTime);
  w.number(static_cast<std::uint8_t>((reply.next.more ? 1 : 0) | (reply.next.paused ? 2 : 0) |
                                     (reply.next.store_full ? 4 : 0)));
  return bytes;
}

/// Omits jobs that were removed or started again since: the repeated request has no run of them.
Result<TakeReply> Engine::decode_take_reply(const TakeRequest& request, std::string_view bytes) {
  const Error damaged_reply{
      Errc::kCorrupt, fmt::format("the stored reply of session {} is damaged", request.op.session.value)};
  ByteReader r(bytes);
  TakeReply reply;
  for (auto left = r.number<std::uint32_t>(); left > 0 && r.ok(); --left) {
    if (const auto head = r.number<std::uint8_t>(); head != 0) {
      reply.finished.emplace_back(read_finish_result(r, head));
    } else {
      reply.finished.emplace_back(read_error(r));
    }
  }
  QueueEntry* const queue = find_queue(request.queue);
  const auto taken = r.number<std::uint32_t>();
  const auto taken_at = taken > 0 ? r.number<std::int64_t>() : kNoTime;
  JobNumber number = 0;
  for (std::uint32_t index = 0; index < taken && r.ok(); ++index) {
    number += r.varint();
    const JobKey key{queue == nullptr ? 0 : queue->record.number, number};
    const auto started = r.varint();
    auto state = load_state(*txn_, key);
    if (!state || state->attempts_started != started) continue;
    state->state = State::kActive;
    state->processed_on = taken_at;
    state->finished_on = kNoTime;
    GAUR_TRY(Job job, load_job(*txn_, request.queue, key, *state));
    GAUR_TRY(FunctionName function, function_name(key, request));
    reply.taken.push_back(
        {std::move(job),
         LockToken(fmt::format("{}:{}:{}", request.op.session.value, request.op.sequence, index)),
         std::move(function)});
  }
  reply.blocked = read_blocked(r);
  reply.next.due = to_time(r.number<std::int64_t>());
  const auto flags = r.number<std::uint8_t>();
  reply.next.more = (flags & 1) != 0;
  reply.next.paused = (flags & 2) != 0;
  reply.next.store_full = (flags & 4) != 0;
  if (!r.ok()) return damaged_reply;
  if (queue != nullptr) reply.cancels = cancels_for(*queue, request.worker);
  return reply;
}

}  // namespace gaur::embedded
