#include "interop/driver/verbs.hpp"

#include <fmt/format.h>

#include <iterator>
#include <mutex>
#include <unordered_map>

#include "core/semantics.hpp"
#include "http/add_body.hpp"
#include "http/render.hpp"
#include "http/values.hpp"
#include "worker/outcomes.hpp"

namespace gaur::driver {

namespace {

std::string render(const Unit&) {
  return "true";
}
std::string render(const std::uint64_t& number) {
  return std::to_string(number);
}
std::string render(const std::string& text) {
  return json::quote(text);
}
std::string render(const State& state) {
  return json::quote(to_string(state));
}
std::string render(const CancelReply& reply) {
  return json::quote(to_string(reply));
}
std::string render(const JobId& id) {
  return json::quote(id.value);
}
std::string render(const QueueName& queue) {
  return json::quote(queue.value);
}
std::string render(const Position& position) {
  return std::to_string(position.before);
}
std::string render(const Job& job) {
  std::string text;
  http::append_job(text, job, {});
  text.pop_back();
  return text + fmt::format(",\"delay_ms\":{}}}", job.delay.count());
}
std::string render(const Added& added) {
  std::string text;
  http::append_added(text, {}, added, "");
  return text;
}
std::string render(const Taken& taken) {
  return fmt::format("{{\"job\":{},\"token\":{},\"function\":{}}}", render(taken.job),
                     json::quote(taken.token.value), json::quote(taken.function.value));
}
std::string render(const UnlockedJob& lost) {
  return json::quote(lost.id.value);
}
std::string render(const Event& event) {
  return fmt::format("{{\"kind\":{},\"id\":{},\"detail\":{}}}", json::quote(to_string(event.kind)),
                     json::quote(event.id.value), json::quote(event.detail));
}

std::string render(const Schedule& schedule) {
  return fmt::format("{{\"id\":{},\"pattern\":{},\"every\":{},\"next\":{}}}", json::quote(schedule.id),
                     json::quote(schedule.pattern), schedule.every.count(),
                     schedule.next ? std::to_string(to_ms(*schedule.next)) : "null");
}

template <class T>
std::string render(const std::vector<T>& list) {
  std::string text = "[";
  for (const T& each : list) text += (text.size() > 1 ? "," : "") + render(each);
  return text + "]";
}

std::string render(const LogPage& page) {
  return fmt::format("{{\"lines\":{},\"total\":{}}}", render(page.lines), page.total);
}
std::string render(const EventPage& page) {
  return fmt::format("{{\"events\":{},\"cursor\":{},\"gap\":{}}}", render(page.events),
                     json::quote(page.cursor), page.gap);
}
std::string render(const Counts& counts) {
  std::string text;
  http::append_counts(text, {}, counts);
  return text;
}
std::string render(const QueueHint& next) {
  return fmt::format("{{\"due\":{},\"more\":{},\"paused\":{}}}",
                     next.due ? std::to_string(to_ms(*next.due)) : "null", next.more, next.paused);
}
std::string render(const Recovered& recovered) {
  return fmt::format("{{\"back\":{},\"failed\":{},\"left\":{}}}", render(recovered.requeued),
                     render(recovered.failed), render(recovered.unlocked));
}
std::string render(const TakeReply& reply) {
  return fmt::format("{{\"taken\":{},\"next\":{},\"limited_for\":{}}}", render(reply.taken),
                     render(reply.next),
                     reply.next.limited_for ? std::to_string(reply.next.limited_for->count()) : "null");
}

}  // namespace

struct Verbs::Impl {
  Impl(Parts parts_given, Answers& answers_given) : parts(std::move(parts_given)), answers(answers_given) {
    worker.semantics = Semantics::bull();
    add_worker_verbs();
    add_job_verbs();
    add_queue_verbs();
  }

  using Verb = std::function<void(const Request&)>;

  template <class T>
  void answer(const Request& request, Async<T> future) {
    std::move(future).then([this, number = request.number()](Result<T> result) {
      if (result) {
        answers.value(number, render(*result));
      } else {
        answers.error(number, result.error());
      }
    });
  }

  void add_worker_verbs();
  void add_job_verbs();
  void add_queue_verbs();
  void add(const Request& request);
  void turn(const Request& request);
  void end(const Request& request);
  void extend(const Request& request);
  void recover(const Request& request);
  void schedule(const Request& request);
  void send(const Request& request, TakeRequest turn);
  TakeRequest new_turn(const Request& request);

  Parts parts;
  Answers& answers;
  WorkerOptions worker;
  std::map<std::string, Verb, std::less<>> verbs;

  std::mutex mutex;  // answers come on another thread
  std::uint64_t operations = 0;
  /// As taken: what a failed attempt means depends on it.
  std::unordered_map<LockToken, Job> held;
};

TakeRequest Verbs::Impl::new_turn(const Request& request) {
  TakeRequest turn;
  turn.queue = request.queue();
  turn.worker = parts.name;
  turn.lock = request.span("lock", 30'000);
  std::lock_guard lock(mutex);
  // Each request has its own session: tests have several in flight.
  turn.op = {SessionName(fmt::format("{}-{}/{}", parts.name, ++operations, turn.queue.value)), 1};
  return turn;
}

void Verbs::Impl::send(const Request& request, TakeRequest turn) {
  parts.store.finish_and_take(std::move(turn))
      .then([this, number = request.number()](Result<TakeReply> reply) {
        if (!reply) return answers.error(number, reply.error());
        for (const Result<FinishResult>& moved : reply->finished)
          if (!moved) return answers.error(number, moved.error());
        {
          std::lock_guard lock(mutex);
          for (const Taken& taken : reply->taken) held.insert_or_assign(taken.token, taken.job);
        }
        answers.value(number, render(*reply));
      });
}

void Verbs::Impl::add(const Request& request) {
  http::AddBody body = http::parse_add_body(request.raw("jobs").value_or("[]"), 10'000);
  if (!body.problems.empty()) {
    return answers.error(request.number(), {Errc::kInvalidArgument, body.problems.front()});
  }
  AddRequest add;
  add.queue = request.queue();
  add.jobs = std::move(body.jobs);
  add.max_waiting = static_cast<std::uint64_t>(request.whole("max_waiting"));
  answer(request, parts.store.add(std::move(add)));
}

void Verbs::Impl::turn(const Request& request) {
  TakeRequest turn = new_turn(request);
  turn.take = static_cast<std::uint32_t>(request.whole("take", 1));
  if (const auto limit = request.raw("limit")) {
    if (const auto object = json::parse_object(*limit)) {
      turn.limit = RateLimit{static_cast<std::uint32_t>(json::integer(*object, "max").value_or(0)),
                             Duration(json::integer(*object, "per").value_or(0))};
    }
  }
  send(request, std::move(turn));
}

/// The end of a run as the worker would carry it out: attempts, backoff and retention are its decision.
void Verbs::Impl::end(const Request& request) {
  const LockToken token(request.text("token"));
  Job job;
  {
    std::lock_guard lock(mutex);
    if (const auto found = held.find(token); found != held.end()) job = found->second;
  }
  RunEnd how = run::Completed{std::string(request.raw("completed").value_or("null"))};
  if (const auto failed = request.raw("failed")) {
    Failure failure;
    if (const auto object = json::parse_object(*failed)) {
      failure.message = json::text_or(*object, "message", "");
      failure.stack = json::text_or(*object, "stack", "");
    }
    how = run::Failed{std::move(failure), request.flag("final")};
  }
  if (request.has("interrupted")) how = run::Interrupted{request.text("interrupted")};
  worker::Decision decision =
      worker::decide(std::move(how), job, worker.default_policy, worker, parts.random);
  TakeRequest turn = new_turn(request);
  turn.finished.push_back(
      {JobId(request.text("id")), token, std::move(decision.outcome), decision.keep, std::nullopt});
  turn.take = static_cast<std::uint32_t>(request.whole("take"));
  send(request, std::move(turn));
}

void Verbs::Impl::extend(const Request& request) {
  ExtendRequest extend;
  extend.queue = request.queue();
  extend.worker = parts.name;
  extend.lock = request.span("lock", 30'000);
  extend.held.push_back({JobId(request.text("id")), LockToken(request.text("token"))});
  parts.store.extend_locks(std::move(extend))
      .then([this, number = request.number()](Result<ExtendReply> reply) {
        if (!reply) return answers.error(number, reply.error());
        if (!reply->locks.front()) return answers.error(number, reply->locks.front().error());
        answers.value(number, "true");
      });
}

void Verbs::Impl::recover(const Request& request) {
  RecoverRequest recover;
  recover.queue = request.queue();
  recover.worker = parts.name;
  recover.max_stalled = static_cast<std::uint32_t>(request.whole("max_stalled", 1));
  recover.act = !request.flag("report");
  recover.grace = request.span("grace");
  if (request.has("orphans_before")) recover.orphans_before = from_ms(request.whole("orphans_before"));
  answer(request, parts.store.recover(std::move(recover)));
}

/// {"job": {...}, "schedule", "pattern" | "every", "time_zone", "end", "limit", "next": ms}
void Verbs::Impl::schedule(const Request& request) {
  Schedulers* schedulers = parts.store.schedulers();
  if (schedulers == nullptr) return answers.error(request.number(), {Errc::kUnsupported, "no schedulers"});
  http::AddBody body = http::parse_add_body(request.raw("job").value_or("{}"), 1);
  if (!body.problems.empty()) {
    return answers.error(request.number(), {Errc::kInvalidArgument, body.problems.front()});
  }
  Schedule schedule;
  schedule.id = request.text("schedule");
  schedule.pattern = request.text("pattern");
  schedule.every = request.span("every");
  schedule.time_zone = request.text("time_zone");
  if (request.has("end")) schedule.end = from_ms(request.whole("end"));
  if (request.has("limit")) schedule.limit = static_cast<std::uint64_t>(request.whole("limit"));
  schedule.job = std::move(body.jobs.front());
  answer(request, schedulers->upsert(request.queue(), std::move(schedule), from_ms(request.whole("next"))));
}

void Verbs::Impl::add_worker_verbs() {
  Store& store = parts.store;
  verbs["add"] = [this](const Request& r) { add(r); };
  verbs["turn"] = [this](const Request& r) { turn(r); };
  verbs["end"] = [this](const Request& r) { end(r); };
  verbs["extend"] = [this](const Request& r) { extend(r); };
  verbs["recover"] = [this](const Request& r) { recover(r); };
  verbs["wake"] = [this, &store](const Request& r) { answer(r, store.wake_delayed(r.queue())); };
  verbs["wait"] = [this, &store](const Request& r) {
    store.wait_for_work({parts.name, {r.queue()}, r.span("at_most", 5'000)})
        .then([this, number = r.number()](Result<WorkReply> reply) {
          if (!reply) return answers.error(number, reply.error());
          answers.value(number, render(reply->queues));
        });
  };
  verbs["reclaim"] = [this, &store](const Request& r) {
    answer(r, store.reclaim({r.queue(), SessionName(r.text("session"))}));
  };
}

void Verbs::Impl::add_job_verbs() {
  Store& store = parts.store;
  verbs["cancel"] = [this, &store](const Request& r) {
    answer(r, store.cancel(r.job(), r.text("who"), r.text("why")));
  };
  verbs["retry"] = [this, &store](const Request& r) {
    answer(r, store.retry(r.job(), r.flag("reset_attempts")));
  };
  verbs["promote"] = [this, &store](const Request& r) { answer(r, store.promote(r.job())); };
  verbs["remove"] = [this, &store](const Request& r) { answer(r, store.remove(r.job())); };
  verbs["update"] = [this, &store](const Request& r) {
    answer(r, store.update_data(r.job(), std::string(r.raw("data").value_or("null"))));
  };
  verbs["progress"] = [this, &store](const Request& r) {
    const auto token = r.has("token") ? std::optional(LockToken(r.text("token"))) : std::nullopt;
    answer(r, store.update_progress(r.job(), token, std::string(r.raw("progress").value_or("null"))));
  };
  verbs["log"] = [this, &store](const Request& r) {
    std::vector<std::string> lines;
    if (const auto parsed = json::parse(r.raw("lines").value_or("[]")); parsed && parsed->is_array()) {
      for (const json::Value& line : parsed->get_array()) {
        if (line.is_string()) lines.emplace_back(std::string_view(line.get_string()));
      }
    }
    answer(r, store.append_logs(r.job(), std::move(lines)));
  };
  verbs["change_delay"] = [this, &store](const Request& r) {
    answer(r, store.change_delay(r.job(), r.span("delay")));
  };
  verbs["change_priority"] = [this, &store](const Request& r) {
    answer(r,
           store.change_priority(r.job(), static_cast<std::uint32_t>(r.whole("priority")), r.flag("lifo")));
  };
  verbs["get"] = [this, &store](const Request& r) { answer(r, store.get(r.job())); };
  verbs["state"] = [this, &store](const Request& r) { answer(r, store.state(r.job())); };
  verbs["position"] = [this, &store](const Request& r) { answer(r, store.position(r.job())); };
  verbs["logs"] = [this, &store](const Request& r) {
    answer(r, store.logs(r.job(), static_cast<std::uint64_t>(r.whole("offset")),
                         static_cast<std::uint32_t>(r.whole("limit", 100))));
  };
  verbs["finished"] = [this](const Request& r) {
    answer(r, parts.client.wait_finished(r.job(), r.span("at_most", 5'000), r.text("since")));
  };
  verbs["cursor"] = [this](const Request& r) { answer(r, parts.client.cursor(r.queue())); };
}

void Verbs::Impl::add_queue_verbs() {
  Store& store = parts.store;
  verbs["queues"] = [this, &store](const Request& r) { answer(r, store.queues()); };
  verbs["counts"] = [this, &store](const Request& r) { answer(r, store.counts(r.queue())); };
  verbs["range"] = [this, &store](const Request& r) {
    RangeRequest range{r.queue(), parse_state(r.text("state")).value_or(State::kWaiting),
                       static_cast<std::uint64_t>(r.whole("offset")),
                       static_cast<std::uint32_t>(r.whole("limit", 100)), r.flag("newest_first")};
    answer(r, store.range(std::move(range)));
  };
  verbs["pause"] = [this, &store](const Request& r) { answer(r, store.pause(r.queue())); };
  verbs["resume"] = [this, &store](const Request& r) { answer(r, store.resume(r.queue())); };
  verbs["drain"] = [this, &store](const Request& r) {
    answer(r, store.drain(r.queue(), r.flag("delayed_too")));
  };
  verbs["clean"] = [this, &store](const Request& r) {
    const auto state = parse_state(r.text("state"));
    if (!state) return answers.error(r.number(), {Errc::kInvalidArgument, "no such state"});
    answer(r, store.clean(r.queue(), *state, r.span("grace"), static_cast<std::uint64_t>(r.whole("limit"))));
  };
  verbs["obliterate"] = [this, &store](const Request& r) {
    answer(r, store.obliterate(r.queue(), r.flag("force")));
  };
  verbs["remove_deduplication"] = [this, &store](const Request& r) {
    answer(r, store.remove_deduplication(r.queue(), r.text("id")));
  };
  verbs["events"] = [this, &store](const Request& r) {
    answer(r, store.events(r.queue(), r.text("cursor"), static_cast<std::uint32_t>(r.whole("limit", 100)),
                           r.span("at_most", 5'000)));
  };
  verbs["schedule"] = [this](const Request& r) { schedule(r); };
  verbs["schedules"] = [this, &store](const Request& r) {
    if (store.schedulers() == nullptr) {
      return answers.error(r.number(), {Errc::kUnsupported, "no schedulers"});
    }
    answer(r, store.schedulers()->schedules(r.queue(), 0, 100));
  };
  verbs["remove_schedule"] = [this, &store](const Request& r) {
    if (store.schedulers() == nullptr) {
      return answers.error(r.number(), {Errc::kUnsupported, "no schedulers"});
    }
    answer(r, store.schedulers()->remove_schedule(r.queue(), r.text("id")));
  };
}

Verbs::Verbs(Parts parts, Answers& answers) : impl_(std::make_unique<Impl>(std::move(parts), answers)) {}
Verbs::~Verbs() = default;

void Verbs::run(const Request& request) {
  const auto verb = impl_->verbs.find(request.verb());
  if (verb == impl_->verbs.end()) {
    return impl_->answers.error(request.number(),
                                {Errc::kInvalidArgument, "no such verb: " + request.verb()});
  }
  verb->second(request);
}

}  // namespace gaur::driver
