#include "redis_store/job_operations.hpp"

#include <fmt/format.h>

#include "base/json_text.hpp"

namespace gaur::redis_store {

namespace {

constexpr std::uint32_t kMaxPriority = (1U << 21) - 1;
/// Takes the place of a worker's token in events of verbs that no worker calls.
constexpr std::string_view kNoWorker = "gaur";

Error busy(const JobRef& job, std::string_view what) {
  return {Errc::kBusy, fmt::format("job {} is {}", job.id.value, what)};
}

/// 0: done; -1, -2, -6: the codes of the protocol; a letter: the job's state, in which the verb is not legal.
Status status_of(const JobRef& job, const redis::Reply& reply, std::string_view wanted) {
  if (const std::string* letter = reply.text()) return not_in_state(job, *letter, wanted);
  switch (integer_of(reply)) {
    case 0: return ok();
    case -1: return no_such_job(job);
    case -2: return Error{Errc::kLockMissing, fmt::format("job {} is not locked any more", job.id.value)};
    default: return Error{Errc::kLockMismatch, fmt::format("job {} is locked by a newer run", job.id.value)};
  }
}

bool is_locked(const redis::Reply& reply) {
  return reply.integer() != nullptr && *reply.integer() == -6;
}

}  // namespace

Async<Unit> JobOperations::change(std::string_view verb, const JobRef& job,
                                  std::vector<std::string> arguments, std::string_view wanted) {
  return context_->run_on<Unit>(job, verb, std::move(arguments), [job, wanted](const redis::Reply& reply) {
    return status_of(job, reply, wanted);
  });
}

Async<CancelReply> JobOperations::cancel(JobRef job, std::string who, std::string why) {
  const std::string reason = fmt::format("cancelled by {}: {}", who, why);
  std::erase(who, '\n');  // the stored note has three lines: token, who, why
  std::vector<std::string> arguments{job.id.value, std::move(who), std::move(why), reason,
                                     context_->dialect.codec.finish_payload(job.id, reason)};
  return context_->run_on<CancelReply>(job, "cancel", std::move(arguments),
                                       [job](const redis::Reply& reply) -> Result<CancelReply> {
                                         const std::string* word = reply.text();
                                         if (word == nullptr) return no_such_job(job);
                                         if (*word == "removed") return CancelReply::kRemoved;
                                         if (*word == "requested") return CancelReply::kRequested;
                                         if (*word == "finished") return CancelReply::kFinished;
                                         if (*word == "foreign") return CancelReply::kForeign;
                                         return malformed("cancel");
                                       });
}

Async<Unit> JobOperations::retry(JobRef job, bool reset_attempts) {
  return context_->run_on<Unit>(job, "retry",
                                {std::string(kNoWorker), job.id.value, reset_attempts ? "1" : "0"},
                                [job](const redis::Reply& reply) -> Status {
                                  if (is_locked(reply)) return busy(job, "locked by a worker");
                                  return status_of(job, reply, "completed or failed");
                                });
}

Async<Unit> JobOperations::promote(JobRef job) {
  return change("promote", job, {std::string(kNoWorker), job.id.value}, "delayed");
}

Async<Unit> JobOperations::remove(JobRef job) {
  return context_->run_on<Unit>(job, "remove", {job.id.value}, [job](const redis::Reply& reply) -> Status {
    if (is_locked(reply)) return busy(job, "running: cancel it first");
    return status_of(job, reply, "");
  });
}

Async<Unit> JobOperations::update_data(JobRef job, std::string data) {
  const Limits limits;
  if (data.size() > limits.data_bytes) {
    return context_->answer<Unit>(Error{
        Errc::kTooLarge, fmt::format("data: at most {} bytes, was {}", limits.data_bytes, data.size())});
  }
  if (Status valid = json::check(data); !valid) return context_->answer<Unit>(valid.error().in("data"));
  return change("update_data", job, {job.id.value, std::move(data)}, "");
}

Async<Unit> JobOperations::update_progress(JobRef job, std::optional<LockToken> token, std::string progress) {
  const Limits limits;
  if (progress.size() > limits.result_bytes) {
    return context_->answer<Unit>(Error{Errc::kTooLarge, fmt::format("progress: at most {} bytes, was {}",
                                                                     limits.result_bytes, progress.size())});
  }
  if (Status valid = json::check(progress); !valid)
    return context_->answer<Unit>(valid.error().in("progress"));
  const std::string payload = context_->dialect.codec.progress_payload(job.id, progress);
  return change("update_progress", job,
                {job.id.value, std::move(progress), payload, token ? token->value : ""}, "");
}

Async<std::uint64_t> JobOperations::append_logs(JobRef job, std::vector<std::string> lines) {
  std::vector<std::string> arguments{job.id.value};
  for (std::string& line : lines) {
    line.resize(std::min(line.size(), Limits{}.log_line_bytes));
    arguments.push_back(std::move(line));
  }
  return context_->run_on<std::uint64_t>(job, "append_logs", std::move(arguments),
                                         [job](const redis::Reply& reply) -> Result<std::uint64_t> {
                                           if (reply.is_nil()) return no_such_job(job);
                                           return static_cast<std::uint64_t>(integer_of(reply));
                                         });
}

Async<Unit> JobOperations::change_delay(JobRef job, Duration delay) {
  if (delay < Duration{0})
    return context_->answer<Unit>(
        Error{Errc::kInvalidArgument, "delay: 0 ms or more, was " + std::to_string(delay.count())});
  return change("change_delay", job, {job.id.value, std::to_string(delay.count())}, "delayed");
}

Async<Unit> JobOperations::change_priority(JobRef job, std::uint32_t priority, bool lifo) {
  if (priority > kMaxPriority) {
    return context_->answer<Unit>(
        Error{Errc::kInvalidArgument, fmt::format("priority: 0 to {}, was {}", kMaxPriority, priority)});
  }
  return change("change_priority", job, {job.id.value, std::to_string(priority), lifo ? "1" : "0"},
                "waiting, prioritized or delayed");
}

}  // namespace gaur::redis_store
