#pragma once
// What the kept jobs of a queue tell about its functions. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "gaur/job.hpp"

namespace gaur::app {

/// Nearest-rank percentiles, so that each is a value that occurred.
struct Spread {
  std::uint64_t count = 0;
  double least = 0, p50 = 0, p95 = 0, most = 0, mean = 0;
};
Spread spread_of(std::vector<double> values);
json::Object spread_json(const Spread& spread);
/// "1.2 s", as human_duration().
std::string ms_words(double ms);

/// What Bull calls a job that was added without a name.
inline constexpr std::string_view kUnnamedJob = "__default__";

/// One job, kept or waiting, with the sizes of its texts in the store.
struct KeptJob {
  Job job{};
  std::uint64_t data_bytes = 0, result_bytes = 0;
};

struct FunctionLook {
  std::string function;
  std::uint64_t completed = 0, failed = 0;
  std::uint64_t waiting = 0;  ///< waiting, prioritized or delayed
  Spread wait_ms;             ///< from being ready to its start; only jobs that were started once
  Spread run_ms;              ///< of the last run
  Spread data_bytes, result_bytes;
  std::vector<std::pair<std::string, std::uint64_t>>
      failures;  ///< texts and how often, the most frequent first
};

/// What a job asks for. `field`: "" for "the name, or `func` in the data of a job without a name of its own";
/// else "name" or "data.FIELD", as in `queues.*.function`.
std::string function_asked(const Job& job, const std::string& field);

/// Functions by number of finished jobs, most first, then by number of waiting ones. At most five failure
/// texts each. Times and sizes are those of finished jobs.
std::vector<FunctionLook> functions_of(const std::vector<KeptJob>& jobs, const std::string& field);

/// Jobs finished per second between the first and the last of them; nothing with fewer than two.
std::optional<double> rate_of(const std::vector<KeptJob>& jobs);

}  // namespace gaur::app
