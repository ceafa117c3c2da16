// A host as a process of its own, to be killed and stopped:
//   chaos_driver --port N --name NAME --concurrency N --work MS [--lock MS] [--span MS] [--runners TESTBED
//   FOLDER]
// Jobs named `work` run here, in process; jobs named `sleep` in runners. Each start is written down in the
// list chaos:runs of the same server before the run begins. Says "ready"; on the line "kill-runner" it kills
// one runner that has a job and says "killed" or "none"; at end-of-file it stops and says its counters.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstring>
#include <iostream>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "chaos/host.hpp"
#include "redis/connect.hpp"
#include "runner/keeper.hpp"
#include "runner/pools.hpp"
#include "worker/in_process.hpp"
#include "worker/worker.hpp"

namespace gaur::test {
namespace {

struct Settings {
  std::uint16_t port = 0;
  std::string name;
  std::uint32_t concurrency = 10;
  std::int64_t work_ms = 2, lock_ms = 30'000, span_ms = 5'000;
  std::vector<std::string> runners;  // program, folder
};

class Driver {
 public:
  explicit Driver(Settings settings) : settings_(std::move(settings)) {
    redis::ClientOptions options;
    options.endpoint.port = settings_.port;
    options.client_name = settings_.name;
    client_ = redis::connect(options, {clock_, random_, answers_});
    store_ = bull::make_bull_store(*client_, {clock_, random_, answers_},
                                   {.sighting_span = Duration{settings_.span_ms}});
    LedgerOptions ledger;
    ledger.slots = settings_.concurrency;
    ledger.capacity = {static_cast<double>(settings_.concurrency),
                       std::uint64_t{settings_.concurrency} << 30U};
    ledger.queues = {{.name = QueueName("query"), .order = QueueOrder::kFifo, .take_unknown = true}};
    ledger_ = std::make_unique<Ledger>(ledger);
    if (settings_.runners.empty()) {
      in_process_ = std::make_unique<InProcess>(
          env_,
          InProcessOptions{.threads = settings_.concurrency, .functions = {{FunctionName("work"), work()}}});
    } else {
      make_pools();
    }
    make_worker();
  }

  void run() {
    if (pools_) loop_.post([this] { pools_->open(); });
    worker_->start();
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      if (line == "kill-runner") std::cout << (kill_runner() ? "killed" : "none") << std::endl;
    }
    (void)worker_->stop(Duration{10'000}).get();
    const WorkerCounters counters = worker_->status().get().counters;
    std::cout << fmt::format("completed {} stale {} lost {} stalled {} failed {}", counters.completed,
                             counters.stale_finishes, counters.locks_lost, counters.stalled, counters.failed)
              << std::endl;
    if (pools_) pools_->close().get();
    pools_.reset();
    in_process_.reset();
    worker_.reset();
    store_.reset();
    client_.reset();
  }

 private:
  Handler work() {
    return simple_handler([this](HandlerContext& run) -> Result<std::string> {
      (void)client_->call({"RPUSH", "chaos:runs", run.job().id.value}).get();
      let_pass(Duration{settings_.work_ms});
      return "{\"by\":\"" + settings_.name + "\"}";
    });
  }
  void make_pools() {
    PoolsOptions options;
    options.pools["p"].command = {settings_.runners.at(0)};
    options.functions[FunctionName("sleep")] = "p";
    options.run_folder = settings_.runners.at(1);
    pools_ = std::make_unique<Pools>(env_, std::move(options));
  }
  void make_worker() {
    WorkerOptions options;
    options.name = settings_.name;
    options.queues = {QueueName("query")};
    options.semantics = Semantics::bull();
    options.lock = Duration{settings_.lock_ms};
    options.events.on_log = [](WorkerEvents::Level level, const std::string& line) {
      if (level == WorkerEvents::Level::kError) std::cerr << line << std::endl;
    };
    if (pools_) {
      options.events.on_start = [this](const RunningJob& job) {
        client_->call({"RPUSH", "chaos:runs", job.id.value}).then([](const Result<redis::Reply>&) {});
      };
    }
    RunHandler& handler = pools_ ? static_cast<RunHandler&>(*pools_) : *in_process_;
    worker_ = std::make_unique<Worker>(env_, *store_, *ledger_, handler, std::move(options));
  }
  bool kill_runner() {
    Promise<bool> killed;
    loop_.post([this, killed] {
      for (const auto& runner : pools_->runners("p")) {
        if (runner.state != "running" || runner.pid <= 0) continue;
        killed.set(::kill(static_cast<pid_t>(runner.pid), SIGKILL) == 0);
        return;
      }
      killed.set(false);
    });
    return killed.future().get();
  }

  const Settings settings_;
  SystemClock clock_;
  SystemRandom random_;
  ThreadLoop answers_{"chaos-answers"}, loop_{"chaos-loop"};
  Env env_{clock_, random_, loop_};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<InProcess> in_process_;
  std::unique_ptr<Pools> pools_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace
}  // namespace gaur::test

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "keeper") == 0) return gaur::keeper_main(argc, argv);
  gaur::test::Settings settings;
  CLI::App app("A host to be killed");
  app.add_option("--port", settings.port)->required();
  app.add_option("--name", settings.name)->required();
  app.add_option("--concurrency", settings.concurrency);
  app.add_option("--work", settings.work_ms);
  app.add_option("--lock", settings.lock_ms);
  app.add_option("--span", settings.span_ms);
  app.add_option("--runners", settings.runners)->expected(2);
  CLI11_PARSE(app, argc, argv);
  gaur::test::Driver(std::move(settings)).run();
  return 0;
}
