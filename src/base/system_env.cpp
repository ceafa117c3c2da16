#include "base/system_env.hpp"

#include <pthread.h>

#include <random>

namespace gaur {

Instant SystemClock::now() const { return std::chrono::steady_clock::now(); }
Time SystemClock::wall() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

struct SystemRandom::Impl {
  std::mutex mutex;
  std::mt19937_64 engine{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
};
SystemRandom::SystemRandom() : impl_(std::make_unique<Impl>()) {}
SystemRandom::~SystemRandom() = default;
std::uint64_t SystemRandom::next() {
  std::lock_guard lock(impl_->mutex);
  return impl_->engine();
}

void name_this_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

struct ThreadLoop::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> tasks;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers;
  std::unordered_map<TimerId, Instant> due_of;
  TimerId last_timer = 0;
  bool stopping = false;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      move_due_timers();
      if (!tasks.empty()) {
        auto task = std::move(tasks.front());
        tasks.pop_front();
        lock.unlock();
        task();
        task = nullptr;  // what the task holds is released outside the lock
        lock.lock();
      } else if (stopping) {
        return;
      } else if (timers.empty()) {
        wake.wait(lock);
      } else {
        const Instant due = timers.begin()->first.first;
        wake.wait_until(lock, due);
      }
    }
  }

  void move_due_timers() {
    if (timers.empty()) return;
    const Instant now = std::chrono::steady_clock::now();
    while (!timers.empty() && timers.begin()->first.first <= now) {
      due_of.erase(timers.begin()->first.second);
      tasks.push_back(std::move(timers.begin()->second));
      timers.erase(timers.begin());
    }
  }
};

ThreadLoop::ThreadLoop(std::string thread_name) : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([impl = impl_.get(), name = std::move(thread_name)] {
    name_this_thread(name);
    impl->run();
  });
}

ThreadLoop::~ThreadLoop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void ThreadLoop::post(std::function<void()> task) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->tasks.push_back(std::move(task));
  }
  impl_->wake.notify_one();
}

Loop::TimerId ThreadLoop::post_at(Instant when, std::function<void()> task) {
  std::lock_guard lock(impl_->mutex);
  const TimerId id = ++impl_->last_timer;
  impl_->timers.emplace(std::pair{when, id}, std::move(task));
  impl_->due_of.emplace(id, when);
  impl_->wake.notify_one();
  return id;
}

void ThreadLoop::cancel(TimerId timer) {
  std::lock_guard lock(impl_->mutex);
  const auto found = impl_->due_of.find(timer);
  if (found == impl_->due_of.end()) return;
  impl_->timers.erase({found->second, timer});
  impl_->due_of.erase(found);
}

}  // namespace gaur
