#pragma once
// The real clock, randomness and loop.
#include <memory>
#include <string>

#include "base/env.hpp"

namespace gaur {

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Time wall() const override;
};

/// Seeded from the kernel. Thread-safety: internally locked.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  ~SystemRandom() override;
  std::uint64_t next() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A thread with a queue of tasks and timers. The destructor runs what was posted, drops the timers, joins.
class ThreadLoop final : public Loop {
 public:
  explicit ThreadLoop(std::string thread_name);
  ~ThreadLoop() override;
  void post(std::function<void()> task) override;
  TimerId post_at(Instant when, std::function<void()> task) override;
  void cancel(TimerId timer) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Names the calling thread for ps, gdb and the log (15 bytes at most; the rest is cut).
void name_this_thread(const std::string& name);

/// CPU time that the calling thread has used so far, in microseconds.
std::uint64_t cpu_time_of_this_thread_us();

}  // namespace gaur
