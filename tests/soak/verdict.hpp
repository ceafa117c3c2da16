#pragma once
// The time series of a soak run and what it must show. Thread-safety: values.
#include <string>
#include <vector>

#include "soak/measure.hpp"

namespace gaur::test {

struct Sample {
  double seconds = 0;
  /// With an outcome.
  std::uint64_t jobs = 0;
  ProcessFigures process;
  /// The embedded store's data file, or the memory that Redis uses for its data.
  std::uint64_t store_bytes = 0;
  /// Keys in Redis.
  std::uint64_t keys = 0;
};
/// One line of JSON.
std::string to_json(const Sample& sample);

/// Growth a million jobs, by least squares over all samples after the warm-up (a fifth of the jobs).
double growth_per_million(const std::vector<Sample>& samples, std::uint64_t (*value)(const Sample&));

/// Every rule that the series breaks, each a sentence. Short runs are too short for a slope of 1 MB a million
/// jobs: they may grow by 4 MB after the warm-up.
std::vector<std::string> problems_of(const std::vector<Sample>& samples);

}  // namespace gaur::test
