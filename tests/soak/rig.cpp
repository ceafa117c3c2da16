#include "soak/rig.hpp"

#include <fmt/format.h>

#include <csignal>

namespace gaur::test {

namespace {

constexpr std::uint32_t kSlots = 64, kRunners = 4;
const char* const kRunnerFunctions[] = {"echo", "sleep", "crash"};

bool runs_in_runner(const std::string& function) {
  return std::ranges::find(kRunnerFunctions, function) != std::end(kRunnerFunctions);
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "soak: {}\n", result.error().message);
    std::exit(1);
  }
  return *std::move(result);
}

RunEnd work(HandlerContext& run) {
  if (run.function().value == "flaky" && run.job().attempts_made == 0)
    return run::Failed{{.code = "error", .message = "the first attempt fails"}};
  if (run.function().value == "chatty") {
    run.progress("50");
    run.log("half of it");
  }
  return run::Completed{R"({"count":1000})"};
}

}  // namespace

NewJob soak_job(std::uint64_t number) {
  NewJob job{.name = "work",
             .data = fmt::format(R"({{"func":"top_keywords","region":"서울","ms":3,"user":{}}})", number),
             .options = {}};
  if (number % 5'000 == 4'999) {
    job.name = "crash";
  } else if (number % 100 == 0) {
    job.name = number % 200 == 0 ? "echo" : "sleep";
  } else if (number % 100 == 1) {
    job.name = "flaky";
    job.options.attempts = 2;
  } else if (number % 100 == 2) {
    job.name = "chatty";
  } else if (number % 100 == 3) {
    job.options.delay = Duration{20};
  } else if (number % 100 == 4) {
    job.options.priority = 1 + static_cast<std::uint32_t>(number / 100 % 5);
  }
  return job;
}

void ByFunction::start(RunRequest request, RunObserver& observer) {
  RunHandler& handler = runs_in_runner(request.taken.job.name) ? static_cast<RunHandler&>(runners_) : here_;
  handler.start(std::move(request), observer);
}

void ByFunction::stop(const LockToken& run, StopReason reason, std::string who, std::string why) {
  here_.stop(run, reason, who, why);  // each ignores the runs of the other
  runners_.stop(run, reason, std::move(who), std::move(why));
}

Rig::Rig(const RigOptions& options, Outcomes& outcomes) : outcomes_(outcomes) {
  open_store(options);
  make_handlers(options);
  make_worker(options);
  loop_.post([this] { runners_->open(); });
  worker_->start();
}

Rig::~Rig() {
  (void)worker_->stop(Duration{0}).get();
  runners_->close().get();
  here_.reset();
  runners_.reset();
  worker_.reset();
  store_.reset();
  client_.reset();
}

void Rig::open_store(const RigOptions& options) {
  if (options.redis_port == 0) {
    store_ = must(open_embedded({.folder = options.folder / "data"}, clock_, answers_));
    return;
  }
  redis::ClientOptions redis;
  redis.endpoint.port = options.redis_port;
  redis.client_name = "soak";
  client_ = redis::connect(redis, {clock_, random_, answers_});
  store_ = bull::make_bull_store(*client_, {clock_, random_, answers_}, {});
}

void Rig::make_handlers(const RigOptions& options) {
  LedgerOptions ledger;
  ledger.slots = kSlots;
  ledger.takes_in_flight = options.redis_port == 0 ? 1 : 2;
  ledger.capacity = {kSlots, std::uint64_t{kSlots} << 30U};
  ledger.queues = {{.name = kSoakQueue, .take_unknown = true}};
  PoolsOptions pools;
  pools.pools["p"].command = {options.runner_program};
  pools.pools["p"].max_runners = kRunners;
  pools.pools["p"].max_jobs = 2'000;
  pools.run_folder = options.folder / "run";
  for (const char* name : kRunnerFunctions) pools.functions[FunctionName(name)] = "p";
  ledger_ = std::make_unique<Ledger>(ledger);
  runners_ = std::make_unique<Pools>(env_, std::move(pools));
  InProcessOptions here;
  for (const char* name : {"work", "flaky", "chatty"}) here.functions.emplace(FunctionName(name), work);
  here_ = std::make_unique<InProcess>(env_, std::move(here));
  handler_ = std::make_unique<ByFunction>(*here_, *runners_);
}

void Rig::make_worker(const RigOptions& options) {
  WorkerOptions worker;
  worker.name = "soak";
  worker.queues = {kSoakQueue};
  worker.hand_off = options.redis_port == 0;
  if (options.redis_port != 0) worker.semantics = Semantics::bull();
  worker.max_stalled = 5;  // so that only `crash` fails
  worker.default_policy.keep_completed.count = 1'000;
  worker.default_policy.keep_failed.count = 50;
  worker.events.on_end = [this](const RunReport& report) {
    const bool completed = report.outcome == "completed";
    if (!completed && report.outcome != "failed") return;
    outcomes_.ended(report.id.value, completed == (report.function.value != "crash"));
  };
  worker.events.on_log = [](WorkerEvents::Level level, const std::string& line) {
    if (level == WorkerEvents::Level::kError) fmt::print(stderr, "{}\n", line);
  };
  worker_ = std::make_unique<Worker>(env_, *store_, *ledger_, *handler_, std::move(worker));
}

bool Rig::kill_runner() {
  Promise<bool> killed;
  loop_.post([this, killed] {
    for (const auto& runner : runners_->runners("p")) {
      if (runner.state != "running" || runner.pid <= 0) continue;
      killed.set(::kill(static_cast<pid_t>(runner.pid), SIGKILL) == 0);
      return;
    }
    killed.set(false);
  });
  return killed.future().get();
}

}  // namespace gaur::test
