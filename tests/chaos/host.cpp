#include "chaos/host.hpp"

#include <poll.h>

#include <cstdlib>
#include <thread>

namespace gaur::test {

namespace {
LedgerOptions ledger_of(const ChaosHostOptions& options) {
  LedgerOptions made;
  made.slots = options.concurrency;
  made.takes_in_flight = 2;
  made.capacity = {static_cast<double>(options.concurrency), std::uint64_t{options.concurrency} << 30U};
  made.queues = {{.name = QueueName(options.queue), .order = QueueOrder::kFifo, .take_unknown = true}};
  return made;
}
}  // namespace

ChaosHost::ChaosHost(ChaosHostOptions options) : options_(std::move(options)) {
  options_.redis.endpoint.port = options_.port;
  options_.redis.client_name = options_.name;
  client_ = redis::connect(options_.redis, {clock_, random_, answers_});
  store_ = bull::make_bull_store(*client_, {clock_, random_, answers_}, options_.bull);
  ledger_ = std::make_unique<Ledger>(ledger_of(options_));
  const Env env{clock_, random_, loop_};
  handler_ = std::make_unique<InProcess>(
      env,
      InProcessOptions{.threads = options_.concurrency, .functions = {{FunctionName("work"), handler()}}});
  WorkerOptions worker = options_.worker;
  worker.name = options_.name;
  worker.queues = {QueueName(options_.queue)};
  worker.semantics = Semantics::bull();
  worker.events.on_end = [this](const RunReport& report) {
    std::lock_guard lock(mutex_);
    if (report.outcome == "completed") {
      ++completed_[report.id.value];
      ++completions_;
    } else if (report.outcome == "failed") {
      ++failed_[report.id.value];
      notes_ += "job " + report.id.value + " failed: " + report.code + " " + report.message + "\n";
    }
  };
  worker.events.on_log = [this](WorkerEvents::Level, const std::string& line) {
    std::lock_guard lock(mutex_);
    notes_ += line + "\n";
  };
  worker_ = std::make_unique<Worker>(env, *store_, *ledger_, *handler_, std::move(worker));
}

ChaosHost::~ChaosHost() {
  (void)worker_->stop(Duration{0}).get();
  handler_.reset();
  worker_.reset();
  store_.reset();
  client_.reset();
}

Handler ChaosHost::handler() {
  return simple_handler([this](HandlerContext& run) -> Result<std::string> {
    {
      std::lock_guard lock(mutex_);
      ++runs_[run.job().id.value];
    }
    if (options_.on_run) options_.on_run(run.job());
    let_pass(options_.work);
    return "{\"by\":\"" + options_.name + "\"}";
  });
}

std::vector<std::string> Producer::add(std::size_t count, Duration delay, Duration patience) {
  AddRequest request;
  request.queue = queue_;
  request.op = {session_, ++number_};
  NewJob job = job_;
  job.options.delay = delay;
  request.jobs.assign(count, job);
  const Instant end = clock_.now() + patience;
  while (true) {
    auto answer = store_.add(request).get();
    if (answer) {
      std::vector<std::string> ids;
      for (const auto& added : *answer) ids.push_back(added.id.value);
      return ids;
    }
    const bool unknown = answer.error().code == Errc::kDisconnected || answer.error().code == Errc::kTimeout;
    if (!unknown || clock_.now() > end) {
      std::fprintf(stderr, "add: %s\n", answer.error().message.c_str());
      return {};
    }
    ++repeats_;
    let_pass(Duration{5});
  }
}

bool wait_until(const std::function<bool()>& condition, Duration patience) {
  const SystemClock clock;
  const Instant end = clock.now() + patience;
  while (!condition()) {
    if (clock.now() > end) return false;
    let_pass(Duration{3});
  }
  return true;
}

void let_pass(Duration time) {
  ::poll(nullptr, 0, static_cast<int>(time.count()));
}

bool long_forms() {
  const char* wanted = std::getenv("GAUR_LONG");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

}  // namespace gaur::test
