#pragma once
// The state of the queues before a consumer changes them: counts, unlocked jobs, overdue delayed jobs.
#include "app/host/host.hpp"

namespace gaur::app {

/// Prints the state of every queue of `config`, and why a queue is refused. Reads only; blocks. Errors: those
/// of the store.
Status print_startup_report(Host& host, const Config& config, Role role);

/// "5 waiting, 2 active": the states with jobs, or "empty".
std::string human_counts(const Counts& counts);
/// "17 (started 2 h ago), 18 (...) and 5 more": at most `most` items.
std::string human_list(const std::vector<std::string>& items, std::uint64_t total, std::size_t most = 10);

}  // namespace gaur::app
