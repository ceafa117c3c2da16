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

struct Gathered {
  FunctionLook look;
  std::vector<double> wait, run, data, result;
  std::map<std::string, std::uint64_t> failures;
};

double ms_between(Time from, Time to) {
  return static_cast<double>((to - from).count());
}

void gather(Gathered& into, const KeptJob& kept) {
  const Job& job = kept.job;
  if (job.state != State::kCompleted && job.state != State::kFailed) {
    ++into.look.waiting;
    return;
  }
  const bool completed = job.state == State::kCompleted;
  (completed ? into.look.completed : into.look.failed) += 1;
  if (!completed) into.failures[job.failure ? job.failure->message : "(no reason)"] += 1;
  into.data.push_back(static_cast<double>(kept.data_bytes));
  if (completed) into.result.push_back(static_cast<double>(kept.result_bytes));
  if (!job.processed_on) return;
  if (job.finished_on && *job.finished_on >= *job.processed_on)
    into.run.push_back(ms_between(*job.processed_on, *job.finished_on));
  // processedOn is that of the last start: with an earlier one, the time before it was no mere waiting.
  const bool started_once = job.stalled == 0 && job.attempts_made <= 1;
  const Time ready = job.timestamp + std::max(Duration(0), job.options.delay);
  if (started_once && *job.processed_on >= ready) into.wait.push_back(ms_between(ready, *job.processed_on));
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

std::string function_asked(const Job& job, const std::string& field) {
  if (field.empty()) return function_of(job.name, job.data, job.name == kUnnamedJob ? "func" : "").value;
  constexpr std::string_view kData = "data.";
  return function_of(job.name, job.data, field.starts_with(kData) ? field.substr(kData.size()) : "").value;
}

std::vector<FunctionLook> functions_of(const std::vector<KeptJob>& jobs, const std::string& field) {
  std::map<std::string, Gathered> by_name;
  for (const KeptJob& kept : jobs) gather(by_name[function_asked(kept.job, field)], kept);
  std::vector<FunctionLook> found;
  for (auto& [name, gathered] : by_name) {
    FunctionLook look = std::move(gathered.look);
    look.function = name;
    look.wait_ms = spread_of(std::move(gathered.wait));
    look.run_ms = spread_of(std::move(gathered.run));
    look.data_bytes = spread_of(std::move(gathered.data));
    look.result_bytes = spread_of(std::move(gathered.result));
    look.failures.assign(gathered.failures.begin(), gathered.failures.end());
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

std::string ms_words(double ms) {
  return human_duration(Duration(std::llround(ms)));
}

}  // namespace gaur::app
