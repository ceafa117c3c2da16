#include "bull/job_operations.hpp"

#include <fmt/format.h>

#include "base/json_text.hpp"
#include "bull/job_codec.hpp"
#include "bull/job_reader.hpp"
#include "bull/reserved.hpp"

namespace gaur::bull {

namespace {

constexpr std::uint32_t kMaxPriority = (1U << 21) - 1;
constexpr std::string_view kByHand =
    "gaur";  // behind the @ of events of verbs that no worker's token stands for

/// 0: done; -1, -2, -6: the codes of the protocol; a letter: where the job stands instead.
Status status_of(const JobRef& job, const redis::Reply& reply, std::string_view wanted) {
  if (const std::string* letter = reply.text()) return not_in_state(job, *letter, wanted);
  switch (integer_of(reply)) {
    case 0: return ok();
    case -1: return no_such_job(job);
    case -2: return Error{Errc::kLockMissing, fmt::format("job {}: nobody holds it any more", job.id.value)};
    default: return Error{Errc::kLockMismatch, fmt::format("job {} is held by a newer run", job.id.value)};
  }
}

/// "50" or {"step":2}: what peers' listeners parse.
std::string progress_payload(const JobId& id, std::string_view progress) {
  return fmt::format(R"({{"jobId":{},"progress":{}}})", json::quote(id.value), progress);
}

}  // namespace

Async<Unit> JobOperations::run_on(std::string_view script, const JobRef& job,
                                  std::vector<std::string> arguments, std::string_view wanted) {
  if (is_reserved_id(job.id.value)) return shared_->answer<Unit>(no_such_job(job));
  return read_reply<Unit>(shared_->run(script, job.queue, std::move(arguments)),
                          [job, wanted](const redis::Reply& reply) { return status_of(job, reply, wanted); });
}

Async<CancelReply> JobOperations::cancel(JobRef job, std::string who, std::string why) {
  if (is_reserved_id(job.id.value)) return shared_->answer<CancelReply>(no_such_job(job));
  const std::string reason = fmt::format("cancelled by {}: {}", who, why);
  // The note is three lines: who asks may not add one.
  std::erase(who, '\n');
  auto reply =
      shared_->run("cancel", job.queue,
                   {job.id.value, std::move(who), std::move(why), reason, finish_payload(job.id, reason)});
  return read_reply<CancelReply>(std::move(reply), [job](const redis::Reply& told) -> Result<CancelReply> {
    const std::string* word = told.text();
    if (word == nullptr) return no_such_job(job);
    if (*word == "removed") return CancelReply::kRemoved;
    if (*word == "requested") return CancelReply::kRequested;
    if (*word == "finished") return CancelReply::kFinished;
    if (*word == "foreign") return CancelReply::kForeign;
    return malformed("cancel");
  });
}

Async<Unit> JobOperations::retry(JobRef job, bool reset_attempts) {
  if (is_reserved_id(job.id.value)) return shared_->answer<Unit>(no_such_job(job));
  auto reply =
      shared_->run("retry", job.queue, {std::string(kByHand), job.id.value, reset_attempts ? "1" : "0"});
  return read_reply<Unit>(std::move(reply), [job](const redis::Reply& told) -> Status {
    if (told.integer() != nullptr && *told.integer() == -6)
      return Error{Errc::kBusy, fmt::format("job {} is locked by a worker", job.id.value)};
    return status_of(job, told, "completed or failed");
  });
}

Async<Unit> JobOperations::promote(JobRef job) {
  const std::string id = job.id.value;
  return run_on("promote", job, {std::string(kByHand), id}, "delayed");
}

Async<Unit> JobOperations::remove(JobRef job) {
  if (is_reserved_id(job.id.value)) return shared_->answer<Unit>(no_such_job(job));
  return read_reply<Unit>(
      shared_->run("remove", job.queue, {job.id.value}), [job](const redis::Reply& told) -> Status {
        if (integer_of(told) == -6)
          return Error{Errc::kBusy, fmt::format("job {} is running: cancel it first", job.id.value)};
        return status_of(job, told, "");
      });
}

Async<Unit> JobOperations::update_data(JobRef job, std::string data) {
  const Limits limits;
  if (data.size() > limits.data_bytes) {
    return shared_->answer<Unit>(Error{
        Errc::kTooLarge, fmt::format("data: at most {} bytes, was {}", limits.data_bytes, data.size())});
  }
  if (Status valid = json::check(data); !valid) return shared_->answer<Unit>(valid.error().in("data"));
  const std::string id = job.id.value;
  return run_on("update", job, {id, std::move(data)}, "");
}

Async<Unit> JobOperations::update_progress(JobRef job, std::optional<LockToken> token, std::string progress) {
  const Limits limits;
  if (progress.size() > limits.result_bytes) {
    return shared_->answer<Unit>(Error{Errc::kTooLarge, fmt::format("progress: at most {} bytes, was {}",
                                                                    limits.result_bytes, progress.size())});
  }
  if (Status valid = json::check(progress); !valid)
    return shared_->answer<Unit>(valid.error().in("progress"));
  const std::string id = job.id.value;
  const std::string payload = progress_payload(job.id, progress);
  return run_on("progress", job, {id, std::move(progress), payload, token ? token->value : ""}, "");
}

Async<std::uint64_t> JobOperations::append_logs(JobRef job, std::vector<std::string> lines) {
  if (is_reserved_id(job.id.value)) return shared_->answer<std::uint64_t>(no_such_job(job));
  std::vector<std::string> arguments{job.id.value};
  for (std::string& line : lines) {
    line.resize(std::min(line.size(), Limits{}.log_line_bytes));
    arguments.push_back(std::move(line));
  }
  return read_reply<std::uint64_t>(shared_->run("log", job.queue, std::move(arguments)),
                                   [job](const redis::Reply& told) -> Result<std::uint64_t> {
                                     if (told.is_nil()) return no_such_job(job);
                                     return static_cast<std::uint64_t>(integer_of(told));
                                   });
}

Async<Unit> JobOperations::change_delay(JobRef job, Duration delay) {
  if (delay < Duration{0})
    return shared_->answer<Unit>(
        Error{Errc::kInvalidArgument, "delay: 0 ms or more, was " + std::to_string(delay.count())});
  const std::string id = job.id.value;
  return run_on("change_delay", job, {id, std::to_string(delay.count())}, "delayed");
}

Async<Unit> JobOperations::change_priority(JobRef job, std::uint32_t priority, bool lifo) {
  if (priority > kMaxPriority) {
    return shared_->answer<Unit>(
        Error{Errc::kInvalidArgument, fmt::format("priority: 0 to {}, was {}", kMaxPriority, priority)});
  }
  const std::string id = job.id.value;
  return run_on("change_priority", job, {id, std::to_string(priority), lifo ? "1" : "0"},
                "waiting, prioritized or delayed");
}

}  // namespace gaur::bull
