#pragma once
// The command line of the programs that run random histories. --seed=N replays one history,
// --snapshot-every=1 finds the first operation after which the stores differ. Default: 500 fixed seeds and a
// new one. Thread-safety: main only.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string_view>

#include "base/system_env.hpp"
#include "conformance/history.hpp"

namespace gaur::conformance {

struct HistoryFlags {
  std::optional<std::uint64_t> seed;
  std::uint32_t histories = 500;
  std::uint32_t operations = 200;
  std::uint32_t snapshot_every = 10;
  std::string program;
};
inline HistoryFlags flags;

inline void read_history_flags(int argc, char** argv) {
  flags.program = argv[0];
  const auto number = [](std::string_view text) {
    return std::stoull(std::string(text.substr(text.find('=') + 1)));
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag.starts_with("--seed=")) flags.seed = number(flag);
    if (flag.starts_with("--histories=")) flags.histories = static_cast<std::uint32_t>(number(flag));
    if (flag.starts_with("--snapshot-every="))
      flags.snapshot_every = static_cast<std::uint32_t>(number(flag));
    if (flag.starts_with("--operations=")) flags.operations = static_cast<std::uint32_t>(number(flag));
  }
  if (flags.seed) flags.histories = 1;
}

inline void expect_histories_hold(const Subject& reference, const Subject& subject) {
  HistoriesPlan plan{.first_seed = flags.seed.value_or(1), .histories = flags.histories};
  plan.each.operations = flags.operations;
  plan.each.snapshot_every = flags.snapshot_every;
  HistoriesResult result = run_histories(reference, subject, plan);
  if (!result.failing_seed && !flags.seed) {
    plan.first_seed = SystemRandom().next() % 1'000'000'000'000;
    plan.histories = 1;
    fmt::print("new seed: {}\n", plan.first_seed);
    result = run_histories(reference, subject, plan);
  }
  if (result.failing_seed) {
    ADD_FAILURE() << result.report << "\nreplay: " << flags.program << " --seed=" << *result.failing_seed
                  << " --operations=" << flags.operations;
  }
}

}  // namespace gaur::conformance
