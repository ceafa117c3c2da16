#include "interop/driver/work.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "worker/in_process.hpp"
#include "worker/worker.hpp"

namespace gaur::driver {

namespace {

/// false: stopped before the time was over.
bool stay(HandlerContext& run, Duration time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, run.stop(), time, [] { return false; });
  return !run.stop().stop_requested();
}

RunEnd handle(HandlerContext& run) {
  const auto data = json::parse_object(run.data());
  if (!data) return run::Failed{{.message = "data: " + data.error().message}, false};
  if (!stay(run, Duration(json::integer(*data, "ms").value_or(0)))) return run::Interrupted{"stopped"};
  if (const auto* progress = data->if_contains("progress")) run.progress(json::serialize(*progress));
  if (const auto* line = data->if_contains("log")) run.log(json::serialize(*line));
  if (data->contains("fail")) return run::Failed{{.message = json::text_or(*data, "fail", "failed")}, false};
  if (const auto* value = data->if_contains("value")) return run::Completed{json::serialize(*value)};
  return run::Completed{R"("gaur")"};
}

std::vector<std::string> texts(const Request& request, std::string_view key) {
  std::vector<std::string> out;
  const auto parsed = json::parse(request.raw(key).value_or(R"(["__default__"])"));
  if (!parsed || !parsed->is_array()) return out;
  for (const json::Value& each : parsed->get_array()) {
    if (each.is_string()) out.emplace_back(std::string_view(each.get_string()));
  }
  return out;
}

}  // namespace

struct Work::Impl {
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"driver-work"};
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<InProcess> handlers;
  std::unique_ptr<Worker> worker;
};

Work::Work(Store& store, std::string name, const Request& request) : impl_(std::make_unique<Impl>()) {
  const auto concurrency = static_cast<std::uint32_t>(request.whole("concurrency", 1));
  LedgerOptions ledger;
  ledger.capacity = {static_cast<double>(concurrency), std::uint64_t{concurrency} << 30U};
  ledger.slots = concurrency;
  ledger.queues = {{.name = request.queue(), .order = QueueOrder::kFifo, .take_unknown = true}};
  InProcessOptions handlers;
  handlers.threads = concurrency;
  WorkerOptions options;
  options.name = std::move(name);
  options.queues = {request.queue()};
  options.semantics = Semantics::bull();
  options.lock = request.span("lock", 30'000);
  options.max_stalled = static_cast<std::uint32_t>(request.whole("max_stalled", 1));
  for (const std::string& function : texts(request, "functions")) {
    ledger.functions[FunctionName(function)] = {};
    handlers.functions[FunctionName(function)] = handle;
  }
  const Env env{impl_->clock, impl_->random, impl_->loop};
  impl_->ledger = std::make_unique<Ledger>(ledger);
  impl_->handlers = std::make_unique<InProcess>(env, std::move(handlers));
  impl_->worker = std::make_unique<Worker>(env, store, *impl_->ledger, *impl_->handlers, std::move(options));
  impl_->worker->start();
}

Work::~Work() {
  static_cast<void>(impl_->worker->stop(Duration{0}).get());
  impl_->handlers.reset();
  impl_->worker.reset();
}

}  // namespace gaur::driver
