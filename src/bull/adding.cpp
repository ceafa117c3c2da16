#include "bull/adding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "bull/gather.hpp"
#include "bull/job_codec.hpp"
#include "bull/reserved.hpp"

namespace gaur::bull {
namespace {

constexpr std::size_t kJobsAScript = 64;
constexpr std::size_t kBytesAScript = 1 << 20;

Status check(const AddRequest& request) {
  GAUR_CHECK(validate_queue_name(request.queue.value));
  const Limits limits;
  if (request.jobs.size() > limits.add_batch) {
    return Error{Errc::kTooLarge,
                 fmt::format("at most {} jobs in one add, were {}", limits.add_batch, request.jobs.size())};
  }
  for (const NewJob& job : request.jobs) {
    const auto problems = problems_of_job(job.name, job.data, job.options, limits);
    if (!problems.empty()) return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "; "))};
    if (job.options.parent) return Error{Errc::kUnsupported, "the Bull store lacks flows"};
    if (job.options.id && is_reserved_id(job.options.id->value)) {
      return Error{Errc::kInvalidArgument, fmt::format("id: {} is the name of a key of the queue itself",
                                                       json::quote(job.options.id->value))};
    }
  }
  return check_lane(request.op.lane);
}

void append_job(const NewJob& job, std::vector<std::string>& arguments) {
  const JobOptions& options = job.options;
  const auto& dedup = options.deduplication;
  arguments.push_back(options.id ? options.id->value : "");
  arguments.push_back(job.name);
  arguments.push_back(job.data);
  arguments.push_back(options_to_json(options));
  arguments.push_back(options.timestamp ? std::to_string(to_ms(*options.timestamp)) : "");
  arguments.push_back(std::to_string(options.delay.count()));
  arguments.push_back(std::to_string(options.priority));
  arguments.emplace_back(options.lifo ? "1" : "0");
  arguments.push_back(dedup ? dedup->id : "");
  arguments.push_back(dedup ? std::to_string(dedup->ttl.count()) : "0");
}

State state_of_letter(std::string_view letter) {
  if (letter == "p") return State::kPrioritized;
  if (letter == "d") return State::kDelayed;
  if (letter == "a") return State::kActive;
  if (letter == "c") return State::kCompleted;
  if (letter == "f") return State::kFailed;
  return State::kWaiting;
}

Status read_part(const redis::Reply& reply, const AddRequest& request, std::vector<Added>& added) {
  const auto& parts = array_of(reply);
  if (parts.size() < 2) return malformed("add");
  const std::string how = text_of(parts[0]);
  if (how == "full") {
    return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, at most {} may", request.queue.value,
                                               integer_of(parts[1]), request.max_waiting)};
  }
  if (how == "back") return went_back(request.op, text_of(parts[1]));
  const std::string text = text_of(parts[1]);
  const auto lines = lines_of(text);
  if (lines.size() % 4 != 0) return malformed("add");
  for (std::size_t i = 0; i < lines.size(); i += 4) {
    added.push_back({JobId(std::string(lines[i])), state_of_letter(lines[i + 1]), lines[i + 2] == "1",
                     static_cast<std::uint64_t>(whole_number(lines[i + 3]))});
  }
  return ok();
}

/// The arguments of each part. Which jobs a part has follows from the request alone: a repeat has the same
/// parts.
std::vector<std::vector<std::string>> parts_of(const AddRequest& request) {
  std::vector<std::string> own_ids;
  for (const NewJob& job : request.jobs) {
    if (request.max_waiting > 0 && job.options.id) own_ids.push_back(job.options.id->value);
  }
  std::string token = request.op.lane.empty() ? "gaur" : request.op.lane.value;
  std::vector<std::vector<std::string>> parts;
  std::size_t jobs = 0;
  std::size_t bytes = 0;
  for (const NewJob& job : request.jobs) {
    if (parts.empty() || jobs == kJobsAScript || bytes + job.data.size() > kBytesAScript) {
      const bool bound = parts.empty() && request.max_waiting > 0;
      parts.push_back(
          {request.op.lane.value, std::to_string(request.op.number), fmt::format("a{}", parts.size()), token,
           bound ? std::to_string(request.max_waiting) : "0",
           std::to_string(request.jobs.size() - own_ids.size()), std::to_string(bound ? own_ids.size() : 0)});
      if (bound) parts.back().insert(parts.back().end(), own_ids.begin(), own_ids.end());
      jobs = bytes = 0;
    }
    append_job(job, parts.back());
    ++jobs;
    bytes += job.data.size();
  }
  return parts;
}

}  // namespace

/// The first part alone decides whether the queue is full; the others follow without waiting for each other.
Async<std::vector<Added>> Adding::add(AddRequest request) {
  if (Status good = check(request); !good) return shared_->answer<std::vector<Added>>(good.error());
  if (request.jobs.empty()) return shared_->answer<std::vector<Added>>(std::vector<Added>{});
  auto parts = std::make_shared<std::vector<std::vector<std::string>>>(parts_of(request));
  Promise<Result<std::vector<Added>>> promise;
  auto future = promise.future();
  const auto send = [shared = shared_, parts, queue = request.queue](std::size_t first, std::size_t end) {
    std::vector<redis::Answer<redis::Reply>> answers;
    for (std::size_t i = first; i < end; ++i)
      answers.push_back(shared->run("add", queue, std::move((*parts)[i])));
    return answers;
  };
  const bool bound = request.max_waiting > 0;
  for (NewJob& job : request.jobs) job.data.clear();  // the parts hold it
  auto whole = std::make_shared<AddRequest>(std::move(request));
  const auto read = [promise, whole](Result<std::vector<redis::Reply>> replies, std::vector<Added> added) {
    if (!replies) return promise.set(replies.error());
    for (const redis::Reply& reply : *replies) {
      if (Status good = read_part(reply, *whole, added); !good) return promise.set(good.error());
    }
    promise.set(std::move(added));
  };
  if (!bound) {
    gather(send(0, parts->size()),
           [read](Result<std::vector<redis::Reply>> replies) { read(std::move(replies), {}); });
    return future;
  }
  gather(send(0, 1), [=](Result<std::vector<redis::Reply>> first) {
    std::vector<Added> added;
    if (!first) return promise.set(first.error());
    if (Status good = read_part(first->front(), *whole, added); !good) return promise.set(good.error());
    gather(send(1, parts->size()),
           [read, added](Result<std::vector<redis::Reply>> replies) { read(std::move(replies), added); });
  });
  return future;
}

}  // namespace gaur::bull
