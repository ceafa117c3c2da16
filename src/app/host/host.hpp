#pragma once
// One gaur process: builds the parts, hands them to each other, and takes them down in the reverse order.
// With opened_store.cpp the only place that knows what stands behind the seams.
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
  kWorker,    ///< takes and runs them
  kProducer,  ///< adds them over HTTP and waits for their results; no worker, no runners
  kSweeper,   ///< heals what bare workers leave: returns what lost its lock, wakes what is due; takes none
};
std::string_view to_string(Role role);

struct HostOptions {
  const Settings& settings;  ///< for the specs of the pools; only read by open()
  const Config& config;      ///< outlives the host
  Role role = Role::kWorker;
  Logger log;
  /// The store can acknowledge nothing any more; only a restart helps. Called once, on a thread of the
  /// store's.
  std::function<void(const Error&)> on_fatal;
  /// POST /v1/host/leave: the process is to stop with this patience. On a thread of the server's.
  std::function<void(Duration)> on_leave;
};

/// Thread-safety: open(), start(), stop() and the destructor from the thread that made it.
class Host {
 public:
  explicit Host(HostOptions options);
  /// After a stop whose future has come, or as it stands: what runs is then killed, and its jobs go back at
  /// the next start.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Opens and checks the store and builds everything; takes no job and starts no runner yet. Errors: those
  /// of open_store() and check_queues(), each saying what to do.
  Status open();
  /// What stands behind the seam, to be looked at between open() and start().
  OpenedStore& opened();
  /// Queues of which no job is taken for now; the host goes on checking them once it has started.
  const Refusals& refused_at_start() const;
  /// Starts runners, HTTP and worker; answers the port. Errors: those of HttpServer::start().
  Result<std::uint16_t> start();

  /// Takes nothing more and waits up to `patience` for what runs; then it goes back to its queue, uncounted.
  /// A second call ends the patience. HTTP stays up meanwhile, so that those who wait for results get them.
  Future<StopReport> stop(Duration patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::app
