#include "http/waiting.hpp"
#include "http/paths.hpp"

#include <fmt/format.h>

namespace gaur::http {

namespace {

using Callback = std::function<void(std::optional<Waiting>)>;

void look_up_reason(Service& service, WaitingJob job, const Callback& next) {
  Waiting waiting;
  waiting.position = job.position;
  if (!service.parts().why_waiting) return next(std::move(waiting));
  service.then(service.parts().why_waiting(std::move(job)),
               [waiting, next](std::optional<std::string> reason) {
                 Waiting full = waiting;
                 full.reason = std::move(reason);
                 next(std::move(full));
               });
}

/// Only of a job in line; a delayed one has no position.
void look_up_position(Service& service, const JobId& id, const WaitingJob& job, const Callback& next) {
  if (job.state != State::kWaiting && job.state != State::kPrioritized)
    return look_up_reason(service, job, next);
  service.then(service.client().position({job.queue, id}), [&service, job, next](Result<Position> position) {
    // A job that was taken meanwhile has no position; then the reason is of no use either.
    if (!position) return next(std::nullopt);
    WaitingJob full = job;
    full.position = *position;
    look_up_reason(service, std::move(full), next);
  });
}

}  // namespace

void look_up_waiting(Service& service, const Job& job, Callback next) {
  if (job.state == State::kActive || job.state == State::kCompleted || job.state == State::kFailed)
    return next(std::nullopt);
  WaitingJob waiting{.queue = job.queue,
                     .function = service.client().functions().function_of(job.queue, job.name, job.data),
                     .state = job.state,
                     .attempts_made = job.attempts_made,
                     .due = job.due};
  service.then(service.client().counts(job.queue),
               [&service, id = job.id, waiting, next = std::move(next)](Result<Counts> counts) {
                 WaitingJob full = waiting;
                 full.paused = counts && counts->paused;
                 look_up_position(service, id, full, next);
               });
}

void answer_waited(Service& service, const ExchangePtr& exchange, const Job& job, const Added& added) {
  const std::string path = job_path({job.queue, job.id}, exchange->base);
  if (job.state == State::kFailed) {
    Problem problem = problem_of_failure(job, path);
    if (added.duplicate) problem.members.emplace_back("duplicate", "true");
    return refuse(exchange, problem);
  }
  JobParts view;
  view.base = exchange->base;
  view.data = false;
  view.added = &added;
  Response response;
  response.headers.push_back({"Location", path});
  if (job.state == State::kCompleted) {
    append_job(response.body, job, view);
    return exchange->reply(std::move(response));
  }
  response.status = 202;
  struct Waited {
    Job job;
    Added added;
  };
  const auto waited = std::make_shared<const Waited>(Waited{job, added});  // shared with the look-up's answer
  look_up_waiting(service, job, [exchange, waited, view, response](std::optional<Waiting> waiting) {
    JobParts full = view;
    full.waiting = waiting ? &*waiting : nullptr;
    full.added = &waited->added;
    Response out = response;
    append_job(out.body, waited->job, full);
    exchange->reply(std::move(out));
  });
}

bool try_begin_wait(Service& service, const ExchangePtr& exchange) {
  exchange->wait_ticket = service.begin_wait();
  if (exchange->wait_ticket) exchange->disconnected = std::stop_source();
  return exchange->wait_ticket != nullptr;
}

bool begin_wait(Service& service, const ExchangePtr& exchange) {
  if (try_begin_wait(service, exchange)) return true;
  Problem problem = make_problem(429, "too_many_waits",
                                 "too many requests wait for results; ask again without ?wait=, or later");
  problem.headers.push_back({"Retry-After", "1"});
  refuse(exchange, problem);
  return false;
}

void with_waited_job(Service& service, const ExchangePtr& exchange, std::function<void(Job)> next) {
  const auto job = job_of(exchange);
  if (!job) return;
  const auto wait = wait_of(service, exchange);
  if (!wait) return;
  if (*wait > Duration{0} && !begin_wait(service, exchange)) return;
  service.then(service.client().wait_finished(*job, *wait, {}, exchange->disconnected.get_token()),
               [exchange, next = std::move(next)](Result<Job> found) {
                 found ? next(*std::move(found)) : refuse(exchange, found.error());
               });
}

}  // namespace gaur::http
