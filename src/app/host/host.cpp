#include "app/host/host.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "admission/ledger.hpp"
#include "api/client_factory.hpp"
#include "api/measured_store.hpp"
#include "app/host/disk_watch.hpp"
#include "app/host/host_file.hpp"
#include "app/host/host_status.hpp"
#include "app/host/job_log.hpp"
#include "app/host/options_from_config.hpp"
#include "app/host/process_end.hpp"
#include "app/host/queue_watch.hpp"
#include "app/host/store_watch.hpp"
#include "app/host/unserved_watch.hpp"
#include "app/host/why_waiting.hpp"
#include "app/version.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"
#include "http/paths.hpp"
#include "http/server.hpp"
#include "results/result_cleaner.hpp"
#include "results/result_store.hpp"
#include "results/signed_urls.hpp"
#include "runner/pools.hpp"
#include "worker/worker.hpp"

namespace gaur::app {

namespace {
constexpr Duration kCleanupInterval{60'000};
constexpr Duration kKernelInterval{2'000};
}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kProducer: return "producer";
    case Role::kSweeper: return "sweeper";
    case Role::kWorker: break;
  }
  return "worker";
}

// Members are built in this order and destroyed in reverse; each may use those above it.
struct Host::Impl {
  explicit Impl(HostOptions given) : options(std::move(given)) {}

  HostOptions options;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  Time started{};
  /// Of the data folder; an embedded store has its own.
  Fd lock;
  /// Updated on `replies`.
  std::unique_ptr<ProcessEnd> process_end;
  /// One of its jobs may have ended the previous process: the active jobs count as stalled.
  bool counts_active = false;
  /// Host.json is written.
  bool announced = false;
  /// Set by the main thread, read by the server's threads.
  std::atomic<bool> stopping = false;
  /// Delivers the store's replies and the client's timers.
  std::unique_ptr<ThreadLoop> replies;
  OpenedStore opened;
  Refusals refused_at_start;
  /// Checks the queues of a Redis store.
  std::unique_ptr<QueueWatch> watch;
  /// nullptr with an embedded store.
  std::unique_ptr<StoreWatch> store_watch;
  std::unique_ptr<Store> store;
  std::unique_ptr<results::SignedUrls> links;
  std::unique_ptr<results::ResultStore> results;
  std::unique_ptr<DiskWatch> disk;
  std::unique_ptr<results::ResultCleaner> cleaner;
  /// nullptr in a producer or sweeper.
  std::unique_ptr<UnservedWatch> unserved;
  /// Ledger, pools and worker are confined to `loop`; nullptr in a producer.
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<ThreadLoop> loop;
  std::unique_ptr<Pools> pools;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<Client> client;
  std::unique_ptr<HttpServer> http;

  Status open_stores();
  std::optional<CountActive> count_active(const KernelFacts& kernel);
  void watch_kernel();
  Status open_results();
  Status build_worker();
  Result<PoolsOptions> make_pools_options();
  Result<std::uint16_t> open_http();
  void announce(std::uint16_t port);
  std::vector<QueueName> queues() const;
  void queue_changed(const QueueName& queue, const Refusal* refusal);
  void stop_watches();
  void drain_replies();
  void close();
  HostView host_view();
  HostControl control();
  WhyWaiting why_waiting();
};

Status Host::Impl::open_stores() {
  const Config& config = options.config;
  if (config.redis) {
    GAUR_TRY(lock, lock_data_folder(config.data_folder));
  }
  replies = std::make_unique<ThreadLoop>("gaur-replies");
  const KernelFacts kernel = read_kernel_facts();
  GAUR_TRY(opened, open_store({.config = config,
                               .env = Env{clock, random, *replies},
                               .log = options.log,
                               .on_fatal = options.on_fatal,
                               .count_active = count_active(kernel)}));
  auto recorded = ProcessEnd::record(config.data_folder, kernel);
  if (recorded) {
    process_end = *std::move(recorded);
    watch_kernel();
  } else {
    options.log.warn("a crash of this process will not be counted", {{"error", recorded.error().message}});
  }
  if (opened.inspector) {
    GAUR_TRY(refused_at_start, check_queues(*opened.inspector, queues()));
    watch = std::make_unique<QueueWatch>(
        *opened.inspector, *replies, clock, options.log,
        [this](const QueueName& queue, const Refusal* refusal) { queue_changed(queue, refusal); });
    store_watch =
        std::make_unique<StoreWatch>(StoreWatch::Parts{.inspector = *opened.inspector,
                                                       .queues = queues(),
                                                       .allow_eviction = config.redis->allow_eviction,
                                                       .loop = *replies,
                                                       .clock = clock,
                                                       .metrics = metrics,
                                                       .log = options.log});
  }
  store = make_measured_store(opened.store(), metrics, clock, configured_queues(config));
  return ok();
}

/// Decides whether the jobs count that were active when the previous process of the folder ended.
std::optional<CountActive> Host::Impl::count_active(const KernelFacts& kernel) {
  const Config& config = options.config;
  const bool recovers = !config.redis || config.recovery.stalled == RecoveryConfig::Stalled::kOn;
  if (options.role != Role::kWorker || !recovers) return std::nullopt;
  const auto suspicion = jobs_suspected(config.data_folder, kernel);
  if (!suspicion) return std::nullopt;
  counts_active = true;
  options.log.warn("one of its jobs may have ended the previous process; the active jobs count as stalled",
                   {{"reason", *suspicion}, {"max_stalled", config.max_stalled}});
  return CountActive{.max_stalled = config.max_stalled, .keep_failed = {}};
}

void Host::Impl::watch_kernel() {
  replies->post_at(clock.now() + kKernelInterval, [this] {
    process_end->update(read_kernel_facts());
    watch_kernel();
  });
}

std::vector<QueueName> Host::Impl::queues() const {
  std::vector<QueueName> names;
  for (const auto& [name, queue] : options.config.queues) names.emplace_back(name);
  return names;
}

/// Called on `replies`, or before start(). `watch` stops before the worker is destroyed.
void Host::Impl::queue_changed(const QueueName& queue, const Refusal* refusal) {
  if (!worker) return;
  if (refusal != nullptr) return worker->refuse(queue, refusal->error.message);
  worker->accept(queue);
}

Status Host::Impl::open_results() {
  const Config& config = options.config;
  results::ResultFolder::Options folder{.folder = config.results.folder,
                                        .ttl = config.results.ttl,
                                        .shared = config.results.shared,
                                        .max_bytes = config.results.max_bytes};
  results = std::make_unique<results::ResultStore>(clock, std::move(folder), options.log);
  disk = std::make_unique<DiskWatch>(config, clock, options.log);
  const std::filesystem::path& secret_file = config.results.link_secret_file;
  GAUR_TRY(std::string secret,
           results::load_link_secret(secret_file.empty() ? config.data_folder / "link-secret" : secret_file,
                                     secret_file.empty()));
  links = std::make_unique<results::SignedUrls>(
      results::SignedUrls::Options{.folder = config.results.folder,
                                   .shared = config.results.shared,
                                   .public_url = config.results.public_url,
                                   .secret = std::move(secret),
                                   .path = http::signed_file_path});
  return ok();
}

Result<PoolsOptions> Host::Impl::make_pools_options() {
  const Config& config = options.config;
  PoolsOptions made;
  made.run_folder = config.data_folder / "run";
  if (options.role == Role::kWorker) {
    GAUR_TRY(made, pools_options(options.settings, config));
  }
  made.save_file = [this](results::SaveRequest request, results::OnSaved done) {
    results->save(std::move(request), std::move(done));
  };
  made.log = options.log;
  made.describe_file = [this](const FunctionName& function, const JobRef& job, const ResultFile& file) {
    const auto found = options.config.functions.find(function.value);
    const bool link = found != options.config.functions.end() && found->second.link_files;
    return link ? results::link_info_of(file, links->url(job, file))
                : results::info_of(file, http::result_path(job, options.config.base_path));
  };
  // The slots' shares add up to the whole capacity, so idle runners use the reserve: memory beyond half of it
  // is subtracted from the capacity.
  made.on_idle_memory = [this, spared = config.slots.reserve_bytes / 2](std::uint64_t bytes) {
    ledger->set_overhead(bytes > spared ? bytes - spared : 0);
  };
  made.on_closed = [this](const FunctionName& function, bool closed, const std::string& why) {
    if (closed) ledger->mark_unavailable(function, why);
    if (!closed) ledger->mark_available(function);
  };
  return made;
}

Status Host::Impl::build_worker() {
  if (options.role == Role::kProducer) return ok();
  const Config& config = options.config;
  GAUR_TRY(PoolsOptions pool_options, make_pools_options());
  loop = std::make_unique<ThreadLoop>("gaur-loop");
  const Env env{clock, random, *loop};
  pools = std::make_unique<Pools>(env, std::move(pool_options));
  WorkerOptions made = worker_options(config, clock.wall());
  made.semantics = opened.semantics;
  made.take = options.role == Role::kWorker;
  made.reclaim = !counts_active;
  made.hand_off = store->capabilities().has(Capability::kHandOff);
  LedgerOptions admission = ledger_options(config);
  admission.takes_in_flight = made.takes_in_flight();
  ledger = std::make_unique<Ledger>(std::move(admission));
  made.events.on_log = [log = options.log](WorkerEvents::Level level, const std::string& line) {
    if (level == WorkerEvents::Level::kInfo) log.info(line);
    if (level == WorkerEvents::Level::kWarning) log.warn(line);
    if (level == WorkerEvents::Level::kError) log.error(line);
  };
  made.events.on_end = job_log(options.log);
  worker = std::make_unique<Worker>(env, *store, *ledger, *pools, std::move(made));
  if (options.role == Role::kWorker) {
    unserved = std::make_unique<UnservedWatch>(UnservedWatch::Parts{.store = *store,
                                                                    .config = config,
                                                                    .owns_store = !config.redis,
                                                                    .loop = *replies,
                                                                    .clock = clock,
                                                                    .metrics = metrics,
                                                                    .log = options.log});
    register_worker(opened, {.config = config, .env = Env{clock, random, *replies}});
  }
  return ok();
}

Result<std::uint16_t> Host::Impl::open_http() {
  client = make_client(*store, Env{clock, random, *replies}, metrics, client_options(options.config));
  ServerParts parts{.client = *client,
                    .clock = clock,
                    .host = host_view(),
                    .why_waiting = why_waiting(),
                    .files = results.get(),
                    .control = control(),
                    .link_check =
                        [this](const JobRef& job, const std::string& expires, const std::string& signature) {
                          return links->check(job, expires, signature, clock.wall());
                        },
                    .leave_patience = options.config.stop_timeout};
  http = std::make_unique<HttpServer>(server_options(options.config, options.log), std::move(parts));
  return http->start();
}

/// Publishes the address of this host for `gaur quiet`, `gaur leave` and links to result files.
void Host::Impl::announce(std::uint16_t port) {
  const Config& config = options.config;
  const std::string url = listening_url(config, port);
  links->set_own_url(url);
  const Status written =
      write_host_file(config.data_folder, {.pid = getpid(),
                                           .url = url,
                                           .version = std::string(kVersion),
                                           .name = config.worker_name,
                                           .token_file = options.config.token_file.string(),
                                           .started_ms = to_ms(started)});
  announced = true;
  if (!written) options.log.warn("host.json not written", {{"error", written.error().message}});
}

HostView Host::Impl::host_view() {
  return [this] {
    return collect_status({.config = options.config,
                           .role = to_string(options.role),
                           .opened = opened,
                           .watch = watch.get(),
                           .store_watch = store_watch.get(),
                           .loop = loop.get(),
                           .worker = worker.get(),
                           .ledger = ledger.get(),
                           .pools = pools.get(),
                           .unserved = unserved.get(),
                           .disk = disk.get(),
                           .clock = clock,
                           .started = started,
                           .stopping = stopping.load()});
  };
}

HostControl Host::Impl::control() {
  HostControl control;
  control.leave = options.on_leave;
  if (!worker) return control;
  control.quiet = [this] { worker->quiet(); };
  control.resume = [this] { worker->resume(); };
  return control;
}

WhyWaiting Host::Impl::why_waiting() {
  return [this](WaitingJob job) {
    return why_job_waits({.config = options.config,
                          .clock = clock,
                          .loop = loop.get(),
                          .worker = worker.get(),
                          .pools = pools.get()},
                         std::move(job));
  };
}

/// Stops the parts that send requests to the store regularly, on their loop.
void Host::Impl::stop_watches() {
  replies->post([this] {
    if (cleaner) cleaner->stop();
    if (unserved) unserved->stop();
    if (watch) watch->stop();
    if (store_watch) store_watch->stop();
  });
  drain_replies();
}

/// Returns once everything posted to `replies` so far has run.
void Host::Impl::drain_replies() {
  Promise<Unit> reached;
  auto future = reached.future();
  replies->post([reached] { reached.set(Unit{}); });
  std::move(future).get();
}

/// The shutdown order. First the parts that send requests stop; then the stores close and complete their
/// pending requests; the replies are drained while the parts that they use still exist; then those are
/// destroyed.
void Host::Impl::close() {
  http.reset();
  disk.reset();
  client.reset();
  if (replies) stop_watches();
  // The pools report the end of every run to the worker, also after its stop, so they close before it.
  if (worker) worker->stop(Duration(0)).get();
  if (pools) {
    pools->close().get();
    pools.reset();
  }
  worker.reset();
  if (announced) remove_host_file(options.config.data_folder);  // before the folder is unlocked
  opened.worker_connections.clear();
  opened.bull.reset();  // before its client
  opened.embedded.reset();
  opened.inspector.reset();
  opened.client.reset();
  if (replies) drain_replies();
  replies.reset();
  process_end.reset();
  unserved.reset();
  cleaner.reset();
  store.reset();
  results.reset();  // its thread posts to `loop`
  loop.reset();
}

Host::Host(HostOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Host::~Host() {
  impl_->close();
}

Status Host::open() {
  impl_->started = impl_->clock.wall();
  GAUR_CHECK(impl_->open_stores());
  GAUR_CHECK(impl_->open_results());
  return impl_->build_worker();
}

const Refusals& Host::refused_at_start() const {
  return impl_->refused_at_start;
}

OpenedStore& Host::opened() {
  return impl_->opened;
}

Result<std::uint16_t> Host::start() {
  if (impl_->pools) impl_->loop->post([impl = impl_.get()] { impl->pools->open(); });
  GAUR_TRY(const std::uint16_t port, impl_->open_http());
  impl_->announce(port);
  if (impl_->watch) impl_->watch->set_refused(impl_->refused_at_start);
  if (impl_->worker) impl_->worker->start();
  impl_->cleaner =
      std::make_unique<results::ResultCleaner>(*impl_->store, *impl_->results, *impl_->replies, impl_->clock);
  for (const QueueName& queue : impl_->queues()) impl_->cleaner->follow(queue);
  impl_->results->remove_expired_each(kCleanupInterval);
  if (impl_->unserved) impl_->unserved->start();
  if (impl_->store_watch) impl_->store_watch->start();
  for (const QueueName& queue : impl_->queues()) {
    if (impl_->watch) impl_->watch->follow(queue);
  }
  return port;
}

Status Host::set_tokens(std::vector<http::TokenGrant> tokens) {
  return impl_->http->set_tokens(std::move(tokens));
}

Status Host::set_tls(const http::TlsFiles& files) {
  return impl_->http->set_tls(files);
}

Future<StopReport> Host::stop(Duration patience) {
  impl_->stopping = true;
  return impl_->worker ? impl_->worker->stop(patience) : ready(StopReport{});
}

}  // namespace gaur::app
