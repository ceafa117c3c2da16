#include "runner/runner_check.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <variant>

#include "base/json_text.hpp"
#include "base/system_env.hpp"
#include "base/utf8.hpp"
#include "runner/spawn.hpp"
#include "runner/system_process_host.hpp"

extern char** environ;

namespace gaur {

namespace {

/// A queue of events that the checking thread waits for. Thread-safety: internally locked.
class EventQueue : public ProcessEvents {
 public:
  struct Broken {
    std::string what;
  };
  struct Event {
    RunnerId id = 0;
    std::variant<RunnerFrame, Broken, RunnerExit> what;
  };

  void on_started(RunnerId, std::int64_t) override {}
  void on_memory(RunnerId, std::uint64_t) override {}
  void on_unclean(RunnerId, std::string) override {}
  void on_scratch(const ScratchSizes&, Instant) override {}
  void on_frame(RunnerId id, RunnerFrame frame, RunFigures) override { push({id, std::move(frame)}); }
  void on_broken_frame(RunnerId id, std::string what) override { push({id, Broken{std::move(what)}}); }
  void on_exit(RunnerId id, RunnerExit exit) override { push({id, std::move(exit)}); }

  /// The next event of this runner; those of earlier runners are dropped.
  std::optional<Event> next(RunnerId id, Duration at_most) {
    std::unique_lock lock(mutex_);
    while (arrived_.wait_for(lock, at_most, [this] { return !events_.empty(); })) {
      Event event = std::move(events_.front());
      events_.pop_front();
      if (event.id == id) return event;
    }
    return std::nullopt;
  }

 private:
  void push(Event event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    arrived_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Event> events_;
};

std::string describe(const RunnerExit& exit) {
  if (!exit.problem.empty()) return exit.problem;
  return exit.signal != 0 ? fmt::format("it died of signal {}", exit.signal)
                          : fmt::format("it exited with code {}", exit.exit_code);
}

/// How one run ended: with an outcome, an exit, a broken frame, or a timeout.
struct Answer {
  std::optional<RunnerFrame> outcome;
  std::optional<RunnerExit> exit;
  /// "" with an outcome.
  std::string problem;
  int progress = 0;
};

class Checker {
 public:
  Checker(const RunnerCheckOptions& options, const std::function<void(const RunnerCheckCase&)>& on_case)
      : options_(options), reported_(on_case), processes_(loop_, {.keeper_program = options.keeper_program}) {
    processes_.listen(events_);
    processes_.empty_folder(options_.scratch);
  }

  std::vector<RunnerCheckCase> run() {
    if (!check("ready", start())) return std::move(cases_);
    if (!options_.function.empty()) return run_own_function();
    check("echo", echo(R"({"text":"grüße, 안녕","number":1.5,"list":[1,null,true,{}]})"));
    check("the next job on the same runner", echo("[]"));
    check("a job of 1 MB", echo("\"" + std::string((1 << 20) - 2, 'x') + "\""));
    check("NUL in a string", echo(R"({"text":"a\u0000b"})"));
    check("line breaks between tokens of the data", echo("{\"a\":\n1}"));
    check("unknown frames and members", unknown_frames());
    check("progress", progress());
    check("cancel", cancel());
    return run_last_cases();
  }

 private:
  /// The cases that need one function that completes.
  std::vector<RunnerCheckCase> run_own_function() {
    if (!check(options_.function, own())) return std::move(cases_);
    check("the next job on the same runner", own());
    check("unknown frames and members", unknown_frames());
    check("cancel", own_cancel());
    return run_last_cases();
  }

  /// The cases that work with any function.
  std::vector<RunnerCheckCase> run_last_cases() {
    check("a cancel that comes too late", late_cancel());
    check("a broken frame", broken_frame());
    check("death in the middle", death());
    check("stop", stop([this] { processes_.send(id_, stop_frame()); }));
    check("end of file", stop([this] { processes_.close_input(id_); }));
    return std::move(cases_);
  }

  /// Records a case: it passed if `problem` is ""; note_ then has its note.
  bool check(const std::string& name, const std::string& problem) {
    RunnerCheckCase result{name, problem.empty(), problem.empty() ? note_ : problem};
    note_.clear();
    if (reported_) reported_(result);
    cases_.push_back(std::move(result));
    // After a failure the runner's state is unknown; the next case starts a new one.
    if (!problem.empty()) alive_ = false;
    return problem.empty();
  }

  std::string start() {
    SpawnSpec spec;
    spec.id = ++id_;
    spec.pool = "check";
    spec.command = options_.command;
    spec.env = passed_environment({"PATH", "HOME", "LANG", "LC_*", "TZ", "LD_LIBRARY_PATH"}, environ);
    spec.scratch = options_.scratch / std::to_string(id_);
    spec.working_folder = options_.working_folder;
    for (const auto& [name, value] :
         {std::pair{"GAUR_PROTOCOL", std::string("1")}, std::pair{"GAUR_POOL", std::string("check")},
          std::pair{"GAUR_THREADS", std::string("1")}, std::pair{"GAUR_MEMORY", std::string("0")},
          std::pair{"GAUR_TMP", (spec.scratch / "tmp").string()},
          std::pair{"GAUR_OUT", (spec.scratch / "out").string()}}) {
      spec.env[name] = value;
    }
    processes_.start(std::move(spec));
    alive_ = true;
    const auto event = events_->next(id_, options_.start_timeout);
    if (!event) return fmt::format("no `ready` within {} ms", options_.start_timeout.count());
    if (const auto* exit = std::get_if<RunnerExit>(&event->what)) return "before `ready` " + describe(*exit);
    if (const auto* broken = std::get_if<EventQueue::Broken>(&event->what))
      return "the first line: " + broken->what;
    const auto* ready = std::get_if<frame::Ready>(&std::get<RunnerFrame>(event->what));
    if (ready == nullptr) return "its first frame is not `ready`";
    if (ready->protocol < kRunnerProtocol)
      return fmt::format("it speaks protocol {}, {} is needed", ready->protocol, kRunnerProtocol);
    return "";
  }

  std::string ensure_alive() { return alive_ ? "" : start(); }

  LockToken send_run(const std::string& function, const std::string& data) {
    RunRequest request;
    request.taken.token = LockToken(fmt::format("check:{}:0", ++runs_));
    request.taken.function = FunctionName(function);
    request.taken.job.queue = QueueName("check");
    request.taken.job.id = JobId(std::to_string(runs_));
    request.taken.job.name = function;
    request.taken.job.data = data;
    request.taken.job.attempts_started = 1;
    std::string frame = run_frame(request).value();  // never fails: the data is JSON
    if (decorated_) frame.insert(1, R"("from_the_future":{"a":[1]},)");
    processes_.run(id_, std::move(frame), 0);
    return request.taken.token;
  }

  Answer answer(const LockToken& run, Duration at_most) {
    Answer answer;
    const Instant until = clock_.now() + at_most;
    while (true) {
      // In total, not for each event: a runner may send progress for ever.
      const auto left = std::max(Duration(0), std::chrono::ceil<Duration>(until - clock_.now()));
      const auto event = events_->next(id_, left);
      if (!event) {
        answer.problem = fmt::format("no answer within {} ms", at_most.count());
        return answer;
      }
      if (const auto* exit = std::get_if<RunnerExit>(&event->what)) {
        alive_ = false;
        answer.exit = *exit;
        answer.problem = describe(*exit);
        return answer;
      }
      if (const auto* broken = std::get_if<EventQueue::Broken>(&event->what)) {
        answer.problem = "it sent a broken frame: " + broken->what;
        return answer;
      }
      const auto& frame = std::get<RunnerFrame>(event->what);
      const std::string* named = run_of(frame);
      if (named == nullptr) continue;
      if (*named != run.value) {
        answer.problem = fmt::format("a frame names run {} instead of {}", *named, run.value);
        return answer;
      }
      if (std::holds_alternative<frame::Progress>(frame)) ++answer.progress;
      if (std::holds_alternative<frame::Progress>(frame) || std::holds_alternative<frame::Log>(frame))
        continue;
      answer.outcome = frame;
      return answer;
    }
  }

  std::string echo(const std::string& data) {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const Answer got = answer(send_run("echo", data), options_.patience);
    if (!got.outcome) return got.problem;
    if (const auto* failed = std::get_if<frame::Failed>(&*got.outcome))
      return "it failed: " + failed->failure.message;
    const auto* done = std::get_if<frame::Completed>(&*got.outcome);
    if (done == nullptr) return "not `completed`";
    const auto sent = json::parse(data);
    const auto back = json::parse(done->result);
    if (!sent || !back || *sent != *back) {
      return fmt::format("`result` is not the data: {}", utf8_prefix(done->result, 100));
    }
    return "";
  }

  /// Calls the function under test; its result is the note.
  std::string own() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const Answer got = answer(send_run(options_.function, options_.data), options_.patience);
    if (!got.outcome) return got.problem;
    if (const auto* failed = std::get_if<frame::Failed>(&*got.outcome))
      return fmt::format("it failed: {} ({})", failed->failure.message, failed->failure.code);
    const auto* done = std::get_if<frame::Completed>(&*got.outcome);
    if (done == nullptr) return "it snoozed the job";
    constexpr std::size_t kShown = 200;
    note_ = json::one_line(done->result);
    if (note_.size() > kShown) note_ = fmt::format("a result of {} bytes", note_.size());
    if (done->file) note_ = fmt::format("a file, {}", done->file->name);
    return "";
  }

  /// Runs any job that must complete.
  std::string any_job(const std::string& echoed) { return options_.function.empty() ? echo(echoed) : own(); }

  /// The user's function may end before the cancel arrives.
  std::string own_cancel() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const LockToken run = send_run(options_.function, options_.data);
    processes_.send(id_, cancel_frame(run, "cancel", "checked"));
    const Answer got = answer(run, Duration(2'000));
    if (got.outcome) return "";
    if (got.exit) return "on `cancel` " + got.problem;
    note_ = "no answer to `cancel` for 2 s: each cancel costs its process";
    alive_ = false;
    return "";
  }

  std::string unknown_frames() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    processes_.send(id_, "{\"type\":\"from_the_future\",\"run\":\"check:0:0\",\"more\":[1,2]}\n");
    decorated_ = true;
    std::string problem = any_job("1");
    decorated_ = false;
    return problem;
  }

  std::string progress() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const Answer got = answer(send_run("sleep", R"({"ms":300})"), options_.patience);
    if (!got.outcome) return got.problem;
    if (!std::holds_alternative<frame::Completed>(*got.outcome)) return "`sleep` is not `completed`";
    note_ = got.progress == 0 ? "none sent, which is allowed" : fmt::format("{} sent", got.progress);
    return "";
  }

  std::string cancel() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const LockToken run = send_run("sleep", R"({"ms":600000})");
    // It sleeps if only progress arrived for a while.
    if (const Answer early = answer(run, Duration(200)); early.outcome || early.exit)
      return "it did not sleep";
    processes_.send(id_, cancel_frame(run, "cancel", "checked"));
    Answer got = answer(run, Duration(2'000));
    if (got.outcome) return "";
    if (got.exit) return "on `cancel` " + got.problem;
    processes_.terminate(id_);
    got = answer(run, Duration(150));
    if (!got.outcome && !got.exit)
      return "it ignored `cancel` for 2 s and SIGTERM for 0.15 s: Gaur would kill it";
    note_ = "it ignored `cancel` and ended on SIGTERM: each cancel costs its process";
    alive_ = false;
    return "";
  }

  std::string late_cancel() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    processes_.send(id_, cancel_frame(LockToken("check:0:0"), "timeout", "it has ended"));
    return any_job("2");
  }

  std::string broken_frame() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    processes_.send(id_, "this is not JSON\n");
    const bool own = !options_.function.empty();
    const Answer got =
        answer(send_run(own ? options_.function : "echo", own ? options_.data : "3"), options_.patience);
    if (got.exit) {
      note_ = "it exited, which is allowed";
      return "";
    }
    if (!got.outcome) return got.problem;
    note_ = "ignored";
    return "";
  }

  std::string death() {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    const bool own = !options_.function.empty();
    const LockToken run =
        send_run(own ? options_.function : "sleep", own ? options_.data : R"({"ms":600000})");
    processes_.kill(id_);
    Answer got = answer(run, options_.patience);
    if (own && got.outcome) got = answer(run, options_.patience);  // it completed before the kill
    if (!got.exit) return "it could not be killed";
    if (auto problem = start(); !problem.empty()) return "after it: " + problem;
    return any_job("4");
  }

  std::string stop(const std::function<void()>& ask) {
    if (auto problem = ensure_alive(); !problem.empty()) return problem;
    ask();
    const Answer got = answer(LockToken("none"), Duration(2'000));
    if (!got.exit) return "it still runs after 2 s: Gaur would kill it";
    if (got.exit->signal != 0 || got.exit->exit_code != 0)
      return describe(*got.exit) + "; it must exit with code 0";
    return "";
  }

  const RunnerCheckOptions& options_;
  const std::function<void(const RunnerCheckCase&)>& reported_;
  SystemClock clock_;
  ThreadLoop loop_{"check"};
  std::shared_ptr<EventQueue> events_ =
      std::make_shared<EventQueue>();  // the process host has a weak pointer
  SystemProcessHost processes_;
  std::vector<RunnerCheckCase> cases_;
  std::string note_;
  RunnerId id_ = 0;
  int runs_ = 0;
  bool alive_ = false, decorated_ = false;
};

}  // namespace

std::vector<RunnerCheckCase> check_runner(const RunnerCheckOptions& options,
                                          const std::function<void(const RunnerCheckCase&)>& on_case) {
  std::vector<RunnerCheckCase> cases = Checker(options, on_case).run();
  std::error_code ignored;
  std::filesystem::remove_all(options.scratch, ignored);
  return cases;
}

}  // namespace gaur
