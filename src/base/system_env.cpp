#include "base/system_env.hpp"

#include <pthread.h>
#include <time.h>

#include <random>
#include <unordered_set>

namespace gaur {

Instant SystemClock::now() const {
  return std::chrono::steady_clock::now();
}
Time SystemClock::wall() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

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

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

std::uint64_t cpu_time_of_this_thread_us() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(used.tv_nsec) / 1000;
}

struct ThreadLoop::Impl {
  struct Task {
    TimerId timer = 0;  // 0: posted
    std::function<void()> run;
  };

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Task> tasks;
  std::unordered_set<TimerId> due;  // timers whose task is in `tasks`; a cancelled one is removed here
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
        const bool cancelled = task.timer != 0 && due.erase(task.timer) == 0;
        lock.unlock();
        if (!cancelled) task.run();
        task.run = nullptr;  // destroyed outside the lock
        lock.lock();
      } else if (stopping) {
        return;
      } else if (timers.empty()) {
        wake.wait(lock);
      } else {
        const Instant next = timers.begin()->first.first;
        wake.wait_until(lock, next);
      }
    }
  }

  void move_due_timers() {
    if (timers.empty()) return;
    const Instant now = std::chrono::steady_clock::now();
    while (!timers.empty() && timers.begin()->first.first <= now) {
      const TimerId timer = timers.begin()->first.second;
      due_of.erase(timer);
      due.insert(timer);
      tasks.push_back({timer, std::move(timers.begin()->second)});
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
    impl_->tasks.push_back({0, std::move(task)});
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
  std::function<void()> dropped;  // destroyed outside the lock
  std::lock_guard lock(impl_->mutex);
  if (impl_->due.erase(timer) != 0) return;  // its task is queued and will be skipped
  const auto found = impl_->due_of.find(timer);
  if (found == impl_->due_of.end()) return;
  const auto entry = impl_->timers.find({found->second, timer});
  dropped = std::move(entry->second);
  impl_->timers.erase(entry);
  impl_->due_of.erase(found);
}

}  // namespace gaur
