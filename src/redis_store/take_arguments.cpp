#include "redis_store/take_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/overloaded.hpp"
#include "core/result_json.hpp"
#include "redis_store/scripts.hpp"

namespace gaur::redis_store {
namespace {

constexpr std::uint32_t kMostLooks = 512;  // jobs that a take request looks at from the front
constexpr std::uint32_t kFewLooks =
    64;  // the same where the jobs behind them are scanned (waiting_index.hpp)

using Arguments = std::vector<std::string>;

std::string stack_literal(const Failure& failure) {
  return failure.stack.empty() ? "" : json::quote(failure.stack);
}

/// "C" and the retention, then what is remembered of the job since it was taken.
std::string completed_kind(const Finish& finish, const TakeMemory::OfQueue& memory) {
  std::string kind = "C" + keep_argument(finish.keep);
  const auto found = memory.held.find(finish.id);
  if (found == memory.held.end()) return kind;
  const auto& held = found->second;
  return fmt::format("{} {} {} {}", kind, held.attempts_made, held.stalled, held.deduplication);
}

/// Id, token, kind and the arguments of the outcome, as scripts/shared/finish.lua reads them.
void append_finish(const Finish& finish, const JobCodec& codec, const TakeMemory::OfQueue& memory,
                   Arguments& arguments) {
  arguments.push_back(finish.id.value);
  arguments.push_back(finish.token.value);
  const auto add = [&](std::initializer_list<std::string> more) { arguments.insert(arguments.end(), more); };
  const std::string keep = keep_argument(finish.keep);
  std::visit(Overloaded{
                 [&](const outcome::Completed& completed) {
                   const std::string result = result_json(completed.result, completed.file);
                   add({completed_kind(finish, memory), result, codec.finish_payload(finish.id, result)});
                 },
                 [&](const outcome::Failed& failed) {
                   const Failure& failure = failed.failure;
                   add({"F" + keep, failure.message, stack_literal(failure),
                        codec.finish_payload(finish.id, failure.message)});
                 },
                 [&](const outcome::RetryAfter& retry) {
                   add({"R", std::to_string(std::max<std::int64_t>(retry.delay.count(), 0)),
                        retry.counted ? "1" : "0", retry.failure.message, stack_literal(retry.failure)});
                 },
                 [&](const outcome::WaitForChildren&) {},
                 [&](const outcome::Requeue&) { add({"B"}); },
                 [&](const outcome::Stalled& stalled) {
                   add({"S" + keep, std::to_string(stalled.max_stalled), stalled.failure.message,
                        codec.finish_payload(finish.id, stalled.failure.message)});
                 },
             },
             finish.outcome);
}

void append_needs(bool is_default, const std::string& function, const Needs& needs, Arguments& arguments) {
  arguments.insert(arguments.end(), {is_default ? "1" : "0", function, fmt::format("{}", needs.cores),
                                     std::to_string(needs.memory_bytes), needs.unavailable ? "1" : "0",
                                     needs.ends_before_head ? "1" : "0"});
}

void append_filter(const AdmissionFilter& filter, const TakeMemory::OfQueue& memory,
                   const std::vector<FoundJob>& found, Arguments& arguments) {
  const std::map<JobId, std::string>& known = memory.functions;
  arguments.insert(
      arguments.end(),
      {std::to_string(memory.index.active() ? kFewLooks : kMostLooks), fmt::format("{}", filter.free.cores),
       std::to_string(filter.free.memory_bytes), filter.backfill ? "1" : "0",
       fmt::format("{}", filter.spare.cores), std::to_string(filter.spare.memory_bytes),
       filter.function_field, std::to_string(filter.needs.size() + (filter.default_needs ? 1 : 0))});
  for (const auto& [function, needs] : filter.needs) append_needs(false, function.value, needs, arguments);
  if (filter.default_needs) append_needs(true, "", *filter.default_needs, arguments);
  arguments.push_back(std::to_string(known.size()));
  for (const auto& [id, function] : known) arguments.insert(arguments.end(), {id.value, function});
  arguments.push_back(std::to_string(found.size()));
  for (const FoundJob& job : found)
    arguments.insert(arguments.end(), {job.id.value, std::to_string(job.place), job.function.value});
}

/// Jobs that return to the queue may enter the part of it that was scanned already.
void note_returns(const TakeRequest& request, WaitingIndex& index) {
  if (!index.active()) return;
  for (const Finish& finish : request.finished) {
    if (!std::holds_alternative<outcome::Completed>(finish.outcome)) index.arrived(finish.id);
  }
}

/// The arguments before the finishes; see finish_and_take.lua.
Arguments head_of_part(const TakeRequest& request, const StoreContext& context, const TakePlan& plan,
                       std::uint32_t take, std::uint32_t taken, bool may_publish_drained,
                       std::size_t finishes) {
  return {request.op.session.value,
          std::to_string(request.op.sequence),
          fmt::format("t{}", plan.parts.size()),
          plan.token,
          context.lock_ms(request.lock),
          std::to_string(take),
          std::to_string(taken),
          may_publish_drained ? "1" : "0",
          std::to_string(context.options.metrics_points),
          std::to_string(request.limit ? request.limit->max : 0),
          std::to_string(request.limit ? request.limit->per.count() : 0),
          std::to_string(finishes)};
}

}  // namespace

TakePlan plan_take(const TakeRequest& request, const StoreContext& context, TakeMemory::OfQueue& memory) {
  note_returns(request, memory.index);
  TakePlan plan;
  for (std::size_t i = 0; i < request.finished.size(); ++i) {
    if (!std::holds_alternative<outcome::WaitForChildren>(request.finished[i].outcome))
      plan.finishes.push_back(i);
  }
  plan.token = request.op.sequence > 0
                   ? fmt::format("{}:{}", request.op.session.value, request.op.sequence)
                   : fmt::format("{}:0x{:016x}", request.op.session.value, context.env.random.next());
  std::size_t finished = 0;
  std::uint32_t taken = 0;
  while (plan.parts.empty() || finished < plan.finishes.size() || (taken < request.take && !request.filter)) {
    const std::size_t count = std::min(kJobsPerScript, plan.finishes.size() - finished);
    const bool is_last_finish = finished + count == plan.finishes.size();
    const std::uint32_t take =
        is_last_finish ? std::min<std::uint32_t>(request.take - taken, kJobsPerScript) : 0;
    Arguments part = head_of_part(request, context, plan, take, taken, !memory.drained && taken == 0, count);
    for (std::size_t i = finished; i < finished + count; ++i)
      append_finish(request.finished[plan.finishes[i]], context.dialect.codec, memory, part);
    if (request.filter && take > 0) {
      plan.takes_by_needs = true;
      plan.found = memory.index.to_take(*request.filter, std::min<std::size_t>(take, kJobsPerScript));
      plan.index_position = memory.index.planned();
      append_filter(*request.filter, memory, plan.found, part);
    } else {
      part.emplace_back();
    }
    plan.parts.push_back(std::move(part));
    finished += count;
    taken += take;
    // By needs only one script takes: a second one would have to know how much capacity the first one left.
    // QueueHint::more reports that more can be taken.
    if (request.filter && is_last_finish) break;
  }
  return plan;
}

std::string keep_argument(const Retention& keep) {
  return fmt::format("{},{}", keep.count ? std::to_string(*keep.count) : "",
                     keep.age ? std::to_string(keep.age->count()) : "");
}

}  // namespace gaur::redis_store
