#include "bull/job_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bull/job_codec.hpp"
#include "bull/queue_scan.hpp"
#include "bull/reserved.hpp"

namespace gaur::bull {

namespace {

constexpr std::uint32_t kLongestPage = 1'000;

double score_of(const redis::Reply& reply) {
  if (const double* number = std::get_if<double>(&reply.value)) return *number;
  const std::string text = text_of(reply);
  double score = 0;
  std::from_chars(text.data(), text.data() + text.size(), score);
  return score;
}

/// Ids of a range with what the list or set itself says of them.
struct Listed {
  std::vector<JobId> ids;
  std::vector<Beside> beside;
};

Listed listed(const redis::Reply::Array& reply, State state) {
  Listed found;
  const std::size_t step = state == State::kDelayed ? 2 : 1;
  for (std::size_t i = 0; i + step <= reply.size(); i += step) {
    found.ids.emplace_back(text_of(reply[i]));
    Beside beside{.state = state};
    if (step == 2) beside.due = due_of_score(score_of(reply[i + 1]));
    found.beside.push_back(beside);
  }
  return found;
}

}  // namespace

std::optional<State> state_of(std::string_view letter) {
  if (letter == "w") return State::kWaiting;
  if (letter == "p") return State::kPrioritized;
  if (letter == "d") return State::kDelayed;
  if (letter == "a") return State::kActive;
  if (letter == "c") return State::kCompleted;
  if (letter == "f") return State::kFailed;
  return std::nullopt;
}

char letter_of(State state) {
  switch (state) {
    case State::kWaiting: return 'w';
    case State::kPrioritized: return 'p';
    case State::kDelayed: return 'd';
    case State::kActive: return 'a';
    case State::kCompleted: return 'c';
    case State::kFailed: return 'f';
    case State::kWaitingChildren: break;
  }
  return '-';
}

Error no_such_job(const JobRef& job) {
  return {Errc::kNotFound, fmt::format("queue {} has no job {}", job.queue.value, job.id.value)};
}

Error not_in_state(const JobRef& job, std::string_view letter, std::string_view wanted) {
  const auto state = state_of(letter);
  return {Errc::kNotInState, fmt::format("job {} is {}, not {}", job.id.value,
                                         state ? to_string(*state) : std::string_view("elsewhere"), wanted)};
}

Async<Job> JobReader::get(JobRef job) {
  if (is_reserved_id(job.id.value)) return shared_->answer<Job>(no_such_job(job));
  auto reply = shared_->run("look", job.queue, {job.id.value, "1"});
  return read_reply<Job>(std::move(reply), [job](const redis::Reply& told) -> Result<Job> {
    if (told.is_nil()) return no_such_job(job);
    const auto& parts = array_of(told);
    if (parts.size() != 4) return malformed("look");
    Beside beside{.state = state_of(text_of(parts[0])).value_or(State::kWaiting)};
    beside.requeued = static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(parts[2]), 0));
    if (beside.state == State::kDelayed) beside.due = due_of_score(score_of(parts[1]));
    return job_from_hash(job.queue, job.id, array_of(parts[3]), beside);
  });
}

Async<State> JobReader::state(JobRef job) {
  if (is_reserved_id(job.id.value)) return shared_->answer<State>(no_such_job(job));
  auto reply = shared_->run("look", job.queue, {job.id.value, "0"});
  return read_reply<State>(std::move(reply), [job](const redis::Reply& told) -> Result<State> {
    if (told.is_nil()) return no_such_job(job);
    const auto& parts = array_of(told);
    const auto state = parts.empty() ? std::nullopt : state_of(text_of(parts[0]));
    if (!state) return malformed("look");
    return *state;
  });
}

Async<Position> JobReader::position(JobRef job) {
  if (is_reserved_id(job.id.value)) return shared_->answer<Position>(no_such_job(job));
  auto reply = shared_->run("position", job.queue, {job.id.value});
  return read_reply<Position>(std::move(reply), [job](const redis::Reply& told) -> Result<Position> {
    if (told.is_nil()) return no_such_job(job);
    const auto& parts = array_of(told);
    if (parts.size() != 3) return malformed("position");
    const std::string letter = text_of(parts[0]);
    if (letter != "w" && letter != "p") return not_in_state(job, letter, "waiting or prioritized");
    return Position{static_cast<std::uint64_t>(integer_of(parts[1])), integer_of(parts[2]) == 1};
  });
}

Async<std::vector<QueueName>> JobReader::queues() {
  Promise<Result<std::vector<QueueName>>> promise;
  auto future = promise.future();
  find_queues(shared_->client, shared_->options.prefix, QueueScanLimits{})
      .then([promise](Result<QueuesFound> found) {
        if (!found) return promise.set(found.error());
        promise.set(std::move(found->queues));
      });
  return future;
}

Async<Counts> JobReader::counts(QueueName queue) {
  return read_reply<Counts>(shared_->run("counts", queue, {}),
                            [](const redis::Reply& told) -> Result<Counts> {
                              const auto& parts = array_of(told);
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
  if (letter == '-') return shared_->answer<Jobs>(Jobs{});
  Promise<Result<Jobs>> promise;
  auto future = promise.future();
  const std::string limit = std::to_string(std::min(request.limit, kLongestPage));
  shared_
      ->run("range", request.queue,
            {std::string(1, letter), std::to_string(request.offset), limit, request.newest_first ? "1" : "0"})
      .then([promise, request, shared = shared_](Result<redis::Reply> reply) {
        auto good = checked(std::move(reply));
        if (!good) return promise.set(good.error());
        Listed found = listed(array_of(*good), request.state);
        if (found.ids.empty()) return promise.set(Jobs{});
        if (!shared->open) return promise.set(Error{Errc::kStopping, "the store was closed"});
        const Keys keys = shared->keys(request.queue);
        std::vector<redis::Command> commands;
        redis::Command backs{"HMGET", keys.own() + "backs"};
        for (const JobId& id : found.ids) {
          commands.push_back({"HGETALL", keys.job(id)});
          backs.push_back(id.value);
        }
        commands.push_back(std::move(backs));
        shared->client.pipeline(std::move(commands))
            .then([promise, request,
                   found = std::move(found)](Result<std::vector<redis::Reply>> replies) mutable {
              if (!replies) return promise.set(replies.error());
              if (replies->size() != found.ids.size() + 1) return promise.set(malformed("range"));
              const auto& requeued = array_of(replies->back());
              Jobs jobs;
              for (std::size_t i = 0; i < found.ids.size(); ++i) {
                const auto& fields = array_of((*replies)[i]);
                if (fields.empty()) continue;  // a ghost: an id without a job
                if (i < requeued.size())
                  found.beside[i].requeued =
                      static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(requeued[i]), 0));
                jobs.push_back(job_from_hash(request.queue, found.ids[i], fields, found.beside[i]));
              }
              promise.set(std::move(jobs));
            });
      });
  return future;
}

Async<LogPage> JobReader::logs(JobRef job, std::uint64_t offset, std::uint32_t limit) {
  if (is_reserved_id(job.id.value)) return shared_->answer<LogPage>(no_such_job(job));
  auto reply = shared_->run("logs", job.queue, {job.id.value, std::to_string(offset), std::to_string(limit)});
  return read_reply<LogPage>(std::move(reply), [job](const redis::Reply& told) -> Result<LogPage> {
    if (told.is_nil()) return no_such_job(job);
    const auto& parts = array_of(told);
    if (parts.size() != 2) return malformed("logs");
    LogPage page;
    page.total = static_cast<std::uint64_t>(integer_of(parts[0]));
    for (const redis::Reply& line : array_of(parts[1])) page.lines.push_back(text_of(line));
    return page;
  });
}

}  // namespace gaur::bull
