#include <fmt/format.h>

#include "base/json.hpp"
#include "http/add_body.hpp"
#include "http/handlers.hpp"
#include "http/paths.hpp"
#include "http/waiting.hpp"

namespace gaur::http {

namespace {

constexpr std::size_t kMostWaitedFor = 100;  // jobs of one request with ?wait=

std::string key_of(const Exchange& exchange) {
  const std::string* key = exchange.request.header("idempotency-key");
  return key == nullptr ? "" : *key;
}

void refuse_add(Service& service, const ExchangePtr& exchange, const QueueName& queue, const Error& error) {
  const std::string_view target = exchange->request.target;
  Problem problem = problem_of(error, std::string(target.substr(0, target.find('?'))));
  if (error.code == Errc::kQueueFull) {
    problem.headers.push_back({"Retry-After", std::to_string(service.client().retry_after(queue).count())});
  }
  refuse(exchange, problem);
}

/// The job's own id is taken by a job with another name or other data.
void refuse_duplicate(const ExchangePtr& exchange, const QueueName& queue, const Added& added) {
  const std::string path = job_path({queue, added.id}, exchange->base);
  Problem problem = make_problem(
      409, "duplicate",
      fmt::format(
          "a job with the id {} exists with another name or other data; nothing was added: use a new id or "
          "get that job",
          json::quote(added.id.value)));
  problem.instance = path;
  problem.headers.push_back({"Location", path});
  refuse(exchange, problem);
}

/// The answer to an add without the state of its jobs.
Response receipt_of(const ExchangePtr& exchange, const QueueName& queue, const std::vector<Added>& added,
                    bool many) {
  Response response;
  response.status = 202;
  if (!many) {
    response.headers.push_back({"Location", job_path({queue, added.front().id}, exchange->base)});
    append_added(response.body, queue, added.front(), exchange->base);
    return response;
  }
  for (const Added& each : added) {
    response.body += response.body.empty() ? '[' : ',';
    append_added(response.body, queue, each, exchange->base);
  }
  response.body += ']';
  return response;
}

/// Waits for several jobs of one request and answers when the last wait is over.
struct ManyWaits {
  ExchangePtr exchange;
  QueueName queue;
  std::vector<Added> added;
  /// Nothing: the wait for this job failed.
  std::vector<std::optional<Job>> jobs;
  std::size_t left = 0;

  void arrived(std::size_t index, Result<Job> job) {
    if (job) jobs[index] = *std::move(job);
    if (--left > 0) return;
    const auto finished = [](const std::optional<Job>& j) {
      return j && (j->state == State::kCompleted || j->state == State::kFailed);
    };
    JobParts view;
    view.base = exchange->base;
    view.data = false;
    std::string body;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      view.added = &added[i];
      body += body.empty() ? '[' : ',';
      jobs[i] ? append_job(body, *jobs[i], view) : append_added(body, queue, added[i], exchange->base);
    }
    answer_json(exchange, body + "]", std::all_of(jobs.begin(), jobs.end(), finished) ? 200 : 202);
  }
};

/// The wait that follows an add. `since` is a cursor from before it, so that no end can be missed.
void wait_for(Service& service, const ExchangePtr& exchange, const QueueName& queue,
              const std::vector<Added>& added, bool many, Duration wait, const std::string& since) {
  const std::stop_token disconnected = exchange->disconnected.get_token();
  if (!many) {
    const JobRef job{queue, added.front().id};
    service.then(service.client().wait_finished(job, wait, since, disconnected),
                 [&service, exchange, first = added.front()](Result<Job> waited) {
                   waited ? answer_waited(service, exchange, *waited, first)
                          : exchange->reply(*exchange->receipt);
                 });
    return;
  }
  auto all = std::make_shared<ManyWaits>();  // shared by the answers of all the waits
  all->exchange = exchange;
  all->queue = queue;
  all->added = added;
  all->jobs.resize(added.size());
  all->left = added.size();
  for (std::size_t i = 0; i < added.size(); ++i) {
    service.then(service.client().wait_finished({queue, added[i].id}, wait, since, disconnected),
                 [all, i](Result<Job> waited) { all->arrived(i, std::move(waited)); });
  }
}

struct AddJobs {
  QueueName queue;
  bool many = false;
  Duration wait{0};
  /// Sends the jobs. Called once.
  std::function<Async<std::vector<Added>>()> send;
};

/// Sends the jobs and answers, or waits for them from `since` on.
void add(Service& service, const ExchangePtr& exchange, const AddJobs& adding, bool waits,
         const std::string& since) {
  exchange->adding = true;
  service.then(adding.send(), [&service, exchange, queue = adding.queue, many = adding.many,
                               wait = adding.wait, waits, since](Result<std::vector<Added>> added) {
    exchange->adding = false;
    if (!added) return refuse_add(service, exchange, queue, added.error());
    if (!many && added->front().differs) return refuse_duplicate(exchange, queue, added->front());
    exchange->receipt = receipt_of(exchange, queue, *added, many);
    if (!waits || service.stopping()) return exchange->reply(*exchange->receipt);
    wait_for(service, exchange, queue, *added, many, wait, since);
  });
}

/// With all waits in use the jobs are added nevertheless, and the answer is that of an add without ?wait=.
void run(Service& service, const ExchangePtr& exchange, const AddJobs& adding) {
  if (adding.wait == Duration{0} || !try_begin_wait(service, exchange))
    return add(service, exchange, adding, false, "");
  service.then(service.client().cursor(adding.queue),
               [&service, exchange, adding](Result<std::string> since) {
                 add(service, exchange, adding, true, since ? *since : "");
               });
}

}  // namespace

void add_jobs(Service& service, const ExchangePtr& exchange) {
  const auto queue = queue_of(exchange);
  if (!queue) return;
  std::vector<std::string> problems;
  const Duration wait = wait_of(service, *exchange, problems);
  AddBody body;
  if (exchange->request.body.empty()) {
    body.problems.emplace_back(
        R"(body: a job like {"name":"...","data":{}} or an array of jobs is expected)");
  } else {
    body = parse_add_body(exchange->request.body, Limits{}.add_batch);
  }
  problems.insert(problems.end(), body.problems.begin(), body.problems.end());
  if (body.problems.empty() || !body.jobs.empty()) {
    for (std::string& problem : service.client().problems(*queue, body.jobs))
      problems.push_back(std::move(problem));
  }
  if (wait > Duration{0} && body.jobs.size() > kMostWaitedFor) {
    problems.push_back(fmt::format("wait: at most {} jobs can be waited for in one request", kMostWaitedFor));
  }
  if (!problems.empty()) return refuse_all(exchange, std::move(problems));
  for (const NewJob& job : body.jobs) {
    const FunctionName function = service.client().functions().function_of(*queue, job.name, job.data);
    if (!service.check_call(exchange, &*queue, function)) return;
  }

  AddJobs adding;
  adding.queue = *queue;
  adding.many = body.many;
  adding.wait = wait;
  auto jobs =
      std::make_shared<std::vector<NewJob>>(std::move(body.jobs));  // shared: a std::function is copyable
  adding.send = [&service, queue = *queue, jobs, key = key_of(*exchange)] {
    AddOptions options;
    options.idempotency_key = key;
    options.checked = true;
    return service.client().add(queue, std::move(*jobs), std::move(options));
  };
  run(service, exchange, adding);
}

void call_function(Service& service, const ExchangePtr& exchange) {
  std::vector<std::string> problems;
  const Duration wait = wait_of(service, *exchange, problems);
  const FunctionName name(exchange->params.front());
  const FunctionInfo* function = service.client().functions().find(name);
  CallOptions call;
  call.job = parse_query_options(exchange->query, problems);  // the body is the function's own
  if (!problems.empty()) return refuse_all(exchange, std::move(problems));
  if (!service.check_call(exchange, function == nullptr ? nullptr : &function->queue, name)) return;
  call.idempotency_key = key_of(*exchange);
  AddJobs adding;
  if (function != nullptr) adding.queue = function->queue;
  adding.wait = function == nullptr ? Duration{0} : wait;  // an unknown one is refused without a wait
  adding.send = [&service, exchange, name, call] {
    Promise<Result<std::vector<Added>>> promise;
    auto future = promise.future();
    std::string parameters = exchange->request.body.empty() ? "{}" : std::move(exchange->request.body);
    service.client().call(name, std::move(parameters), call).then([promise](Result<CallReceipt> called) {
      if (!called) return promise.set(std::move(called).error());
      std::vector<Added> added;
      added.push_back(std::move(called->added));
      promise.set(std::move(added));
    });
    return future;
  };
  run(service, exchange, adding);
}

}  // namespace gaur::http
