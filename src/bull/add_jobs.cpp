#include "bull/add_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/try.hpp"
#include "bull/gather.hpp"
#include "bull/job_codec.hpp"
#include "bull/reserved.hpp"
#include "core/validation.hpp"

namespace gaur::bull {
namespace {

/// One request is one script, so that all of its jobs are added or none. validate_add() bounds its size and
/// with it the time that Redis is busy: 10 000 jobs take about 0.1 s, like addBulk() of a Bull producer.
Status check(const AddRequest& request) {
  GAUR_CHECK(validate_add(request, "the Bull store", Capabilities{Capability::kDeduplication}));
  for (const NewJob& job : request.jobs) {
    if (job.options.id && is_reserved_id(job.options.id->value)) {
      return Error{Errc::kInvalidArgument, fmt::format("id: {} is the name of a key of the queue itself",
                                                       json::quote(job.options.id->value))};
    }
  }
  return check_lane(request.op.session);
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

Result<std::vector<Added>> read_reply(const redis::Reply& reply, const AddRequest& request) {
  const auto& parts = array_of(reply);
  if (parts.size() < 2) return malformed("add");
  const std::string how = text_of(parts[0]);
  if (how == "full") {
    return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, at most {} may", request.queue.value,
                                               integer_of(parts[1]), request.max_waiting)};
  }
  if (how == "back") return stale_operation(request.op, text_of(parts[1]));
  const std::string text = text_of(parts[1]);
  const auto lines = lines_of(text);
  if (lines.size() != 4 * request.jobs.size()) return malformed("add");
  std::vector<Added> added;
  for (std::size_t i = 0; i < lines.size(); i += 4) {
    added.push_back({JobId(std::string(lines[i])), state_of_letter(lines[i + 1]), lines[i + 2] == "1",
                     static_cast<std::uint64_t>(whole_number(lines[i + 3]))});
  }
  return added;
}

std::vector<std::string> arguments_of(const AddRequest& request) {
  std::vector<std::string> own_ids;
  for (const NewJob& job : request.jobs) {
    if (request.max_waiting > 0 && job.options.id) own_ids.push_back(job.options.id->value);
  }
  std::vector<std::string> arguments{request.op.session.value,
                                     std::to_string(request.op.sequence),
                                     "a0",
                                     request.op.session.empty() ? "gaur" : request.op.session.value,
                                     std::to_string(request.max_waiting),
                                     std::to_string(request.jobs.size() - own_ids.size()),
                                     std::to_string(own_ids.size())};
  arguments.insert(arguments.end(), own_ids.begin(), own_ids.end());
  for (const NewJob& job : request.jobs) append_job(job, arguments);
  return arguments;
}

}  // namespace

Async<std::vector<Added>> AddJobs::add(AddRequest request) {
  if (Status good = check(request); !good) return shared_->answer<std::vector<Added>>(good.error());
  if (request.jobs.empty()) return shared_->answer<std::vector<Added>>(std::vector<Added>{});
  Promise<Result<std::vector<Added>>> promise;
  auto future = promise.future();
  std::vector<std::string> arguments = arguments_of(request);
  for (NewJob& job : request.jobs) job.data.clear();  // the arguments hold it
  shared_->run("add", request.queue, std::move(arguments))
      .then([promise, request = std::move(request)](Result<redis::Reply> reply) {
        const auto good = checked(std::move(reply));
        promise.set(good ? read_reply(*good, request) : Result<std::vector<Added>>(good.error()));
      });
  return future;
}

}  // namespace gaur::bull
