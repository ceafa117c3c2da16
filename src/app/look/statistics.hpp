#pragma once
// Statistics of functions from the kept jobs of a queue. Thread-safety: pure functions.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "gaur/job.hpp"

namespace gaur::app {

/// Nearest-rank percentiles: each is one of the values.
struct Spread {
  std::uint64_t count = 0;
  double least = 0, p50 = 0, p95 = 0, most = 0, mean = 0;
};
Spread spread_of(std::vector<double> values);
json::Object spread_json(const Spread& spread);
/// Like human_duration(): "1.2 s".
std::string ms_text(double ms);
/// "p50 / p95", each formatted by `text`; "-" without values.
std::string spread_text(const Spread& spread, std::string (*text)(double));

/// Collects the samples of one function by the member of `Sums` that they end up in, so that each report
/// computes its spreads in one place.
template <class Sums>
class SpreadCollector {
 public:
  Sums sums{};
  void add(Spread Sums::*member, double value) { values_[index_of(member)].second.push_back(value); }
  /// The sums, with the spread of every collected member.
  Sums take() {
    for (auto& [member, values] : values_) sums.*member = spread_of(std::move(values));
    return std::move(sums);
  }

 private:
  std::size_t index_of(Spread Sums::*member) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].first == member) return i;
    }
    values_.emplace_back(member, std::vector<double>());
    return values_.size() - 1;
  }
  std::vector<std::pair<Spread Sums::*, std::vector<double>>> values_;
};

/// The name that Bull gives to a job without a name.
inline constexpr std::string_view kUnnamedJob = "__default__";

/// A kept or waiting job, with the sizes of its data and result in the store.
struct KeptJob {
  Job job{};
  std::uint64_t data_bytes = 0, result_bytes = 0;
};

struct FunctionLook {
  std::string function;
  std::uint64_t completed = 0, failed = 0;
  /// Waiting, prioritized or delayed.
  std::uint64_t waiting = 0;
  /// From ready to started; only jobs that were started once.
  Spread wait_ms;
  /// Of the last run.
  Spread run_ms;
  Spread data_bytes, result_bytes;
  /// Messages and their number, the most frequent first.
  std::vector<std::pair<std::string, std::uint64_t>> failures;
};

/// The function of a job. `field`: "name" or "data.FIELD" as in `queues.*.function`; "": the name, or `func`
/// in the data of a job without a name.
std::string function_name_of(const Job& job, const std::string& field);

/// Sorted by the number of finished jobs, then of waiting jobs, most first. At most five messages a function.
/// Times and sizes are those of finished jobs.
std::vector<FunctionLook> functions_of(const std::vector<KeptJob>& jobs, const std::string& field);

/// Finished jobs per second between the first and the last; std::nullopt with fewer than two.
std::optional<double> rate_of(const std::vector<KeptJob>& jobs);

}  // namespace gaur::app
