#pragma once
// One gaur process: builds the parts, hands them to each other, and takes them down in the reverse order. The
// only file that knows what stands behind the seams.
#include <functional>
#include <memory>

#include "app/config.hpp"
#include "base/log.hpp"
#include "gaur/future.hpp"
#include "worker/status.hpp"

namespace gaur::app {

struct HostOptions {
  const Settings& settings;  ///< for the specs of the pools; only read by open()
  const Config& config;      ///< outlives the host
  Logger log;
  /// The store can acknowledge nothing any more; only a restart helps. Called once, on a thread of the
  /// store's.
  std::function<void(const Error&)> on_fatal;
};

/// Thread-safety: open(), stop() and the destructor from the thread that made it.
class Host {
 public:
  explicit Host(HostOptions options);
  /// After a stop whose future has come, or as it stands: what runs is then killed, and its jobs go back at
  /// the next start.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Opens the store, starts runners, worker and HTTP; answers the port. Errors: those of open_embedded() and
  /// HttpServer::start(), each saying what to do.
  Result<std::uint16_t> open();

  /// Takes nothing more and waits up to `patience` for what runs; then it goes back to its queue, uncounted.
  /// A second call ends the patience. HTTP stays up meanwhile, so that those who wait for results get them.
  Future<StopReport> stop(Duration patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::app
