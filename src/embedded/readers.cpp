#include "embedded/readers.hpp"

#include <fmt/format.h>

#include "base/system_env.hpp"

namespace gaur::embedded {

Readers::Readers(const LmdbEnv& env, int threads) : env_(env) {
  for (int number = 0; number < threads; ++number) {
    threads_.emplace_back([this, number] { run(number); });
  }
}

Readers::~Readers() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Readers::post(Task task) {
  {
    std::unique_lock lock(mutex_);
    if (tasks_.size() >= kMaxQueued) {
      lock.unlock();
      return task(
          Error{Errc::kQueueFull,
                fmt::format("{} reads of the store are queued already; try again in a moment", kMaxQueued)});
    }
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Readers::run(int number) {
  name_this_thread(fmt::format("store-read-{}", number));
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    if (auto txn = Txn::begin(env_, Txn::Mode::kRead); txn) {
      Snapshot snapshot(**txn);
      task(&snapshot);
    } else {
      task(txn.error());
    }
    task = nullptr;  // destroys its captures outside the lock
    lock.lock();
  }
}

}  // namespace gaur::embedded
