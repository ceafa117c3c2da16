#pragma once
// The Prometheus text format, version 0.0.4. Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gaur::prometheus {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// The `# HELP` and `# TYPE` lines of a metric; `type`: "counter", "gauge" or "histogram".
void append_header(std::string& out, std::string_view name, std::string_view help, std::string_view type);
/// `{queue="q",le="0.5"}`, or nothing without labels. `le`: the bucket of a histogram, or "".
void append_labels(std::string& out, const Labels& labels, std::string_view le = {});
/// One sample line.
void append_sample(std::string& out, std::string_view name, const Labels& labels, std::uint64_t value);
void append_sample(std::string& out, std::string_view name, const Labels& labels, double value);
/// A gauge with one sample for each row.
void append_gauge(std::string& out, std::string_view name, std::string_view help,
                  const std::vector<std::pair<Labels, double>>& rows);

}  // namespace gaur::prometheus
