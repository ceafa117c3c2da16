#include "gaur/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <type_traits>

#include "api/call.hpp"
#include "api/client_factory.hpp"
#include "api/duplicates.hpp"
#include "api/idempotency.hpp"
#include "api/waits.hpp"
#include "base/json.hpp"

namespace gaur {

namespace {

constexpr std::size_t kMostProblems = 100;  // reported for one request

std::string join(const std::vector<std::string>& problems) {
  std::string out;
  for (const std::string& problem : problems) out += (out.empty() ? "" : "; ") + problem;
  return out;
}

bool is_good_key(const std::string& key) {
  return key.size() <= 255 && std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// The outcome is unknown: the jobs may have been added.
bool may_have_happened(const Error& error) {
  return error.code == Errc::kDisconnected || error.code == Errc::kTimeout;
}

Error key_taken(const std::string& key) {
  return {Errc::kAlreadyExists,
          fmt::format("Idempotency-Key {} was used for another request; take a new key", json::quote(key))};
}

}  // namespace

struct Client::Impl {
  Impl(Store& s, Env e, Metrics& m, ClientOptions o)
      : store(s),
        env(e),
        registry(m),
        options(std::move(o)),
        waits(std::make_shared<Waits>(s, e, options.max_waits)),
        keys(std::make_shared<KnownKeys>(options.known_keys)) {
    if (!options.functions) options.functions = std::make_shared<const FunctionCatalog>();
  }
  ~Impl() { waits->stop(); }

  std::uint64_t max_waiting(const QueueName& queue) const {
    const auto found = options.max_waiting.find(queue);
    return found == options.max_waiting.end() ? options.default_max_waiting : found->second;
  }

  Status check_known(const QueueName& queue, const std::vector<NewJob>& jobs) const;
  Status check_other(const QueueName& queue);
  Async<std::vector<Added>> add_once(AddRequest request, const std::string& key);
  template <class Verb>
  std::invoke_result_t<Verb> on_known(const QueueName& queue, Verb verb) const;

  Store& store;
  Env env;
  Metrics& registry;
  ClientOptions options;
  std::shared_ptr<Waits> waits;     // shared with pending calls of the store
  std::shared_ptr<KnownKeys> keys;  // shared with pending calls of the store
  std::mutex mutex;
  std::set<QueueName> other_queues;  // guarded by mutex
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

std::unique_ptr<Client> make_client(Store& store, Env env, Metrics& metrics, ClientOptions options) {
  return std::make_unique<Client>(std::make_unique<Client::Impl>(store, env, metrics, std::move(options)));
}

// ---- adding ----------------------------------------------------------------------------------

std::vector<std::string> Client::problems(const QueueName& queue, const std::vector<NewJob>& jobs) const {
  std::vector<std::string> all;
  if (const Status name = validate_queue_name(queue.value); !name) all.push_back(name.error().message);
  if (jobs.empty()) all.emplace_back("jobs: at least one job is expected");
  if (jobs.size() > impl_->options.limits.add_batch) {
    all.push_back(
        fmt::format("jobs: at most {} in one request, was {}", impl_->options.limits.add_batch, jobs.size()));
    return all;
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const std::string& problem :
         problems_of_job(jobs[i].name, jobs[i].data, jobs[i].options, impl_->options.limits)) {
      if (all.size() == kMostProblems) {
        all.emplace_back("... and more");
        return all;
      }
      all.push_back(jobs.size() == 1 ? problem : fmt::format("jobs[{}].{}", i, problem));
    }
  }
  return all;
}

Async<std::vector<Added>> Client::add(QueueName queue, std::vector<NewJob> jobs, AddOptions options) {
  using Answer = Result<std::vector<Added>>;
  if (!options.checked) {
    if (const auto found = problems(queue, jobs); !found.empty()) {
      return ready(Answer(Error{Errc::kInvalidArgument, join(found)}));
    }
  }
  if (Status known = impl_->check_known(queue, jobs); !known) return ready(Answer(known.error()));
  if (Status allowed = impl_->check_other(queue); !allowed) return ready(Answer(allowed.error()));
  std::map<std::size_t, NewJob> own_ids = jobs_with_own_ids(jobs);
  AddRequest request;
  request.max_waiting = impl_->max_waiting(queue);
  request.queue = queue;
  request.jobs = std::move(jobs);
  if (options.idempotency_key.empty())
    return compare_duplicates(impl_->store, impl_->store.add(std::move(request)), queue, std::move(own_ids));
  if (!is_good_key(options.idempotency_key)) {
    return ready(Answer(Error{Errc::kInvalidArgument,
                              "Idempotency-Key: 1 to 255 printable ASCII characters without spaces"}));
  }
  return compare_duplicates(impl_->store, impl_->add_once(std::move(request), options.idempotency_key), queue,
                            std::move(own_ids));
}

/// See ClientOptions::own_queues.
Status Client::Impl::check_known(const QueueName& queue, const std::vector<NewJob>& jobs) const {
  if (!options.own_queues) return ok();
  if (!options.own_queues->contains(queue)) return unknown_queue(queue, *options.own_queues);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const FunctionName function = options.functions->function_of(queue, jobs[i].name, jobs[i].data);
    if (options.functions->find(function) != nullptr) continue;
    Error unknown = unknown_function(function, *options.functions);
    return jobs.size() == 1 ? unknown : unknown.in(fmt::format("jobs[{}]", i));
  }
  return ok();
}

/// See ClientOptions::max_other_queues. Each name of a queue that a caller may create costs memory here and
/// in the store, so their number has a limit.
Status Client::Impl::check_other(const QueueName& queue) {
  if (!options.max_other_queues) return ok();
  if (options.configured_queues && options.configured_queues->contains(queue)) return ok();
  const std::lock_guard lock(mutex);
  if (other_queues.contains(queue)) return ok();
  if (other_queues.size() < *options.max_other_queues) {
    other_queues.insert(queue);
    return ok();
  }
  return Error{
      Errc::kPermission,
      fmt::format("queue {} is not configured here, and server.max_other_queues allows {} such queues; "
                  "add [queues.{}] to gaur.toml or raise that key",
                  json::quote(queue.value), *options.max_other_queues, json::quote(queue.value))};
}

/// Calls `verb` if ClientOptions::own_queues contains the queue, or the store still has it from a previous
/// configuration. Else returns kNotFound with the known names, so that a typo neither creates a queue nor
/// looks like an empty one.
template <class Verb>
std::invoke_result_t<Verb> Client::Impl::on_known(const QueueName& queue, Verb verb) const {
  if (!options.own_queues || options.own_queues->contains(queue)) return verb();
  using Answer = std::decay_t<decltype(std::declval<std::invoke_result_t<Verb>>().get())>;
  Promise<Answer> promise;
  auto future = promise.future();
  store.queues().then(
      [promise, queue, verb = std::move(verb), unknown = unknown_queue(queue, *options.own_queues)](
          const Result<std::vector<QueueName>>& stored) mutable {
        if (!stored) return promise.set(stored.error());
        if (std::ranges::find(*stored, queue) == stored->end()) return promise.set(std::move(unknown));
        verb().then([promise](Answer answer) { promise.set(std::move(answer)); });
      });
  return future;
}

Async<std::vector<Added>> Client::Impl::add_once(AddRequest request, const std::string& key) {
  using Answer = Result<std::vector<Added>>;
  request.op = operation_of(request.queue, key);
  const SessionName session = request.op.session;
  const auto verdict = keys->check(session, fingerprint(request.jobs));
  if (verdict == KnownKeys::Verdict::kOther) return ready(Answer(key_taken(key)));
  if (verdict == KnownKeys::Verdict::kSame) return store.add(std::move(request));

  // The store may know a key from before a restart. Its reply is the same as for a new key, so the returned
  // job is compared with the request.
  Promise<Answer> promise;
  auto future = promise.future();
  const QueueName queue = request.queue;
  const auto asked =
      std::make_shared<const std::pair<NewJob, std::size_t>>(request.jobs.front(), request.jobs.size());
  store.add(std::move(request))
      .then([promise, keys = keys, &store = store, session, queue, key, asked](Answer answer) {
        if (!answer) {
          if (!may_have_happened(answer.error())) keys->forget(session);
          return promise.set(std::move(answer));
        }
        const auto refuse = [promise, keys, session, key] {
          keys->forget(session);
          promise.set(key_taken(key));
        };
        if (answer->size() != asked->second) return refuse();
        if (answer->front().duplicate) return promise.set(std::move(answer));
        const JobRef first{queue, answer->front().id};
        store.get(first).then([promise, refuse, asked, answer = std::move(answer)](Result<Job> stored) {
          if (stored && !same_request(*stored, asked->first)) return refuse();
          promise.set(answer);
        });
      });
  return future;
}

Async<CallReceipt> Client::call(FunctionName function, std::string parameters, CallOptions options) {
  const FunctionInfo* info = functions().find(function);
  if (info == nullptr) return ready(Result<CallReceipt>(unknown_function(function, functions())));
  auto data = compose_data(*info, parameters);
  if (!data) return ready(Result<CallReceipt>(data.error().in("parameters")));
  std::vector<NewJob> jobs;
  jobs.push_back({function.value, *std::move(data), std::move(options.job)});
  Promise<Result<CallReceipt>> promise;
  auto future = promise.future();
  AddOptions add_options;
  add_options.idempotency_key = std::move(options.idempotency_key);
  add(info->queue, std::move(jobs), std::move(add_options))
      .then([promise, queue = info->queue](Result<std::vector<Added>> added) {
        if (!added) return promise.set(std::move(added).error());
        CallReceipt called;
        called.added = std::move(added->front());
        called.job = {queue, called.added.id};
        promise.set(std::move(called));
      });
  return future;
}

const FunctionCatalog& Client::functions() const {
  return *impl_->options.functions;
}

// ---- one job ---------------------------------------------------------------------------------

Async<Job> Client::get(JobRef job) {
  return impl_->store.get(std::move(job));
}

Async<Job> Client::wait_finished(JobRef job, Duration at_most, std::string since, std::stop_token cancel) {
  if (at_most <= Duration{0} && since.empty()) return impl_->store.get(std::move(job));
  return impl_->waits->wait(std::move(job), std::max(at_most, Duration{0}), std::move(since),
                            std::move(cancel));
}

Async<std::string> Client::cursor(QueueName queue) {
  return impl_->on_known(queue, [waits = impl_->waits, queue] { return waits->cursor(queue); });
}
Async<Position> Client::position(JobRef job) {
  return impl_->store.position(std::move(job));
}
Async<LogPage> Client::logs(JobRef job, std::uint64_t offset, std::uint32_t limit) {
  return impl_->store.logs(std::move(job), offset, limit);
}
Async<CancelReply> Client::cancel(JobRef job, std::string who, std::string why) {
  return impl_->store.cancel(std::move(job), std::move(who), std::move(why));
}
Async<Unit> Client::retry(JobRef job, bool reset_attempts) {
  return impl_->store.retry(std::move(job), reset_attempts);
}
Async<Unit> Client::promote(JobRef job) {
  return impl_->store.promote(std::move(job));
}
Async<Unit> Client::remove(JobRef job) {
  return impl_->store.remove(std::move(job));
}

// ---- queues ----------------------------------------------------------------------------------

Async<std::vector<QueueName>> Client::queues() {
  return impl_->store.queues();
}
Async<Counts> Client::counts(QueueName queue) {
  return impl_->on_known(queue, [&store = impl_->store, queue] { return store.counts(queue); });
}
Async<std::vector<Job>> Client::range(RangeRequest request) {
  const QueueName queue = request.queue;
  return impl_->on_known(
      queue, [&store = impl_->store, request = std::move(request)] { return store.range(request); });
}
Async<Unit> Client::pause(QueueName queue) {
  if (Status allowed = impl_->check_other(queue); !allowed) return ready(std::move(allowed));
  return impl_->on_known(queue, [&store = impl_->store, queue] { return store.pause(queue); });
}
Async<Unit> Client::resume(QueueName queue) {
  return impl_->on_known(queue, [&store = impl_->store, queue] { return store.resume(queue); });
}
Async<EventPage> Client::events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most) {
  return impl_->on_known(queue, [&store = impl_->store, queue, cursor = std::move(cursor), limit, at_most] {
    return store.events(queue, cursor, limit, at_most);
  });
}

std::chrono::seconds Client::retry_after(const QueueName& queue) const {
  const double rate = impl_->registry.finish_rates().per_second(queue.value, impl_->env.clock.now());
  if (rate <= 0) return std::chrono::seconds(5);
  // By then one percent of the waiting jobs, at least one, should have started: soon enough to keep the queue
  // full, late enough that the producers do not all retry at once.
  const double places = std::max(1.0, static_cast<double>(impl_->max_waiting(queue)) / 100);
  return std::chrono::seconds(static_cast<int>(std::ceil(std::clamp(places / rate, 1.0, 60.0))));
}

// ---- metrics ---------------------------------------------------------------------------------

namespace {

constexpr std::size_t kMostOtherQueues = 1'000;  // whose counts one request of metrics reads

/// Requests the counts of the queues one after the other. The queues that are not configured are summed up as
/// one, "other", so that no caller can add series.
struct QueueGauges : std::enable_shared_from_this<QueueGauges> {
  QueueGauges(Store& s, const std::optional<std::set<QueueName>>& configured,
              const std::vector<QueueName>& stored, Promise<Result<std::string>> p, std::string text)
      : store(s), promise(std::move(p)), out(std::move(text)) {
    std::vector<QueueName> others;
    for (const QueueName& queue : stored) {
      if (!configured || configured->contains(queue)) {
        left.push_back(queue);
      } else if (others.size() < kMostOtherQueues) {
        others.push_back(queue);
      }
    }
    named = left.size();
    left.insert(left.end(), others.begin(), others.end());
    std::reverse(left.begin(), left.end());
  }

  void next() {
    if (left.empty()) {
      append(other);
      prometheus::append_gauge(out, "gaur_jobs", "Jobs in the store, by state.", jobs);
      prometheus::append_gauge(out, "gaur_queue_paused", "1 while the queue is paused.", paused);
      return promise.set(std::move(out));
    }
    const QueueName queue = left.back();
    left.pop_back();
    const bool has_series = named > 0;
    if (has_series) --named;
    store.counts(queue).then([self = shared_from_this(), queue, has_series](const Result<Counts>& counts) {
      if (counts && has_series) self->append({{queue, *counts}});
      if (counts && !has_series) self->add_to_other(*counts);
      self->next();
    });
  }

  void append(const std::map<QueueName, Counts>& rows) {
    for (const auto& [queue, counts] : rows) {
      for (const State state : kAllStates) {
        jobs.emplace_back(Labels{{"queue", queue.value}, {"state", std::string(to_string(state))}},
                          static_cast<double>(counts[state]));
      }
      paused.emplace_back(Labels{{"queue", queue.value}}, counts.paused ? 1 : 0);
    }
  }
  void add_to_other(const Counts& counts) {
    Counts& sum = other[QueueName("other")];
    for (const State state : kAllStates) sum[state] += counts[state];
    sum.paused = sum.paused || counts.paused;
  }

  Store& store;
  /// In reverse; those with series of their own are the last `named`.
  std::vector<QueueName> left;
  std::size_t named = 0;
  /// Empty, or the one sum.
  std::map<QueueName, Counts> other;
  Promise<Result<std::string>> promise;
  std::string out;
  std::vector<std::pair<Labels, double>> jobs, paused;
};

}  // namespace

Async<std::string> Client::metrics() {
  Promise<Result<std::string>> promise;
  auto future = promise.future();
  std::string text = impl_->registry.render();
  prometheus::append_gauge(text, "gaur_waits", "Requests that wait for a result.",
                           {{{}, static_cast<double>(impl_->waits->size())}});
  impl_->store.queues().then([promise, &store = impl_->store, configured = impl_->options.configured_queues,
                              text = std::move(text)](const Result<std::vector<QueueName>>& queues) {
    if (!queues) return promise.set(text);  // the store does not answer: without its gauges
    std::make_shared<QueueGauges>(store, configured, *queues, promise, text)->next();
  });
  return future;
}

}  // namespace gaur
