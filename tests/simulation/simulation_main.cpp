// The simulation on many seeds; see simulation.hpp.
//   simulation [--seeds=N] [--first=N] [--operations=N]      looks for violations
//   simulation --seed=N [--operations=N] [--mutant=NAME]     replays one, with its log of operations
//   simulation --mutants                                     finds each planted mistake
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "base/system_env.hpp"
#include "simulation.hpp"

namespace gaur::simulation {
namespace {

struct Flags {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1, seeds = 300, most_seeds = 200;
  std::uint32_t operations = 2'000;
  std::string mutant;
  bool mutants = false;
};

Flags read_flags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const std::string value(flag.substr(std::min(flag.find('='), flag.size() - 1) + 1));
    if (flag.starts_with("--seed=")) flags.seed = std::stoull(value);
    if (flag.starts_with("--seeds=")) flags.seeds = std::stoull(value);
    if (flag.starts_with("--first=")) flags.first = std::stoull(value);
    if (flag.starts_with("--operations=")) flags.operations = static_cast<std::uint32_t>(std::stoul(value));
    if (flag.starts_with("--mutant=")) flags.mutant = value;
    if (flag == "--mutants") flags.mutants = true;
  }
  return flags;
}

Mutant mutant_named(const std::string& name) {
  for (const MutantRow& row : mutant_rows()) {
    if (row.name == name) return row.mutant;
  }
  return Mutant::kNone;
}

void print(const Plan& plan, const Outcome& outcome, const char* program) {
  for (std::size_t i = 0; i < std::min<std::size_t>(outcome.violations.size(), 10); ++i)
    fmt::print("  {}\n", outcome.violations[i]);
  fmt::print("  in operation {} of seed {}\n  replay: {} --seed={} --operations={}\n", outcome.operations,
             plan.seed, program, plan.seed, plan.operations);
}

/// Calls `work(i)` for i below `count`, on every core.
template <class Work>
void in_parallel(std::uint64_t count, Work work) {
  std::atomic<std::uint64_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t at = next++; at < count; at = next++) work(at);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int replay(const Flags& flags, const char* program) {
  const Plan plan{*flags.seed, flags.operations, mutant_named(flags.mutant),
                  [](const std::string& line) { fmt::print("{}\n", line); }};
  const Outcome outcome = simulate(plan);
  fmt::print("{} jobs added, {} stalled jobs recovered, {:.0f} virtual seconds, trace {:016x}\n",
             outcome.added, outcome.recovered, outcome.virtual_seconds, outcome.trace);
  if (outcome.violations.empty()) return 0;
  print(plan, outcome, program);
  return 1;
}

int search(const Flags& flags, const char* program) {
  const SystemClock clock;
  const Instant start = clock.now();
  std::mutex mutex;  // guards the following
  std::uint64_t added = 0, recovered = 0, failed = 0;
  double virtual_seconds = 0;
  const std::uint64_t fresh = SystemRandom().next() % 1'000'000'000;
  in_parallel(flags.seeds + 1, [&](std::uint64_t i) {
    const Plan plan{i == flags.seeds ? fresh : flags.first + i, flags.operations, Mutant::kNone, {}};
    const Outcome outcome = simulate(plan);
    const bool replays = i % 20 != 0 || simulate(plan).trace == outcome.trace;
    std::lock_guard lock(mutex);
    added += outcome.added;
    recovered += outcome.recovered;
    virtual_seconds += outcome.virtual_seconds;
    if (outcome.violations.empty() && replays) return;
    ++failed;
    if (!replays) fmt::print("seed {} does not replay\n", plan.seed);
    if (failed <= 5) print(plan, outcome, program);
  });
  const double took = std::chrono::duration<double>(clock.now() - start).count();
  fmt::print(
      "{} seeds and new seed {} of {} operations: {} jobs, {} recovered, {:.0f} virtual hours in {:.1f} s\n",
      flags.seeds, fresh, flags.operations, added, recovered, virtual_seconds / 3600, took);
  fmt::print("{} passed, {} failed\n", flags.seeds + 1 - failed, failed);
  return failed == 0 ? 0 : 1;
}

/// Seeds until the first violation; nothing if there is none.
std::optional<std::pair<std::uint64_t, std::string>> find(Mutant mutant, const Flags& flags) {
  for (std::uint64_t seed = 1; seed <= flags.most_seeds; ++seed) {
    const Outcome outcome = simulate({seed, flags.operations, mutant, {}});
    if (!outcome.violations.empty()) return std::pair(seed, outcome.violations.front());
  }
  return std::nullopt;
}

int find_mutants(const Flags& flags) {
  const auto rows = mutant_rows();
  std::vector<std::string> lines(rows.size());
  std::atomic<std::size_t> missed{0};
  in_parallel(rows.size(), [&](std::uint64_t i) {
    const auto found = find(rows[i].mutant, flags);
    if (!found) ++missed;
    lines[i] = found ? fmt::format("{:44} {:5}   {}", rows[i].name, found->first, found->second)
                     : fmt::format("{:44}  none", rows[i].name);
  });
  fmt::print("{:44} {:5}   {}\n", "planted mistake", "seed", "first violation");
  for (const std::string& line : lines) fmt::print("{}\n", line);
  fmt::print("{} passed, {} failed\n", rows.size() - missed, missed.load());
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gaur::simulation

int main(int argc, char** argv) {
  using namespace gaur::simulation;
  const Flags flags = read_flags(argc, argv);
  if (flags.seed) return replay(flags, argv[0]);
  return flags.mutants ? find_mutants(flags) : search(flags, argv[0]);
}
