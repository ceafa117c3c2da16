#include "api/metrics.hpp"

#include <fmt/format.h>

namespace gaur {

namespace {

// From 0.5 ms to one hour: waits and runs of heavy queries.
const std::vector<double> kSecondsBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                          1,      2.5,   5,      10,    30,   60,    120,  300, 900,  3600};

void append_histogram(std::string& out, std::string_view name, const Labels& labels,
                      const Histogram& histogram) {
  const Histogram::Snapshot state = histogram.snapshot();
  std::uint64_t cumulative = 0;
  const auto bucket = [&](std::string_view bound, std::uint64_t count) {
    out += name;
    out += "_bucket";
    prometheus::append_labels(out, labels, bound);
    out += fmt::format(" {}\n", count);
  };
  for (std::size_t i = 0; i < histogram.upper_bounds().size(); ++i) {
    cumulative += state.buckets[i];
    bucket(fmt::format("{}", histogram.upper_bounds()[i]), cumulative);
  }
  bucket("+Inf", state.count);
  prometheus::append_sample(out, fmt::format("{}_sum", name), labels, state.sum);
  prometheus::append_sample(out, fmt::format("{}_count", name), labels, state.count);
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds) : bounds_(std::move(upper_bounds)) {
  state_.buckets.resize(bounds_.size() + 1);
}

void Histogram::observe(double value) {
  const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  std::lock_guard lock(mutex_);
  ++state_.buckets[static_cast<std::size_t>(place)];
  ++state_.count;
  state_.sum += value;
}

Histogram::Snapshot Histogram::snapshot() const {
  std::lock_guard lock(mutex_);
  return state_;
}

namespace {
std::int64_t whole_seconds(Instant now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}
constexpr std::size_t kMostRings = 1'000;
}  // namespace

void MinuteRates::mark(const std::string& key, Instant now) {
  const std::int64_t second = whole_seconds(now);
  const auto place = static_cast<std::size_t>(second % 60);
  std::lock_guard lock(mutex_);
  if (rings_.size() >= kMostRings && !rings_.contains(key)) return;
  Ring& ring = rings_[key];
  if (ring.second_of[place] != second) {
    ring.second_of[place] = second;
    ring.counts[place] = 0;
  }
  ++ring.counts[place];
}

double MinuteRates::per_second(const std::string& key, Instant now) const {
  const std::int64_t second = whole_seconds(now);
  std::lock_guard lock(mutex_);
  const auto found = rings_.find(key);
  if (found == rings_.end()) return 0;
  std::uint64_t sum = 0;
  std::int64_t oldest = second;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::int64_t at = found->second.second_of[i];
    if (found->second.counts[i] == 0 || at <= second - 60) continue;
    sum += found->second.counts[i];
    oldest = std::min(oldest, at);
  }
  return static_cast<double>(sum) / static_cast<double>(second - oldest + 1);
}

struct Metrics::Series {
  Counter counter;
  std::unique_ptr<Histogram> histogram;
};
struct Metrics::Family {
  std::string help;
  bool histogram = false;
  std::map<Labels, std::unique_ptr<Series>> series;
};

Metrics::Series& Metrics::series(std::string_view name, std::string_view help, const Labels& labels,
                                 bool histogram) {
  std::lock_guard lock(mutex_);
  auto found = families_.find(name);
  if (found == families_.end()) {
    auto family = std::make_shared<Family>();
    family->help = help;
    family->histogram = histogram;
    found = families_.emplace(std::string(name), std::move(family)).first;
  }
  auto& all = found->second->series;
  auto at = all.find(labels);
  if (at != all.end()) return *at->second;
  Labels key = labels;
  if (all.size() >= kMaxSeries) {
    for (auto& [label, value] : key) value = "other";
  }
  auto& made = all[key];
  if (!made) made = std::make_unique<Series>();
  if (histogram && !made->histogram) made->histogram = std::make_unique<Histogram>(kSecondsBuckets);
  return *made;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return series(name, help, labels, false).counter;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const Labels& labels) {
  return *series(name, help, labels, true).histogram;
}

void Metrics::gauge(std::string_view name, std::string_view help,
                    std::vector<std::pair<Labels, double>> rows) {
  std::lock_guard lock(mutex_);
  gauges_.insert_or_assign(std::string(name), Gauge{std::string(help), std::move(rows)});
}

std::string Metrics::render() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    prometheus::append_header(out, name, family->help, family->histogram ? "histogram" : "counter");
    for (const auto& [labels, series] : family->series) {
      if (family->histogram) {
        append_histogram(out, name, labels, *series->histogram);
      } else {
        prometheus::append_sample(out, name, labels, series->counter.value());
      }
    }
  }
  for (const auto& [name, gauge] : gauges_) prometheus::append_gauge(out, name, gauge.help, gauge.rows);
  return out;
}

}  // namespace gaur
