#pragma once
// Continues the check of a large data file while the store is in use: a thread that checks a snapshot and
// ends. Thread-safety: constructed and destroyed on one thread.
#include <atomic>
#include <thread>

#include "base/log.hpp"
#include "embedded/lmdb_env.hpp"

namespace gaur::embedded {

class BackgroundCheck {
 public:
  /// Adds what it finds to env.damage(). `env` must outlive this object.
  BackgroundCheck(const LmdbEnv& env, Logger log);
  /// Ends the check and joins the thread.
  ~BackgroundCheck();
  BackgroundCheck(const BackgroundCheck&) = delete;
  BackgroundCheck& operator=(const BackgroundCheck&) = delete;

 private:
  void run();

  const LmdbEnv& env_;
  const Logger log_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gaur::embedded
