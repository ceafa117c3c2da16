#pragma once
// Interfaces of clock, random numbers and event loop. All other code receives them by reference, so that
// tests simulate hours in milliseconds and replay from a seed. Only src/base reads a clock.
#include <cstdint>
#include <functional>

#include "gaur/names.hpp"

namespace gaur {

/// Thread-safety: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic; for durations and deadlines.
  virtual Instant now() const = 0;
  /// May jump; only for what is stored or shown.
  virtual Time wall() const = 0;
};

/// Thread-safety: any thread.
class Random {
 public:
  virtual ~Random() = default;
  /// Uniform over all 64-bit values.
  virtual std::uint64_t next() = 0;
  /// [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

/// Runs tasks one after the other, in the order of posting. Thread-safety: post from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> task) = 0;
};

/// An executor with timers. The state of a worker is confined to one loop.
class Loop : public Executor {
 public:
  using TimerId = std::uint64_t;
  /// Runs `task` on the loop at or after `when`. Thread-safety: any thread.
  virtual TimerId post_at(Instant when, std::function<void()> task) = 0;
  /// After it returned on the loop's own thread the task will not run. Unknown ids are ignored.
  virtual void cancel(TimerId timer) = 0;
};

struct Env {
  Clock& clock;
  Random& random;
  Loop& loop;
};

}  // namespace gaur
