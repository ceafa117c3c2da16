// Pool, fourth part: its status.
#include <fmt/format.h>

#include <cstring>

#include "runner/pool.hpp"

namespace gaur {

std::string signal_name(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("signal {}", signal);
}

PoolStatus Pool::status() const {
  PoolStatus status;
  status.name = name_;
  status.kind = options_.kind;
  status.runners = static_cast<std::uint32_t>(runners_.size());
  status.starting = static_cast<std::uint32_t>(count(State::kStarting));
  status.started = started_;
  status.crashed = crashed_;
  status.broken = broken_.value_or("");
  for (const auto& [id, runner] : runners_) {
    if (runner.run) ++status.busy;
    status.memory_bytes += runner.rss;
  }
  return status;
}

std::vector<RunnerStatus> Pool::runners() const {
  constexpr const char* kNames[] = {"starting", "idle", "running", "ending"};
  std::vector<RunnerStatus> all;
  for (const auto& [id, runner] : runners_) {
    RunnerStatus status;
    status.pid = runner.pid;
    status.state = kNames[static_cast<std::size_t>(runner.state)];
    status.rss_bytes = runner.rss;
    status.jobs = runner.jobs;
    status.age = std::chrono::duration_cast<Duration>(context_.env.clock.now() - runner.started);
    if (runner.run) status.run = runner.run->request.taken.token;
    all.push_back(std::move(status));
  }
  return all;
}

std::int64_t Pool::pid_of(const LockToken& run) const {
  for (const auto& [id, runner] : runners_) {
    if (runner.run && runner.run->request.taken.token == run) return runner.pid;
  }
  return 0;
}

std::optional<Instant> Pool::next_start() const {
  return broken_ ? not_before_ : std::nullopt;
}

std::optional<std::string> Pool::broken() const {
  return broken_;
}

std::uint64_t Pool::idle_memory() const {
  std::uint64_t sum = 0;
  for (const auto& [id, runner] : runners_) {
    sum += runner.run ? runner.run->inherited : runner.rss;
  }
  return sum;
}

}  // namespace gaur
