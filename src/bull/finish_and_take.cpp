#include "bull/finish_and_take.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bull/admission_scan.hpp"
#include "bull/gather.hpp"
#include "bull/job_codec.hpp"
#include "core/result_json.hpp"

namespace gaur::bull {
namespace {

constexpr std::size_t kJobsAScript = 64;
constexpr std::uint32_t kMostLooks = 512;  // ids that a turn looks at from the front
constexpr std::uint32_t kFewLooks = 64;    // where those behind them are scanned (waiting_index.hpp)
constexpr std::size_t kMostKnown = 512;
constexpr std::size_t kMostHeld = 8'192;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

using Arguments = std::vector<std::string>;

std::string stack_literal(const Failure& failure) {
  return failure.stack.empty() ? "" : json::quote(failure.stack);
}

/// The kind of a run that completes, with what is still known of its job from when it was taken.
std::string completed_kind(const Finish& finish, const TakeMemory::OfQueue& memory) {
  std::string kind = "C" + keep_argument(finish.keep);
  const auto found = memory.held.find(finish.id);
  if (found == memory.held.end()) return kind;
  const auto& held = found->second;
  return fmt::format("{} {} {} {}", kind, held.attempts_made, held.stalled, held.deduplication);
}

/// Id, token, kind and what belongs to it, as scripts/shared/finish.lua reads them.
void append_finish(const Finish& finish, const TakeMemory::OfQueue& memory, Arguments& arguments) {
  arguments.push_back(finish.id.value);
  arguments.push_back(finish.token.value);
  const auto add = [&](std::initializer_list<std::string> more) { arguments.insert(arguments.end(), more); };
  std::visit(Overloaded{
                 [&](const outcome::Completed& done) {
                   const std::string result = result_json(done.result, done.file);
                   add({completed_kind(finish, memory), result, finish_payload(finish.id, result)});
                 },
                 [&](const outcome::Failed& failed) {
                   const Failure& failure = failed.failure;
                   add({"F" + keep_argument(finish.keep), failure.message, stack_literal(failure),
                        finish_payload(finish.id, failure.message)});
                 },
                 [&](const outcome::RetryAfter& again) {
                   add({"R", std::to_string(std::max<std::int64_t>(again.delay.count(), 0)),
                        again.counted ? "1" : "0", again.failure.message, stack_literal(again.failure)});
                 },
                 [&](const outcome::WaitForChildren&) {},
                 [&](const outcome::Requeue&) { add({"B"}); },
                 [&](const outcome::Stalled& stalled) {
                   add({"S" + keep_argument(finish.keep), std::to_string(stalled.max_stalled),
                        stalled.failure.message, finish_payload(finish.id, stalled.failure.message)});
                 },
             },
             finish.outcome);
}

void append_needs(bool otherwise, const std::string& function, const Needs& needs, Arguments& arguments) {
  arguments.insert(arguments.end(), {otherwise ? "1" : "0", function, fmt::format("{}", needs.cores),
                                     std::to_string(needs.memory_bytes), needs.unavailable ? "1" : "0",
                                     needs.ends_before_head ? "1" : "0"});
}

void append_admit(const AdmissionFilter& admit, const TakeMemory::OfQueue& memory,
                  const std::vector<FoundJob>& found, Arguments& arguments) {
  const std::map<JobId, std::string>& known = memory.functions;
  arguments.insert(
      arguments.end(),
      {std::to_string(memory.index.active() ? kFewLooks : kMostLooks), fmt::format("{}", admit.free.cores),
       std::to_string(admit.free.memory_bytes), admit.backfill ? "1" : "0",
       fmt::format("{}", admit.spare.cores), std::to_string(admit.spare.memory_bytes), admit.function_field,
       std::to_string(admit.needs.size() + (admit.default_needs ? 1 : 0))});
  for (const auto& [function, needs] : admit.needs) append_needs(false, function.value, needs, arguments);
  if (admit.default_needs) append_needs(true, "", *admit.default_needs, arguments);
  arguments.push_back(std::to_string(known.size()));
  for (const auto& [id, function] : known) arguments.insert(arguments.end(), {id.value, function});
  arguments.push_back(std::to_string(found.size()));
  for (const FoundJob& job : found)
    arguments.insert(arguments.end(), {job.id.value, std::to_string(job.place), job.function.value});
}

/// What the parts of a turn have in common, and the arguments of each.
struct Plan {
  std::string token;               ///< what tokens begin with
  std::vector<std::size_t> asked;  ///< indexes into turn.finished, without those that no script carries out
  std::vector<Arguments> parts;
  bool takes_by_needs = false;
  std::vector<FoundJob> found;  ///< further back, that this turn may take
  std::int64_t planned = 0;     ///< WaitingIndex::planned
};

/// Jobs that go back to the queue may enter the part of it that was scanned already.
void note_returns(const TakeRequest& turn, WaitingIndex& index) {
  if (!index.active()) return;
  for (const Finish& finish : turn.finished) {
    if (!std::holds_alternative<outcome::Completed>(finish.outcome)) index.arrived(finish.id);
  }
}

Plan plan_of(const TakeRequest& turn, const Shared& shared, TakeMemory::OfQueue& memory) {
  Plan plan;
  for (std::size_t i = 0; i < turn.finished.size(); ++i) {
    if (!std::holds_alternative<outcome::WaitForChildren>(turn.finished[i].outcome)) plan.asked.push_back(i);
  }
  plan.token = turn.op.sequence > 0
                   ? fmt::format("{}:{}", turn.op.session.value, turn.op.sequence)
                   : fmt::format("{}:0x{:016x}", turn.op.session.value, shared.env.random.next());
  std::size_t finished = 0;
  std::uint32_t taken = 0;
  while (plan.parts.empty() || finished < plan.asked.size() || (taken < turn.take && !turn.filter)) {
    const std::size_t count = std::min(kJobsAScript, plan.asked.size() - finished);
    std::uint32_t take = 0;
    if (finished + count == plan.asked.size()) {
      take = std::min<std::uint32_t>(turn.take - taken, kJobsAScript);
    }
    Arguments part{turn.op.session.value,
                   std::to_string(turn.op.sequence),
                   fmt::format("t{}", plan.parts.size()),
                   plan.token,
                   shared.lock_ms(turn.lock),
                   std::to_string(take),
                   std::to_string(taken),
                   !memory.drained && taken == 0 ? "1" : "0",
                   std::to_string(shared.options.metrics_points),
                   std::to_string(Semantics::bull().max_starts),
                   std::to_string(turn.limit ? turn.limit->max : 0),
                   std::to_string(turn.limit ? turn.limit->per.count() : 0),
                   std::to_string(count)};
    for (std::size_t i = finished; i < finished + count; ++i)
      append_finish(turn.finished[plan.asked[i]], memory, part);
    if (turn.filter && take > 0) {
      plan.takes_by_needs = true;
      plan.found = memory.index.to_take(*turn.filter, std::min<std::size_t>(take, kJobsAScript));
      plan.planned = memory.index.planned();
      append_admit(*turn.filter, memory, plan.found, part);
    } else {
      part.emplace_back();
    }
    plan.parts.push_back(std::move(part));
    finished += count;
    taken += take;
    // With needs one script alone takes: the next would have to know what the first left of the room.
    // QueueHint::more tells that there is more to take.
    if (turn.filter && finished == plan.asked.size()) break;
  }
  return plan;
}

/// "c 1 1 0 " (state, kept, attempts, stalled, due) or why not.
Result<FinishResult> read_moved(std::string_view line, const Finish& finish) {
  const std::string& id = finish.id.value;
  if (line == "-1") return Error{Errc::kNotFound, "no such job: " + id};
  if (line == "-2")
    return Error{Errc::kLockMissing, "job " + id + ": its lock expired, or the job was given back"};
  if (line == "-3") return Error{Errc::kLockMissing, "job " + id + ": it is not active"};
  if (line == "-6") return Error{Errc::kLockMismatch, "job " + id + " is held by a newer run"};
  std::array<std::string_view, 5> words;
  for (std::string_view& word : words) {
    const std::size_t end = std::min(line.find(' '), line.size());
    word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  FinishResult moved;
  moved.state = words[0] == "c"   ? State::kCompleted
                : words[0] == "f" ? State::kFailed
                : words[0] == "d" ? State::kDelayed
                : words[0] == "p" ? State::kPrioritized
                                  : State::kWaiting;
  moved.kept = words[1] != "0";
  moved.attempts_made = static_cast<std::uint32_t>(whole_number(words[2]));
  moved.stalled = static_cast<std::uint32_t>(whole_number(words[3]));
  if (!words[4].empty()) moved.due = from_ms(whole_number(words[4]));
  return moved;
}

/// The elements of turn.lua's answer.
enum Part : std::size_t {
  kHow,
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
  kParts,
};

void remember_held(const Job& job, const std::vector<redis::Reply>& fields, TakeMemory::OfQueue& memory) {
  if (memory.held.size() >= kMostHeld) memory.held.clear();
  TakeMemory::OfQueue::HeldLock& held = memory.held[job.id];
  held = {job.attempts_made, job.stalled, ""};
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (const std::string* name = fields[i].text(); name != nullptr && *name == "deid")
      held.deduplication = text_of(fields[i + 1]);
  }
}

void read_taken(const redis::Reply& reply, Time now, const TakeRequest& turn, const std::string& token,
                std::size_t first, TakeMemory::OfQueue& memory, TakeReply& out) {
  const auto& all = array_of(reply);
  for (std::size_t i = 0; i + 2 < all.size(); i += 3) {
    const auto& fields = array_of(all[i + 2]);
    if (fields.empty()) continue;  // a repeat's answer, and the job is gone
    Taken taken;
    const Beside beside{.state = State::kActive,
                        .requeued = static_cast<std::uint64_t>(integer_of(all[i + 1]))};
    taken.job = job_from_hash(turn.queue, JobId(text_of(all[i])), fields, beside);
    taken.job.processed_on = now;
    taken.job.processed_by = turn.worker;
    remember_held(taken.job, fields, memory);
    taken.token = LockToken(fmt::format("{}:{}", token, first + i / 3));
    taken.function =
        function_of(taken.job.name, taken.job.data, turn.filter ? turn.filter->function_field : "");
    out.taken.push_back(std::move(taken));
  }
}

void read_blocked(const redis::Reply& reply, const TakeRequest& turn, TakeReply& out) {
  const auto& parts = array_of(reply);
  if (parts.size() < 4 || !turn.filter) return;
  BlockedHead blocked;
  blocked.id = JobId(text_of(parts[0]));
  blocked.function = FunctionName(text_of(parts[1]));
  const auto known = turn.filter->needs.find(blocked.function);
  if (known != turn.filter->needs.end()) {
    blocked.needs = known->second;
  } else if (turn.filter->default_needs) {
    blocked.needs = *turn.filter->default_needs;
  }
  const JobOptions options = options_from_json(text_of(parts[3]));
  blocked.waiting_since = from_ms(whole_number(text_of(parts[2]))) + options.delay;
  out.blocked = std::move(blocked);
}

/// A peer may give a job other data at any time, and tells nobody: what is known of its function lasts for a
/// while.
void forget_functions(Instant now, TakeMemory::OfQueue& memory) {
  constexpr Duration kKnownFor{10'000};
  if (now - memory.functions_since < kKnownFor) return;
  memory.functions.clear();
  memory.functions_since = now;
}

void remember_functions(const redis::Reply& looked, const TakeReply& reply, TakeMemory::OfQueue& memory) {
  const auto& pairs = array_of(looked);
  if (memory.functions.size() + pairs.size() / 2 > kMostKnown) memory.functions.clear();
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    memory.functions[JobId(text_of(pairs[i]))] = text_of(pairs[i + 1]);
  for (const Taken& taken : reply.taken) memory.functions.erase(taken.job.id);
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

/// What the turn tells about the jobs further back. Answers whether more is to be asked for at once.
bool learn_further_back(const redis::Reply::Array& parts, const TakeRequest& turn, const Plan& plan,
                        bool more, WaitingIndex& index, const TakeReply& out) {
  if (text_of(parts[kHow]) != "ok") {  // a repeat: what the list was like then is not known any more
    index.release(plan.found);
    return more;
  }
  index.took(plan.found, read_effect(parts[kFound]), plan.planned);
  if (integer_of(parts[kBounded]) == 1) {
    index.begin(*turn.filter);
    return more && !out.taken.empty();  // else a scan goes on, and hints
  }
  const bool saw_all =
      !out.blocked && !out.next.paused && !out.next.limited_for && out.taken.size() < turn.take;
  if (saw_all) index.clear();
  return more;
}

/// One part's answer, added to what the parts before it said.
Status read_part(const redis::Reply& reply, const TakeRequest& turn, const Plan& plan, bool is_last,
                 std::size_t& finished, TakeMemory& memory, TakeReply& out) {
  const auto& parts = array_of(reply);
  if (parts.size() >= 2 && text_of(parts[0]) == "back") return stale_operation(turn.op, text_of(parts[1]));
  if (parts.size() < kParts) return malformed("turn");
  TakeMemory::OfQueue& queue = memory.queues[turn.queue];
  const std::string finishes = text_of(parts[kFinishes]);
  for (const std::string_view line : lines_of(finishes)) {
    if (finished == plan.asked.size()) return malformed("turn");
    const std::size_t index = plan.asked[finished++];
    out.finished[index] = read_moved(line, turn.finished[index]);
    queue.held.erase(turn.finished[index].id);
  }
  const auto& all = array_of(parts[kTaken]);
  read_taken(parts[kTaken], from_ms(whole_number(text_of(parts[kNow]))), turn, plan.token, out.taken.size(),
             queue, out);
  if (!out.blocked) read_blocked(parts[kBlocked], turn, out);
  QueueHint& next = out.next;
  next.due.reset();
  if (!parts[kDue].is_nil()) next.due = due_of_score(std::strtod(text_of(parts[kDue]).c_str(), nullptr));
  next.paused = integer_of(parts[kPaused]) == 1;
  next.more = integer_of(parts[kWaiting]) > integer_of(parts[kPassed]);
  if (const auto wait = integer_of(parts[kLimited]); wait > 0) next.limited_for = Duration(wait);
  if (plan.takes_by_needs && is_last)
    next.more = learn_further_back(parts, turn, plan, next.more, queue.index, out);
  if (!all.empty()) queue.drained = false;
  if (integer_of(parts[kDrained]) == 1) queue.drained = true;
  remember_functions(parts[kLooked], out, queue);
  out.cancels = cancels_of(parts[kCancels], turn.queue, turn.worker, memory);
  return ok();
}

Result<TakeReply> read_turn(const Result<std::vector<redis::Reply>>& replies, const TakeRequest& turn,
                            const Plan& plan, TakeMemory& memory) {
  TakeReply out;
  out.finished.resize(turn.finished.size(), Error{Errc::kUnsupported, "the Bull store lacks flows"});
  std::lock_guard lock(memory.mutex);
  Status good = replies ? ok() : Status(replies.error());
  std::size_t finished = 0;
  for (std::size_t i = 0; good && i < replies->size(); ++i) {
    const bool is_last = i + 1 == replies->size();
    good = read_part((*replies)[i], turn, plan, is_last, finished, memory, out);
  }
  if (good) return out;
  memory.queues[turn.queue].index.release(plan.found);
  return good.error();
}

}  // namespace

void TakeMemory::remember_owner(const SessionName& session, const std::string& by) {
  if (owners.size() >= kMostOwners && !owners.contains(session)) owners.clear();
  owners[session] = by;
}

const std::string& TakeMemory::owner_of(std::string_view token) const {
  static const std::string kNobody;
  for (int cut = 0; cut < 2; ++cut) {  // <lane>:<number>:<index>
    const std::size_t colon = token.rfind(':');
    if (colon == std::string_view::npos) return kNobody;
    token = token.substr(0, colon);
  }
  const auto found = owners.find(SessionName(std::string(token)));
  return found == owners.end() ? kNobody : found->second;
}

std::vector<CancelRequest> cancels_of(const redis::Reply& reply, const QueueName& queue,
                                      const std::string& by, const TakeMemory& memory) {
  std::vector<CancelRequest> cancels;
  const auto& pairs = array_of(reply);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const std::string text = text_of(pairs[i + 1]);
    const std::size_t first = std::min(text.find('\n'), text.size());
    const std::size_t second = std::min(text.find('\n', first + 1), text.size());
    const std::string token = text.substr(0, first);
    // A run of an earlier life of this worker has its lane's name, which is the worker's or begins with it.
    const bool by_name = token.starts_with(by + ":") || token.starts_with(by + "/");
    if (by.empty() || (memory.owner_of(token) != by && !by_name)) continue;
    CancelRequest request{.queue = queue, .id = JobId(text_of(pairs[i])), .token = LockToken(token)};
    if (first < text.size()) request.who = text.substr(first + 1, second - first - 1);
    if (second < text.size()) request.why = text.substr(second + 1);
    cancels.push_back(std::move(request));
  }
  return cancels;
}

std::string keep_argument(const Retention& keep) {
  return fmt::format("{},{}", keep.count ? std::to_string(*keep.count) : "",
                     keep.age ? std::to_string(keep.age->count()) : "");
}

FinishAndTake::FinishAndTake(SharedPtr shared)
    : shared_(std::move(shared)),
      memory_(std::make_shared<TakeMemory>()),
      scanning_(std::make_shared<Scanning>(shared_, memory_)) {}

Async<TakeReply> FinishAndTake::finish_and_take(TakeRequest turn) {
  if (Status name = validate_queue_name(turn.queue.value); !name)
    return shared_->answer<TakeReply>(name.error());
  if (Status session = check_lane(turn.op.session); !session)
    return shared_->answer<TakeReply>(session.error());
  if (turn.limit && (turn.limit->max == 0 || turn.limit->per <= Duration{0})) {
    return shared_->answer<TakeReply>(
        Error{Errc::kInvalidArgument, "rate limit: at least 1 start in at least 1 ms"});
  }
  auto plan = std::make_shared<Plan>();
  {
    std::lock_guard lock(memory_->mutex);
    memory_->remember_owner(turn.op.session, turn.worker);
    TakeMemory::OfQueue& queue = memory_->queues[turn.queue];
    note_returns(turn, queue.index);
    forget_functions(shared_->env.clock.now(), queue);
    *plan = plan_of(turn, *shared_, queue);
  }
  Promise<Result<TakeReply>> promise;
  auto future = promise.future();
  std::vector<redis::Answer<redis::Reply>> answers;
  for (Arguments& part : plan->parts) answers.push_back(shared_->run("turn", turn.queue, std::move(part)));
  auto whole = std::make_shared<TakeRequest>(std::move(turn));
  gather(std::move(answers), [promise, plan, whole, memory = memory_, shared = shared_,
                              scanning = scanning_](Result<std::vector<redis::Reply>> replies) {
    auto out = read_turn(replies, *whole, *plan, *memory);
    if (!out) return promise.set(out.error());
    if (shared->on_taken) {
      for (const Taken& taken : out->taken) shared->on_taken(whole->queue, taken.job);
    }
    if (plan->takes_by_needs) scanning->poke(whole->queue);
    promise.set(*std::move(out));
  });
  return future;
}

Async<std::vector<WaitingFunction>> FinishAndTake::waiting_functions(QueueName queue, std::string field,
                                                                     std::uint32_t limit) {
  return scanning_->functions(queue, std::move(field), limit);
}

void FinishAndTake::data_changed(const JobRef& job) {
  std::lock_guard lock(memory_->mutex);
  const auto found = memory_->queues.find(job.queue);
  if (found != memory_->queues.end()) found->second.functions.erase(job.id);
}

}  // namespace gaur::bull
