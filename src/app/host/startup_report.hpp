#pragma once
// What a consumer finds before it changes anything: counts, active jobs that nobody holds, delayed jobs that
// slept past their time.
#include "app/host/host.hpp"

namespace gaur::app {

/// Prints it for every queue of `config`; of a refused one, why. Reads only; blocks. Errors: the store's.
Status print_startup_report(Host& host, const Config& config, Role role);

/// "5 waiting, 2 active": states that have jobs, or "empty".
std::string human_counts(const Counts& counts);
/// "17 (started 2 h ago), 18 (...) and 5 more": at most `most` of them.
std::string human_list(const std::vector<std::string>& items, std::uint64_t total, std::size_t most = 10);

}  // namespace gaur::app
