#include "app/look/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/human_text.hpp"
#include "core/needs.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kFailureTexts = 5;

struct FunctionSamples {
  SpreadCollector<FunctionLook> spreads;
  std::map<std::string, std::uint64_t> failures;
};

double ms_between(Time from, Time to) {
  return static_cast<double>((to - from).count());
}

void add_job(FunctionSamples& samples, const KeptJob& kept) {
  const Job& job = kept.job;
  SpreadCollector<FunctionLook>& spreads = samples.spreads;
  if (job.state != State::kCompleted && job.state != State::kFailed) {
    ++spreads.sums.waiting;
    return;
  }
  const bool completed = job.state == State::kCompleted;
  (completed ? spreads.sums.completed : spreads.sums.failed) += 1;
  if (!completed) samples.failures[job.failure ? job.failure->message : "(no reason)"] += 1;
  spreads.add(&FunctionLook::data_bytes, static_cast<double>(kept.data_bytes));
  if (completed) spreads.add(&FunctionLook::result_bytes, static_cast<double>(kept.result_bytes));
  if (!job.processed_on) return;
  if (job.finished_on && *job.finished_on >= *job.processed_on)
    spreads.add(&FunctionLook::run_ms, ms_between(*job.processed_on, *job.finished_on));
  // processedOn is the time of the last start: after a restart the time before it is not only waiting.
  const bool started_once = job.stalled == 0 && job.attempts_made <= 1;
  const Time ready = job.timestamp + std::max(Duration(0), job.options.delay);
  if (started_once && *job.processed_on >= ready)
    spreads.add(&FunctionLook::wait_ms, ms_between(ready, *job.processed_on));
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  Spread spread;
  if (values.empty()) return spread;
  std::ranges::sort(values);
  const auto at = [&](double quantile) {
    const double rank = std::ceil(quantile * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
  };
  spread.count = values.size();
  spread.least = values.front();
  spread.p50 = at(0.5);
  spread.p95 = at(0.95);
  spread.most = values.back();
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  return spread;
}

std::string function_name_of(const Job& job, const std::string& field) {
  if (field.empty()) return function_of(job.name, job.data, job.name == kUnnamedJob ? "func" : "").value;
  constexpr std::string_view kData = "data.";
  return function_of(job.name, job.data, field.starts_with(kData) ? field.substr(kData.size()) : "").value;
}

std::vector<FunctionLook> functions_of(const std::vector<KeptJob>& jobs, const std::string& field) {
  std::map<std::string, FunctionSamples> by_name;
  for (const KeptJob& kept : jobs) add_job(by_name[function_name_of(kept.job, field)], kept);
  std::vector<FunctionLook> found;
  for (auto& [name, samples] : by_name) {
    FunctionLook look = samples.spreads.take();
    look.function = name;
    look.failures.assign(samples.failures.begin(), samples.failures.end());
    std::ranges::stable_sort(look.failures, [](const auto& a, const auto& b) { return a.second > b.second; });
    if (look.failures.size() > kFailureTexts) look.failures.resize(kFailureTexts);
    found.push_back(std::move(look));
  }
  std::ranges::stable_sort(found, [](const FunctionLook& a, const FunctionLook& b) {
    return std::pair(a.completed + a.failed, a.waiting) > std::pair(b.completed + b.failed, b.waiting);
  });
  return found;
}

std::optional<double> rate_of(const std::vector<KeptJob>& jobs) {
  std::optional<Time> first;
  std::optional<Time> last;
  std::uint64_t count = 0;
  for (const KeptJob& kept : jobs) {
    if (!kept.job.finished_on) continue;
    ++count;
    first = first ? std::min(*first, *kept.job.finished_on) : *kept.job.finished_on;
    last = last ? std::max(*last, *kept.job.finished_on) : *kept.job.finished_on;
  }
  if (count < 2 || *last <= *first) return std::nullopt;
  return static_cast<double>(count - 1) / (ms_between(*first, *last) / 1000);
}

json::Object spread_json(const Spread& spread) {
  return {{"count", spread.count},
          {"p50", spread.p50},
          {"p95", spread.p95},
          {"most", spread.most},
          {"mean", spread.mean}};
}

std::string ms_text(double ms) {
  return human_duration(Duration(std::llround(ms)));
}

std::string spread_text(const Spread& spread, std::string (*text)(double)) {
  return spread.count == 0 ? "-" : text(spread.p50) + " / " + text(spread.p95);
}

}  // namespace gaur::app
