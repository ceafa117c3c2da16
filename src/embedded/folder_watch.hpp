#pragma once
// While a store is open: a thread that checks each second whether the data file is still at its path, and
// records the last transaction in store-id each minute, so that an older data file is noticed after a crash
// too. The writer does not wait for it. Thread-safety: constructed and destroyed on one thread.
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include "base/env.hpp"
#include "base/log.hpp"
#include "embedded/lmdb_env.hpp"

namespace gaur::embedded {

class FolderWatch {
 public:
  struct Parts {
    /// Must outlive this object.
    const LmdbEnv& env;
    std::filesystem::path folder;
    std::uint64_t store_id = 0;
    Duration mark_interval{};
    /// Called once, on the watch's thread: every transaction from now on fails.
    std::function<void()> on_lost;
    Logger log;
  };
  explicit FolderWatch(Parts parts);
  /// Joins the thread.
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  void run();
  void mark();

  const Parts parts_;
  std::uint64_t marked_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last, because it uses all other members
};

}  // namespace gaur::embedded
