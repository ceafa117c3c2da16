#include "redis_store/take_reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/try.hpp"

namespace gaur::redis_store {
namespace {

constexpr std::size_t kMostKnown = 512;
constexpr std::size_t kMostHeld = 8'192;
constexpr Duration kFunctionsKnownFor{10'000};

/// The elements of the reply of finish_and_take.lua.
enum Element : std::size_t {
  kStatus,
  kFinishes,
  kNow,
  kDue,
  kPaused,
  kWaiting,
  kPassed,
  kLimited,
  kDrained,
  kBlocked,
  kCancels,
  kLooked,
  kBounded,
  kFound,
  kTaken,
  kElements,
};

/// "c 1 1 0 " (state, kept, attempts made, stalled, due), or a code of the protocol.
Result<FinishResult> read_finish(std::string_view line, const Finish& finish) {
  const std::string& id = finish.id.value;
  if (line == "-1") return Error{Errc::kNotFound, "no such job: " + id};
  if (line == "-2")
    return Error{Errc::kLockMissing, "job " + id + ": its lock expired, or the job was requeued"};
  if (line == "-3") return Error{Errc::kLockMissing, "job " + id + ": it is not active"};
  if (line == "-6") return Error{Errc::kLockMismatch, "job " + id + " is locked by a newer run"};
  std::array<std::string_view, 5> words;
  for (std::string_view& word : words) {
    const std::size_t end = std::min(line.find(' '), line.size());
    word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  FinishResult result;
  result.state = state_of(words[0]).value_or(State::kWaiting);
  result.kept = words[1] != "0";
  result.attempts_made = static_cast<std::uint32_t>(whole_number(words[2]));
  result.stalled = static_cast<std::uint32_t>(whole_number(words[3]));
  if (!words[4].empty()) result.due = from_ms(whole_number(words[4]));
  return result;
}

void remember_held(const Job& job, const redis::Reply::Array& fields, TakeMemory::OfQueue& memory) {
  if (memory.held.size() >= kMostHeld) memory.held.clear();
  TakeMemory::OfQueue::HeldLock& held = memory.held[job.id];
  held = {job.attempts_made, job.stalled, ""};
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (const std::string* name = fields[i].text(); name != nullptr && *name == "deid")
      held.deduplication = text_of(fields[i + 1]);
  }
}

/// {letters, shift, popped, places ...}
TakeEffect read_effect(const redis::Reply& reply) {
  const auto& parts = array_of(reply);
  if (parts.size() < 3) return {};
  TakeEffect effect{.letters = text_of(parts[0]),
                    .shift = integer_of(parts[1]),
                    .popped = static_cast<std::uint64_t>(integer_of(parts[2]))};
  for (std::size_t i = 3; i < parts.size(); ++i)
    effect.removed.push_back(static_cast<std::uint64_t>(integer_of(parts[i])));
  return effect;
}

void remember_functions(const redis::Reply& looked, const TakeReply& reply, TakeMemory::OfQueue& memory) {
  const auto& pairs = array_of(looked);
  if (memory.functions.size() + pairs.size() / 2 > kMostKnown) memory.functions.clear();
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    memory.functions[JobId(text_of(pairs[i]))] = text_of(pairs[i + 1]);
  for (const Taken& taken : reply.taken) memory.functions.erase(taken.job.id);
}

/// Adds the replies of the parts to one TakeReply, in order.
class Reader {
 public:
  Reader(const TakeRequest& request, const TakePlan& plan, const JobCodec& codec, TakeMemory& memory)
      : request_(request),
        plan_(plan),
        codec_(codec),
        memory_(memory),
        queue_(memory.queues[request.queue]) {}

  Status add_part(const redis::Reply& reply, bool is_last) {
    const auto& parts = array_of(reply);
    if (parts.size() >= 2 && text_of(parts[kStatus]) == "back")
      return stale_operation(request_.op, text_of(parts[1]));
    if (parts.size() < kElements) return malformed("finish_and_take");
    GAUR_CHECK(add_finishes(text_of(parts[kFinishes])));
    add_taken(parts[kTaken], from_ms(whole_number(text_of(parts[kNow]))));
    if (!out_.blocked) add_blocked(parts[kBlocked]);
    QueueHint& next = out_.next;
    next.due.reset();
    if (!parts[kDue].is_nil()) next.due = due_of_score(std::strtod(text_of(parts[kDue]).c_str(), nullptr));
    next.paused = integer_of(parts[kPaused]) == 1;
    next.more = integer_of(parts[kWaiting]) > integer_of(parts[kPassed]);
    if (const auto wait = integer_of(parts[kLimited]); wait > 0) next.limited_for = Duration(wait);
    if (plan_.takes_by_needs && is_last) update_index(parts);
    if (!array_of(parts[kTaken]).empty()) queue_.drained = false;
    if (integer_of(parts[kDrained]) == 1) queue_.drained = true;
    remember_functions(parts[kLooked], out_, queue_);
    out_.cancels = cancels_of(parts[kCancels], request_.queue, request_.worker, memory_);
    return ok();
  }

  TakeReply& out() { return out_; }

 private:
  Status add_finishes(const std::string& lines) {
    for (const std::string_view line : lines_of(lines)) {
      if (finished_ == plan_.finishes.size()) return malformed("finish_and_take");
      const std::size_t index = plan_.finishes[finished_++];
      out_.finished[index] = read_finish(line, request_.finished[index]);
      queue_.held.erase(request_.finished[index].id);
    }
    return ok();
  }

  /// {id, uncounted starts, fields ...}
  void add_taken(const redis::Reply& reply, Time now) {
    const auto& all = array_of(reply);
    const std::size_t first = out_.taken.size();
    for (std::size_t i = 0; i + 2 < all.size(); i += 3) {
      const auto& fields = array_of(all[i + 2]);
      if (fields.empty()) continue;  // the request was repeated, and the job is gone meanwhile
      Taken taken;
      const JobPlacement placement{.state = State::kActive, .uncounted_starts = count_of(all[i + 1])};
      taken.job = codec_.job_from_hash(request_.queue, JobId(text_of(all[i])), fields, placement);
      taken.job.processed_on = now;
      taken.job.processed_by = request_.worker;
      remember_held(taken.job, fields, queue_);
      taken.token = LockToken(fmt::format("{}:{}", plan_.token, first + i / 3));
      taken.function =
          function_of(taken.job.name, taken.job.data, request_.filter ? request_.filter->function_field : "");
      out_.taken.push_back(std::move(taken));
    }
  }

  /// {id, function, timestamp, options}
  void add_blocked(const redis::Reply& reply) {
    const auto& parts = array_of(reply);
    if (parts.size() < 4 || !request_.filter) return;
    BlockedHead blocked;
    blocked.id = JobId(text_of(parts[0]));
    blocked.function = FunctionName(text_of(parts[1]));
    const auto known = request_.filter->needs.find(blocked.function);
    if (known != request_.filter->needs.end()) {
      blocked.needs = known->second;
    } else if (request_.filter->default_needs) {
      blocked.needs = *request_.filter->default_needs;
    }
    const JobOptions options = codec_.options_from_json(text_of(parts[3]));
    blocked.waiting_since = from_ms(whole_number(text_of(parts[2]))) + options.delay;
    out_.blocked = std::move(blocked);
  }

  /// What the reply says of the jobs further back, and whether a take request now would find more.
  void update_index(const redis::Reply::Array& parts) {
    WaitingIndex& index = queue_.index;
    if (text_of(parts[kStatus]) != "ok") {  // a repeat: its places are those of the first request
      index.release(plan_.found);
      return;
    }
    index.took(plan_.found, read_effect(parts[kFound]), plan_.index_position);
    QueueHint& next = out_.next;
    if (integer_of(parts[kBounded]) == 1) {
      index.begin(*request_.filter);
      next.more = next.more && !out_.taken.empty();  // otherwise a scan follows and hints
      return;
    }
    const bool saw_all =
        !out_.blocked && !next.paused && !next.limited_for && out_.taken.size() < request_.take;
    if (saw_all) index.clear();
  }

  const TakeRequest& request_;
  const TakePlan& plan_;
  const JobCodec& codec_;
  TakeMemory& memory_;
  TakeMemory::OfQueue& queue_;
  std::size_t finished_ = 0;
  TakeReply out_;
};

}  // namespace

Result<TakeReply> read_take_reply(const Result<Replies>& replies, const TakeRequest& request,
                                  const TakePlan& plan, const StoreContext& context, TakeMemory& memory) {
  std::lock_guard lock(memory.mutex);
  Reader reader(request, plan, context.dialect.codec, memory);
  reader.out().finished.resize(
      request.finished.size(),
      Error{Errc::kUnsupported, fmt::format("the {} store lacks flows", context.dialect.name)});
  Status good = replies ? ok() : Status(replies.error());
  for (std::size_t i = 0; good && i < replies->size(); ++i)
    good = reader.add_part((*replies)[i], i + 1 == replies->size());
  if (good) return std::move(reader.out());
  memory.queues[request.queue].index.release(plan.found);
  return good.error();
}

void expire_functions(Instant now, TakeMemory::OfQueue& memory) {
  if (now - memory.functions_since < kFunctionsKnownFor) return;
  memory.functions.clear();
  memory.functions_since = now;
}

}  // namespace gaur::redis_store
