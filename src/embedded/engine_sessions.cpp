// Lanes: the last operation of each sender and what it was answered, in the same transaction as its effect.
#include <fmt/format.h>

#include "base/try.hpp"
#include "embedded/bytes.hpp"
#include "embedded/engine.hpp"

namespace gaur::embedded {

namespace {
/// A lane that was silent for so long has no repeat to send any more.
constexpr std::int64_t kForgetAfterMs = 24LL * 3600 * 1000;
constexpr int kSweptAtOnce = 2;

void write_error(ByteWriter& w, const Error& error) {
  w.number(static_cast<std::uint8_t>(error.code));
  w.text(error.message);
}

Error read_error(ByteReader& r) {
  const auto code = static_cast<Errc>(r.number<std::uint8_t>());
  return {code, std::string(r.text())};
}

// The first byte of a finish: bit 0 accepted, bit 1 kept, bit 2 due follows, from bit 3 the state.
void write_moved(ByteWriter& w, const FinishResult& moved) {
  w.number(static_cast<std::uint8_t>(1 | (moved.kept ? 2 : 0) | (moved.due ? 4 : 0) |
                                     (static_cast<int>(moved.state) << 3)));
  w.varint(moved.attempts_made);
  w.varint(moved.stalled);
  if (moved.due) w.number(to_ms(*moved.due));
}

FinishResult read_moved(ByteReader& r, std::uint8_t first) {
  FinishResult moved;
  moved.state = static_cast<State>(first >> 3);
  moved.kept = (first & 2) != 0;
  moved.attempts_made = static_cast<std::uint32_t>(r.varint());
  moved.stalled = static_cast<std::uint32_t>(r.varint());
  if ((first & 4) != 0) moved.due = from_ms(r.number<std::int64_t>());
  return moved;
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

Result<std::optional<std::string>> Engine::earlier_reply(const OperationId& op, std::uint8_t kind) {
  if (op.sequence == 0) return std::optional<std::string>();
  if (op.session.empty() || op.session.value.size() > Key::kLongest) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("lane: 1 to {} bytes, was {}", Key::kLongest, op.session.value.size())};
  }
  const auto record = txn_->get(Table::kLanes, op.session.value);
  if (!record) return std::optional<std::string>();
  const auto payload = open_record(*record, Magic::kLane, op.session.value);
  if (!payload) return damaged("a lane", op.session.value);
  ByteReader r(*payload);
  const auto number = r.number<std::uint64_t>();
  r.number<std::int64_t>();
  const auto stored_kind = r.number<std::uint8_t>();
  if (op.sequence > number) return std::optional<std::string>();
  if (op.sequence < number) {
    return Error{Errc::kInvalidArgument, fmt::format("lane {}: operation number went back from {} to {}",
                                                     op.session.value, number, op.sequence)};
  }
  if (stored_kind != kind) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("lane {}: number {} was another kind of operation", op.session.value, number)};
  }
  return std::optional(std::string(r.rest()));
}

void Engine::remember(const OperationId& op, std::uint8_t kind, std::string_view reply) {
  begin_record(record_);
  ByteWriter w(record_);
  w.number(op.sequence);
  w.number(to_ms(now_.wall));
  w.number(kind);
  record_.append(reply);
  seal_record(record_, Magic::kLane, op.session.value);
  txn_->put(Table::kLanes, op.session.value, record_);
  forget_old_lanes();
}

/// Looks at two lanes after each operation, round and round.
void Engine::forget_old_lanes() {
  Walk walk(*txn_, Table::kLanes, {}, Walk::Order::kForward, lane_sweep_at_);
  for (int seen = 0; seen < kSweptAtOnce && !walk.done(); ++seen) {
    const auto payload = open_record(walk.value(), Magic::kLane, walk.key());
    ByteReader r(payload.value_or(std::string_view()));
    r.number<std::uint64_t>();
    if (const auto used = r.number<std::int64_t>(); payload && used < to_ms(now_.wall) - kForgetAfterMs) {
      walk.erase();
    } else {
      walk.next();
    }
  }
  lane_sweep_at_ = walk.done() ? std::string() : std::string(walk.key());
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
  if (!r.ok()) return Error{Errc::kCorrupt, "a lane's reply is damaged"};
  return added;
}

/// Taken jobs by number: a repeat reads them again, which is cheaper than writing each twice.
std::string Engine::encode_turn(const TakeRequest& turn, const TakeReply& reply) {
  std::string bytes;
  ByteWriter w(bytes);
  w.number(static_cast<std::uint32_t>(reply.finished.size()));
  for (const auto& moved : reply.finished) {
    if (moved) {
      write_moved(w, *moved);
    } else {
      w.number(std::uint8_t{0});
      write_error(w, moved.error());
    }
  }
  const QueueEntry* queue = find_queue(turn.queue);
  w.number(static_cast<std::uint32_t>(reply.taken.size()));
  if (!reply.taken.empty()) w.number(to_ms(now_.wall));
  JobNumber before = 0;
  for (const Taken& taken : reply.taken) {
    const auto key = find_job(*txn_, queue == nullptr ? 0 : queue->record.number, taken.job.id);
    const JobNumber number = key ? key->job : 0;
    w.varint(number - before);  // neighbours differ by little; around zero it wraps, and back
    w.varint(taken.job.attempts_started);
    before = number;
  }
  write_blocked(w, reply.blocked);
  w.number(reply.next.due ? to_ms(*reply.next.due) : kNoTime);
  w.number(static_cast<std::uint8_t>((reply.next.more ? 1 : 0) | (reply.next.paused ? 2 : 0)));
  return bytes;
}

/// Jobs that were removed since, or started again, are left out: they can no longer be run under this turn.
Result<TakeReply> Engine::decode_turn(const TakeRequest& turn, std::string_view bytes) {
  const Error broken{Errc::kCorrupt, fmt::format("the reply of lane {} is damaged", turn.op.session.value)};
  ByteReader r(bytes);
  TakeReply reply;
  for (auto left = r.number<std::uint32_t>(); left > 0 && r.ok(); --left) {
    if (const auto head = r.number<std::uint8_t>(); head != 0) {
      reply.finished.emplace_back(read_moved(r, head));
    } else {
      reply.finished.emplace_back(read_error(r));
    }
  }
  QueueEntry* const queue = find_queue(turn.queue);
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
    GAUR_TRY(Job job, load_job(*txn_, turn.queue, key, *state));
    GAUR_TRY(FunctionName function, function_name(key, turn));
    reply.taken.push_back({std::move(job),
                           LockToken(fmt::format("{}:{}:{}", turn.op.session.value, turn.op.sequence, index)),
                           std::move(function)});
  }
  reply.blocked = read_blocked(r);
  reply.next.due = to_time(r.number<std::int64_t>());
  const auto flags = r.number<std::uint8_t>();
  reply.next.more = (flags & 1) != 0;
  reply.next.paused = (flags & 2) != 0;
  if (!r.ok()) return broken;
  if (queue != nullptr) reply.cancels = cancels_for(*queue, turn.worker);
  return reply;
}

}  // namespace gaur::embedded
