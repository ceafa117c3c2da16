#pragma once
// Counters and histograms by name and labels, rendered as Prometheus text (format 0.0.4). One registry a
// host.
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prometheus_text.hpp"
#include "gaur/names.hpp"

namespace gaur {

/// Thread-safety: any thread.
class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Seconds (or any other unit) in fixed buckets. Thread-safety: any thread.
class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds);
  void observe(double value);
  struct Snapshot {
    /// Not cumulative; the last one is +Inf.
    std::vector<std::uint64_t> buckets;
    std::uint64_t count = 0;
    double sum = 0;
  };
  Snapshot snapshot() const;
  const std::vector<double>& upper_bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  mutable std::mutex mutex_;
  Snapshot state_;
};

/// Events in the last minute, by key. Thread-safety: any thread.
class MinuteRates {
 public:
  void mark(const std::string& key, Instant now);
  /// 0: no event in the last minute.
  double per_second(const std::string& key, Instant now) const;

 private:
  struct Ring {
    std::array<std::uint32_t, 60> counts{};
    std::array<std::int64_t, 60> second_of{};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Ring, std::less<>> rings_;
};

using prometheus::Labels;

/// Thread-safety: any thread. References stay valid as long as the registry.
class Metrics {
 public:
  /// Finds or creates the series. A metric has at most kMaxSeries of them; further label values share one
  /// series in which every label is "other", so that memory stays bounded for any names.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {});
  /// Replaces all samples of a gauge.
  void gauge(std::string_view name, std::string_view help, std::vector<std::pair<Labels, double>> rows);
  std::string render() const;
  /// By queue; Retry-After is computed from them.
  MinuteRates& finish_rates() { return finish_rates_; }

  static constexpr std::size_t kMaxSeries = 2'000;

 private:
  struct Family;
  struct Series;
  Series& series(std::string_view name, std::string_view help, const Labels& labels, bool histogram);

  MinuteRates finish_rates_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Family>, std::less<>> families_;
  struct Gauge {
    std::string help;
    std::vector<std::pair<Labels, double>> rows;
  };
  std::map<std::string, Gauge, std::less<>> gauges_;
};

}  // namespace gaur
