#pragma once
// The reader threads. Each task gets a snapshot of the last commit while it runs.
// Thread-safety: internally locked.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "embedded/snapshot.hpp"

namespace gaur::embedded {

class Readers {
 public:
  /// Called with a snapshot or an error: kIo on a reader thread, or kQueueFull at once on the caller's thread
  /// if kMaxQueued tasks wait already.
  using Task = std::function<void(Result<Snapshot*>)>;
  static constexpr std::size_t kMaxQueued = 10'000;
  Readers(const LmdbEnv& env, int threads);
  /// Runs the posted tasks and joins the threads.
  ~Readers();
  void post(Task task);

 private:
  void run(int number);

  const LmdbEnv& env_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace gaur::embedded
