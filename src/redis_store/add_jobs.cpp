#include "redis_store/add_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/try.hpp"
#include "core/validation.hpp"

namespace gaur::redis_store {
namespace {

/// validate_add() bounds the size of the script, and with it how long Redis is busy: 10 000 jobs take about
/// 0.1 s, as with addBulk() of a Bull producer.
Status check(const AddRequest& request, const Dialect& dialect) {
  GAUR_CHECK(validate_add(request, fmt::format("the {} store", dialect.name), dialect.capabilities));
  for (const NewJob& job : request.jobs) {
    if (job.options.id && dialect.layout.is_reserved_id(job.options.id->value)) {
      return Error{Errc::kInvalidArgument, fmt::format("id: {} is the name of a key of the queue itself",
                                                       json::quote(job.options.id->value))};
    }
  }
  return check_session(request.op.session);
}

void append_job(const NewJob& job, const JobCodec& codec, std::vector<std::string>& arguments) {
  const JobOptions& options = job.options;
  const auto& dedup = options.deduplication;
  arguments.push_back(options.id ? options.id->value : "");
  arguments.push_back(job.name);
  arguments.push_back(job.data);
  arguments.push_back(codec.options_to_json(options));
  arguments.push_back(options.timestamp ? std::to_string(to_ms(*options.timestamp)) : "");
  arguments.push_back(std::to_string(options.delay.count()));
  arguments.push_back(std::to_string(options.priority));
  arguments.emplace_back(options.lifo ? "1" : "0");
  arguments.push_back(dedup ? dedup->id : "");
  arguments.push_back(dedup ? std::to_string(dedup->ttl.count()) : "0");
}

Result<std::vector<Added>> read_added(const redis::Reply& reply, const AddRequest& request) {
  const auto& parts = array_of(reply);
  if (parts.size() < 2) return malformed("add");
  const std::string status = text_of(parts[0]);
  if (status == "full") {
    return Error{Errc::kQueueFull, fmt::format("queue {}: {} jobs wait, at most {} may", request.queue.value,
                                               integer_of(parts[1]), request.max_waiting)};
  }
  if (status == "back") return stale_operation(request.op, text_of(parts[1]));
  const std::string text = text_of(parts[1]);
  const auto lines = lines_of(text);
  if (lines.size() != 4 * request.jobs.size()) return malformed("add");
  std::vector<Added> added;
  for (std::size_t i = 0; i < lines.size(); i += 4) {
    added.push_back({JobId(std::string(lines[i])), state_of(lines[i + 1]).value_or(State::kWaiting),
                     lines[i + 2] == "1", static_cast<std::uint64_t>(whole_number(lines[i + 3]))});
  }
  return added;
}

std::vector<std::string> arguments_of(const AddRequest& request, const JobCodec& codec) {
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
  for (const NewJob& job : request.jobs) append_job(job, codec, arguments);
  return arguments;
}

}  // namespace

Async<std::vector<Added>> AddJobs::add(AddRequest request) {
  using AddedJobs = std::vector<Added>;
  if (Status good = check(request, context_->dialect); !good)
    return context_->answer<AddedJobs>(good.error());
  if (request.jobs.empty()) return context_->answer<AddedJobs>(AddedJobs{});
  std::vector<std::string> arguments = arguments_of(request, context_->dialect.codec);
  for (NewJob& job : request.jobs) job.data.clear();  // the arguments have a copy
  const QueueName queue = request.queue;
  return read_reply<AddedJobs>(
      context_->run("add", queue, std::move(arguments)),
      [request = std::move(request)](const redis::Reply& reply) { return read_added(reply, request); });
}

}  // namespace gaur::redis_store
