#pragma once
// One simulation: a store, hosts, a producer, faults and clocks, driven by one seed. Even seeds simulate one
// process with its embedded store, odd seeds hosts that share a store over a network.
// Thread-safety: a simulation is confined to one thread; several may run at once.
#include <functional>
#include <string>
#include <vector>

#include "mutants.hpp"

namespace gaur::simulation {

struct Plan {
  std::uint64_t seed = 1;
  std::uint32_t operations = 2'000;
  Mutant mutant = Mutant::kNone;
  /// Receives each operation, for replays. May be empty.
  std::function<void(const std::string&)> log{};
};

struct Outcome {
  /// Empty: all invariants hold.
  std::vector<std::string> violations;
  /// Of the operations and states: equal for equal plans.
  std::uint64_t trace = 0;
  std::uint32_t operations = 0;
  /// Jobs added, runs started, stalled jobs recovered.
  std::uint64_t added = 0, starts = 0, recovered = 0;
  double virtual_seconds = 0;
};

Outcome simulate(const Plan& plan);

}  // namespace gaur::simulation
