#pragma once
// One gaur process: builds and connects the parts, and destroys them in reverse order. Only this file and
// opened_store.cpp know the concrete types behind the interfaces.
#include <functional>
#include <memory>

#include "app/config/config.hpp"
#include "app/host/opened_store.hpp"
#include "app/host/queue_watch.hpp"
#include "base/log.hpp"
#include "gaur/future.hpp"
#include "worker/status.hpp"

namespace gaur::app {

/// What this process does with the jobs of its queues.
enum class Role : std::uint8_t {
  /// Takes and runs them.
  kWorker,
  /// Adds them over HTTP and waits for their results; has no worker and no runners.
  kProducer,
  /// Recovers stalled jobs and wakes delayed jobs of plain Bull workers; takes none.
  kSweeper,
};
std::string_view to_string(Role role);

struct HostOptions {
  /// For the specs of the pools; read by open() only.
  const Settings& settings;
  /// Outlives the host.
  const Config& config;
  Role role = Role::kWorker;
  Logger log;
  /// The store cannot acknowledge writes any more; the process must restart. Called once, on a thread of the
  /// store.
  std::function<void(const Error&)> on_fatal;
  /// POST /v1/host/leave: the process must stop with this patience. Called on a thread of the server.
  std::function<void(Duration)> on_leave;
};

/// Thread-safety: open(), start(), stop() and the destructor on the thread that constructed it.
class Host {
 public:
  explicit Host(HostOptions options);
  /// Without a completed stop(), running jobs are killed; the next start requeues them.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Opens and checks the store and builds all parts; takes no job and starts no runner yet. Errors: those of
  /// open_store() and check_queues(); each says what to do.
  Status open();
  /// The store, for reports between open() and start().
  OpenedStore& opened();
  /// Queues from which no job is taken for now; the started host checks them again regularly.
  const Refusals& refused_at_start() const;
  /// Starts runners, HTTP and worker; returns the port. Errors: those of HttpServer::start().
  Result<std::uint16_t> start();

  /// HttpServer::set_tokens(), after start().
  Status set_tokens(std::vector<http::TokenGrant> tokens);
  /// HttpServer::set_tls(), after start().
  Status set_tls(const http::TlsFiles& files);
  /// Takes no more jobs and waits up to `patience` for running jobs; then requeues them without counting the
  /// run. A second call sets the patience. HTTP stays up meanwhile, so that clients get their results.
  Future<StopReport> stop(Duration patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::app
