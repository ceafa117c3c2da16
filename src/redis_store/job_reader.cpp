#include "redis_store/job_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "redis_store/queue_scan.hpp"

namespace gaur::redis_store {

namespace {

constexpr std::uint32_t kLongestPage = 1'000;

/// The ids of a range, and what their list or set says of each.
struct ListedIds {
  std::vector<JobId> ids;
  std::vector<JobPlacement> placements;
};

ListedIds read_ids(const redis::Reply::Array& reply, State state) {
  ListedIds listed;
  const std::size_t step = state == State::kDelayed ? 2 : 1;
  for (std::size_t i = 0; i + step <= reply.size(); i += step) {
    listed.ids.emplace_back(text_of(reply[i]));
    JobPlacement placement{.state = state};
    if (step == 2) placement.due = due_of_score(score_of(reply[i + 1]));
    listed.placements.push_back(placement);
  }
  return listed;
}

/// HGETALL of each job, then HMGET of their uncounted starts.
std::vector<redis::Command> commands_of(const ListedIds& listed, const Keys& keys) {
  std::vector<redis::Command> commands;
  redis::Command uncounted{"HMGET", keys.own() + "uncounted_starts"};
  for (const JobId& id : listed.ids) {
    commands.push_back({"HGETALL", keys.job(id)});
    uncounted.push_back(id.value);
  }
  commands.push_back(std::move(uncounted));
  return commands;
}

std::vector<Job> read_jobs(const QueueName& queue, ListedIds& listed, const JobCodec& codec,
                           const Replies& replies) {
  const auto& uncounted = array_of(replies.back());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < listed.ids.size(); ++i) {
    const auto& fields = array_of(replies[i]);
    if (fields.empty()) continue;  // an id without a job
    if (i < uncounted.size()) listed.placements[i].uncounted_starts = count_of(uncounted[i]);
    jobs.push_back(codec.job_from_hash(queue, listed.ids[i], fields, listed.placements[i]));
  }
  return jobs;
}

}  // namespace

Async<Job> JobReader::get(JobRef job) {
  return context_->run_on<Job>(
      job, "get_job", {job.id.value, "1"},
      [job, codec = context_->dialect.codec](const redis::Reply& reply) -> Result<Job> {
        if (reply.is_nil()) return no_such_job(job);
        const auto& parts = array_of(reply);
        if (parts.size() != 4) return malformed("get_job");
        JobPlacement placement{.state = state_of(text_of(parts[0])).value_or(State::kWaiting)};
        placement.uncounted_starts = count_of(parts[2]);
        if (placement.state == State::kDelayed) placement.due = due_of_score(score_of(parts[1]));
        return codec.job_from_hash(job.queue, job.id, array_of(parts[3]), placement);
      });
}

Async<State> JobReader::state(JobRef job) {
  return context_->run_on<State>(
      job, "get_job", {job.id.value, "0"}, [job](const redis::Reply& reply) -> Result<State> {
        if (reply.is_nil()) return no_such_job(job);
        const auto& parts = array_of(reply);
        const auto state = parts.empty() ? std::nullopt : state_of(text_of(parts[0]));
        if (!state) return malformed("get_job");
        return *state;
      });
}

Async<Position> JobReader::position(JobRef job) {
  return context_->run_on<Position>(
      job, "position", {job.id.value}, [job](const redis::Reply& reply) -> Result<Position> {
        if (reply.is_nil()) return no_such_job(job);
        const auto& parts = array_of(reply);
        if (parts.size() != 3) return malformed("position");
        const std::string letter = text_of(parts[0]);
        if (letter != "w" && letter != "p") return not_in_state(job, letter, "waiting or prioritized");
        return Position{static_cast<std::uint64_t>(integer_of(parts[1])), integer_of(parts[2]) == 1};
      });
}

Async<std::vector<QueueName>> JobReader::queues() {
  Promise<Result<std::vector<QueueName>>> promise;
  auto future = promise.future();
  find_queues(context_->client, context_->options.prefix, QueueScanLimits{})
      .then([promise](Result<QueuesFound> found) {
        if (!found) return promise.set(found.error());
        promise.set(std::move(found->queues));
      });
  return future;
}

Async<Counts> JobReader::counts(QueueName queue) {
  return read_reply<Counts>(context_->run("counts", queue, {}),
                            [](const redis::Reply& reply) -> Result<Counts> {
                              const auto& parts = array_of(reply);
                              if (parts.size() != 7) return malformed("counts");
                              Counts counts;
                              std::size_t at = 0;
                              for (const State state : {State::kWaiting, State::kPrioritized, State::kDelayed,
                                                        State::kActive, State::kCompleted, State::kFailed}) {
                                counts[state] = static_cast<std::uint64_t>(integer_of(parts[at++]));
                              }
                              counts.paused = integer_of(parts[6]) == 1;
                              return counts;
                            });
}

Async<std::vector<Job>> JobReader::range(RangeRequest request) {
  using Jobs = std::vector<Job>;
  const char letter = letter_of(request.state);
  if (letter == '-') return context_->answer<Jobs>(Jobs{});
  Promise<Result<Jobs>> promise;
  auto future = promise.future();
  const std::string limit = std::to_string(std::min(request.limit, kLongestPage));
  context_
      ->run("range", request.queue,
            {std::string(1, letter), std::to_string(request.offset), limit, request.newest_first ? "1" : "0"})
      .then([promise, request, context = context_](Result<redis::Reply> reply) {
        auto good = checked(std::move(reply));
        if (!good) return promise.set(good.error());
        ListedIds listed = read_ids(array_of(*good), request.state);
        if (listed.ids.empty()) return promise.set(Jobs{});
        if (!context->open) return promise.set(store_closed());
        auto commands = commands_of(listed, context->keys(request.queue));
        run_pipeline<Jobs>(
            context->client, std::move(commands), promise,
            [promise, queue = request.queue, codec = context->dialect.codec, listed = std::move(listed)](
                const Replies& replies) mutable { promise.set(read_jobs(queue, listed, codec, replies)); });
      });
  return future;
}

Async<LogPage> JobReader::logs(JobRef job, std::uint64_t offset, std::uint32_t limit) {
  return context_->run_on<LogPage>(job, "get_logs",
                                   {job.id.value, std::to_string(offset), std::to_string(limit)},
                                   [job](const redis::Reply& reply) -> Result<LogPage> {
                                     if (reply.is_nil()) return no_such_job(job);
                                     const auto& parts = array_of(reply);
                                     if (parts.size() != 2) return malformed("get_logs");
                                     LogPage page;
                                     page.total = static_cast<std::uint64_t>(integer_of(parts[0]));
                                     for (const redis::Reply& line : array_of(parts[1]))
                                       page.lines.push_back(text_of(line));
                                     return page;
                                   });
}

}  // namespace gaur::redis_store
