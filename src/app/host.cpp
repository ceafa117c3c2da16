#include "app/host.hpp"

#include <atomic>
#include "admission/ledger.hpp"
#include "api/client_factory.hpp"
#include "api/measured_store.hpp"
#include "app/host_status.hpp"
#include "app/part_options.hpp"
#include "app/result_cleaner.hpp"
#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "http/server.hpp"
#include "runner/pools.hpp"
#include "runner/result_folder.hpp"
#include "worker/worker.hpp"

namespace gaur::app {

namespace {
constexpr Duration kSweepResultsEvery{60'000};
}  // namespace

// The order of the members is the order of building; each may use those above it, and they go in reverse.
struct Host::Impl {
  explicit Impl(HostOptions given) : options(std::move(given)) {}

  HostOptions options;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  Time started{};
  std::atomic<bool> stopping = false;   ///< set by the main thread, read by the server's
  std::unique_ptr<ThreadLoop> answers;  ///< the store's completions, the client's timers, sweeping of results
  std::unique_ptr<EmbeddedStore> embedded;
  std::unique_ptr<Store> store;
  std::unique_ptr<ResultFolder> results;
  std::unique_ptr<ResultCleaner> cleaner;
  std::unique_ptr<Ledger> ledger;  ///< confined to `loop`, as are pools and worker
  std::unique_ptr<ThreadLoop> loop;
  std::unique_ptr<Pools> pools;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<Client> client;
  std::unique_ptr<HttpServer> http;

  Status open_store();
  Status build_worker();
  Result<std::uint16_t> open_http();
  void sweep_results();
  void close();
  HostView host_view();
  WhyWaiting why_waiting();
};

Status Host::Impl::open_store() {
  const Config& config = options.config;
  if (config.redis) return Error{Errc::kUnsupported, "hosts over a Redis store come with the next version"};
  EmbeddedOptions embedded_options;
  embedded_options.folder = config.data_folder;
  embedded_options.durability = config.relaxed ? Durability::kRelaxed : Durability::kCommit;
  embedded_options.reserve_bytes = config.reserve_bytes;
  embedded_options.log = options.log;
  embedded_options.on_fatal = options.on_fatal;
  answers = std::make_unique<ThreadLoop>("gaur-answers");
  GAUR_TRY(embedded, open_embedded(std::move(embedded_options), clock, *answers));
  store = make_measured_store(*embedded, metrics, clock);
  return ok();
}

Status Host::Impl::build_worker() {
  const Config& config = options.config;
  GAUR_TRY(PoolsOptions pool_options, pools_options(options.settings, config));
  ResultFolder::Options folder;
  folder.folder = config.results.folder;
  folder.keep = config.results.ttl;
  results = std::make_unique<ResultFolder>(clock, folder);
  ledger = std::make_unique<Ledger>(ledger_options(config));
  loop = std::make_unique<ThreadLoop>("gaur-loop");
  pool_options.results = results.get();
  pool_options.log = options.log;
  // A slot's share divides the box without a rest, so runners that merely stand by must not take from it: up
  // to half of the reserve is theirs, and only what they hold beyond it is room lost to jobs.
  pool_options.on_idle_memory = [this, spared = config.slots.reserve_bytes / 2](std::uint64_t bytes) {
    ledger->set_overhead(bytes > spared ? bytes - spared : 0);
  };
  pool_options.on_closed = [this](const FunctionName& function, bool closed, const std::string& why) {
    if (closed) ledger->close_function(function, why);
    if (!closed) ledger->open_function(function);
  };
  const Env env{clock, random, *loop};
  pools = std::make_unique<Pools>(env, std::move(pool_options));
  WorkerOptions made = worker_options(config);
  made.events.on_note = [log = options.log](WorkerEvents::Level level, const std::string& line) {
    if (level == WorkerEvents::Level::kInfo) log.info(line);
    if (level == WorkerEvents::Level::kWarning) log.warn(line);
    if (level == WorkerEvents::Level::kError) log.error(line);
  };
  worker = std::make_unique<Worker>(env, *store, *ledger, *pools, std::move(made));
  return ok();
}

Result<std::uint16_t> Host::Impl::open_http() {
  client = make_client(*store, Env{clock, random, *answers}, metrics, client_options(options.config));
  ServerParts parts{.client = *client,
                    .clock = clock,
                    .host = host_view(),
                    .why_waiting = why_waiting(),
                    .files = results.get()};
  http = std::make_unique<HttpServer>(server_options(options.config), std::move(parts));
  return http->start();
}

HostView Host::Impl::host_view() {
  return [this] {
    return collect_status({options.config, *loop, *worker, *ledger, *pools, clock, started, stopping.load()});
  };
}

WhyWaiting Host::Impl::why_waiting() {
  return [this](QueueName queue, FunctionName function) {
    return worker->why_waiting(std::move(queue), std::move(function));
  };
}

void Host::Impl::sweep_results() {
  const ResultFolder::Swept swept = results->sweep();
  if (swept.removed_files > 0) {
    options.log.info("removed expired result files",
                     {{"files", swept.removed_files}, {"bytes", swept.removed_bytes}});
  }
  answers->post_at(clock.now() + kSweepResultsEvery, [this] { sweep_results(); });
}

void Host::Impl::close() {
  http.reset();
  client.reset();
  // The worker hears how runs end, even those that outlasted its stop, so the pools go before it.
  if (worker) worker->stop(Duration(0)).get();
  if (pools) {
    pools->close().get();
    pools.reset();
  }
  worker.reset();
  store.reset();
  embedded.reset();
  answers.reset();
  loop.reset();  // last: what the store answered while it closed still finds its way here, and is dropped
}

Host::Host(HostOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Host::~Host() {
  impl_->close();
}

Result<std::uint16_t> Host::open() {
  impl_->started = impl_->clock.wall();
  GAUR_CHECK(impl_->open_store());
  GAUR_CHECK(impl_->build_worker());
  impl_->loop->post([impl = impl_.get()] { impl->pools->open(); });
  impl_->worker->start();
  GAUR_TRY(const std::uint16_t port, impl_->open_http());
  impl_->cleaner =
      std::make_unique<ResultCleaner>(*impl_->store, *impl_->results, *impl_->answers, impl_->clock);
  for (const auto& [name, queue] : impl_->options.config.queues) impl_->cleaner->follow(QueueName(name));
  impl_->answers->post([impl = impl_.get()] { impl->sweep_results(); });
  return port;
}

Future<StopReport> Host::stop(Duration patience) {
  impl_->stopping = true;
  return impl_->worker->stop(patience);
}

}  // namespace gaur::app
