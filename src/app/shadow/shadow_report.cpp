#include "app/shadow/shadow_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/text/text_table.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kJobsShown = 10;  // jobs with differences of one function

void add_run(SpreadCollector<ShadowFunction>& spreads, const ShadowRun& run,
             const std::set<DifferenceKind>& allowed) {
  ShadowFunction& sums = spreads.sums;
  sums.runs += 1;
  if (!run.problem.empty()) {
    sums.failed += 1;
    return;
  }
  const bool acceptable = run.comparison.acceptable(allowed);
  (run.comparison.equal() ? sums.equal : acceptable ? sums.allowed : sums.different) += 1;
  for (const auto& [kind, count] : run.comparison.count) sums.jobs_with[kind] += 1;
  if (run.then_ms) spreads.add(&ShadowFunction::then_ms, *run.then_ms);
  spreads.add(&ShadowFunction::now_ms, run.now_ms);
  spreads.add(&ShadowFunction::cpu_ms, run.cpu_ms);
  if (run.now_ms > 0) spreads.add(&ShadowFunction::cores, run.cpu_ms / run.now_ms);
  if (run.peak_bytes > 0) spreads.add(&ShadowFunction::peak_bytes, static_cast<double>(run.peak_bytes));
}

std::string shadow_table(const std::vector<ShadowFunction>& functions) {
  TextTable table({"function", ">runs", ">equal", ">allowed", ">different", ">failed", ">run then p50 / p95",
                   ">run here p50 / p95", ">CPU p50 / p95", ">cores", ">peak p95"});
  for (const ShadowFunction& f : functions) {
    table.row({cut(f.function, 40), std::to_string(f.runs), std::to_string(f.equal),
               std::to_string(f.allowed), std::to_string(f.different), std::to_string(f.failed),
               spread_text(f.then_ms, ms_text), spread_text(f.now_ms, ms_text),
               spread_text(f.cpu_ms, ms_text), f.cores.count == 0 ? "-" : fmt::format("{:.1f}", f.cores.mean),
               f.peak_bytes.count == 0 ? "-" : human_bytes(static_cast<std::uint64_t>(f.peak_bytes.p95))});
  }
  return table.text();
}

std::string run_text(const ShadowRun& run, const std::set<DifferenceKind>& allowed) {
  std::string text = fmt::format("  job {} ({})\n", cut(run.id, 60), cut(run.function, 40));
  if (!run.problem.empty()) return text + fmt::format("    {}\n", cut(run.problem, 300));
  for (const Difference& difference : run.comparison.shown) {
    text += fmt::format("    {}{}  {}{}\n      was {}\n      is  {}\n", to_string(difference.kind),
                        allowed.contains(difference.kind) ? " (allowed)" : "",
                        difference.path.empty() ? "the result" : difference.path,
                        difference.note.empty() ? "" : ", " + difference.note,
                        difference.expected.empty() ? "(nothing)" : difference.expected,
                        difference.actual.empty() ? "(nothing)" : difference.actual);
  }
  for (const auto& [kind, count] : run.comparison.count) {
    const auto shown = std::ranges::count(run.comparison.shown, kind, &Difference::kind);
    if (count > static_cast<std::uint64_t>(shown))
      text += fmt::format("    {}: {} more\n", to_string(kind), count - static_cast<std::uint64_t>(shown));
  }
  return text;
}

std::string kinds_text(const std::vector<ShadowFunction>& functions,
                       const std::set<DifferenceKind>& allowed) {
  std::string text;
  for (const ShadowFunction& function : functions) {
    std::vector<std::string> kinds;
    for (const auto& [kind, jobs] : function.jobs_with)
      kinds.push_back(
          fmt::format("{} in {}{}", to_string(kind), jobs, allowed.contains(kind) ? " (allowed)" : ""));
    if (!kinds.empty()) text += fmt::format("  {}: {}\n", cut(function.function, 40), fmt::join(kinds, ", "));
  }
  return text.empty() ? "" : "\ndifferences, by number of jobs\n" + text;
}

json::Object shadow_function_json(const ShadowFunction& function) {
  json::Object kinds;
  for (const auto& [kind, jobs] : function.jobs_with) kinds[to_string(kind)] = jobs;
  return {{"function", function.function},
          {"runs", function.runs},
          {"equal", function.equal},
          {"allowed", function.allowed},
          {"different", function.different},
          {"failed", function.failed},
          {"kinds", kinds},
          {"then_ms", spread_json(function.then_ms)},
          {"now_ms", spread_json(function.now_ms)},
          {"cpu_ms", spread_json(function.cpu_ms)},
          {"cores", spread_json(function.cores)},
          {"peak_bytes", spread_json(function.peak_bytes)}};
}

json::Object run_json(const ShadowRun& run) {
  json::Array shown;
  for (const Difference& d : run.comparison.shown) {
    shown.push_back(json::Object{{"kind", to_string(d.kind)},
                                 {"path", d.path},
                                 {"was", d.expected},
                                 {"is", d.actual},
                                 {"note", d.note}});
  }
  json::Object counts;
  for (const auto& [kind, count] : run.comparison.count) counts[to_string(kind)] = count;
  json::Object made{{"id", run.id},
                    {"function", run.function},
                    {"problem", run.problem},
                    {"equal", run.problem.empty() && run.comparison.equal()},
                    {"counts", counts},
                    {"differences", shown},
                    {"now_ms", run.now_ms},
                    {"cpu_ms", run.cpu_ms},
                    {"peak_bytes", run.peak_bytes},
                    {"threads", run.threads}};
  made["then_ms"] = run.then_ms ? json::Value(*run.then_ms) : json::Value(nullptr);
  return made;
}

}  // namespace

std::vector<ShadowFunction> ShadowReport::functions() const {
  std::map<std::string, SpreadCollector<ShadowFunction>> by_name;
  for (const ShadowRun& run : runs) add_run(by_name[run.function], run, allowed);
  std::vector<ShadowFunction> found;
  for (auto& [name, spreads] : by_name) {
    found.push_back(spreads.take());
    found.back().function = name;
  }
  return found;
}

bool ShadowReport::acceptable() const {
  return !runs.empty() && std::ranges::all_of(runs, [this](const ShadowRun& run) {
    return run.problem.empty() && run.comparison.acceptable(allowed);
  });
}

std::string shadow_text(const ShadowReport& report) {
  const auto functions = report.functions();
  std::string text = functions.empty() ? "no job was run\n" : shadow_table(functions);
  for (const auto& [function, jobs] : report.skipped)
    text += fmt::format("  {}: {} kept {} skipped, the function is not configured\n", cut(function, 40), jobs,
                        jobs == 1 ? "job" : "jobs");
  text += kinds_text(functions, report.allowed);
  for (const ShadowFunction& function : functions) {
    std::size_t shown = 0;
    std::size_t more = 0;
    for (const ShadowRun& run : report.runs) {
      const bool fine = run.problem.empty() && run.comparison.acceptable(report.allowed);
      if (run.function != function.function || fine) continue;
      if (shown++ < kJobsShown) {
        text += (shown == 1 ? "\n" : "") + run_text(run, report.allowed);
      } else {
        ++more;
      }
    }
    if (more > 0) text += fmt::format("  ... and {} more jobs of {}\n", more, cut(function.function, 40));
  }
  text += report.acceptable() ? "\nthe results agree\n"
                              : "\nthe results differ; --allow KIND,KIND accepts kinds of differences that "
                                "your producers tolerate\n";
  return text;
}

std::string shadow_json(const ShadowReport& report) {
  json::Array runs;
  for (const ShadowRun& run : report.runs) runs.push_back(run_json(run));
  json::Array functions;
  for (const ShadowFunction& function : report.functions())
    functions.push_back(shadow_function_json(function));
  json::Object skipped;
  for (const auto& [function, jobs] : report.skipped) skipped[function] = jobs;
  json::Array allowed;
  for (const DifferenceKind kind : report.allowed) allowed.emplace_back(to_string(kind));
  return json::serialize(json::Object{{"acceptable", report.acceptable()},
                                      {"allowed", allowed},
                                      {"functions", functions},
                                      {"skipped", skipped},
                                      {"runs", runs}});
}

}  // namespace gaur::app
