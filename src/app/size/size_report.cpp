#include "app/size/size_report.hpp"

#include <fmt/format.h>

#include "app/look/statistics.hpp"
#include "app/text/text_table.hpp"
#include "base/json.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

std::string width_table(const SizeInputs& inputs) {
  TextTable table({">at once", ">threads", ">runs", ">failed", ">run p50", ">run p95", ">cores each",
                   ">peak p95", ">a second"});
  for (const WidthMeasure& one : inputs.widths) {
    const Spread run = spread_of(one.run_ms);
    const Spread peak = spread_of(one.peak_bytes);
    table.row({std::to_string(one.width), std::to_string(one.threads), std::to_string(run.count),
               std::to_string(one.failed), run.count == 0 ? "-" : ms_text(run.p50),
               run.count == 0 ? "-" : ms_text(run.p95), fmt::format("{:.1f}", spread_of(one.cores).mean),
               peak.count == 0 ? "-" : human_bytes(static_cast<std::uint64_t>(peak.p95)),
               fmt::format("{:.2f}", one.per_second())});
  }
  return table.text();
}

std::string load_table(const SizePlan& plan) {
  TextTable table({">load", ">jobs a minute", ">wait p50", ">wait p95", ">longest"});
  for (const LoadRow& row : plan.loads) {
    table.row({fmt::format("{:.0f} %", row.share * 100), fmt::format("{:.1f}", row.per_minute),
               ms_text(row.wait_ms.p50), ms_text(row.wait_ms.p95), ms_text(row.wait_ms.most)});
  }
  return table.text();
}

std::string burst_table(const SizePlan& plan) {
  TextTable table({">slots", ">wait p50", ">wait p95", ">last starts", ">all done"});
  for (const BurstRow& row : plan.bursts) {
    table.row({std::to_string(row.slots), ms_text(row.burst.wait_ms.p50), ms_text(row.burst.wait_ms.p95),
               ms_text(row.burst.wait_ms.most), ms_text(row.burst.last_done_ms)});
  }
  return table.text();
}

}  // namespace

std::string size_text(const SizeReport& report) {
  const SizePlan& plan = report.plan;
  std::string text = fmt::format("{}, with {}, on {}\n\n{}\n", report.function, report.source,
                                 human_resources(report.inputs.capacity), width_table(report.inputs));
  for (const std::string& line : plan.why) text += "  " + line + "\n";
  for (const Rerun& rerun : report.reruns) text += "  " + rerun.text + "\n";
  if (!report.confirmed())
    text += "\nNo rerun confirmed these needs. The following is the last attempt; do not rely on it.\n";
  text += fmt::format("\nrecommended: {} {}, needs = {{ cores = {:g}, memory = \"{}\" }}\n", plan.slots,
                      plan.slots == 1 ? "slot" : "slots", plan.needs.cores,
                      plan.needs.memory_bytes == 0
                          ? "?"
                          : fmt::format("{}MB", (plan.needs.memory_bytes + 999'999) / 1'000'000));
  text +=
      fmt::format("\nwaits in a steady stream (independent arrivals, run times {})\n{}",
                  report.confirmed() ? "of the rerun" : fmt::format("of {} concurrent runs", plan.at_width),
                  load_table(plan));
  text += fmt::format("\nwaits when {} jobs arrive at once\n{}", report.inputs.at_once, burst_table(plan));
  text +=
      "\nThe waits are simulated from these runs only; other functions and other load on the machine add to "
      "them.\n";
  return text;
}

std::string size_json(const SizeReport& report) {
  const SizePlan& plan = report.plan;
  json::Array widths;
  for (const WidthMeasure& one : report.inputs.widths) {
    widths.push_back(json::Object{{"width", one.width},
                                  {"threads", one.threads},
                                  {"seconds", one.seconds},
                                  {"failed", one.failed},
                                  {"failure", one.failure},
                                  {"run_ms", spread_json(spread_of(one.run_ms))},
                                  {"cores", spread_json(spread_of(one.cores))},
                                  {"peak_bytes", spread_json(spread_of(one.peak_bytes))},
                                  {"per_second", one.per_second()}});
  }
  json::Array why;
  for (const std::string& line : plan.why) why.emplace_back(line);
  json::Array loads;
  for (const LoadRow& row : plan.loads)
    loads.push_back(json::Object{
        {"share", row.share}, {"per_minute", row.per_minute}, {"wait_ms", spread_json(row.wait_ms)}});
  json::Array bursts;
  for (const BurstRow& row : plan.bursts) {
    bursts.push_back(json::Object{{"slots", row.slots},
                                  {"wait_ms", spread_json(row.burst.wait_ms)},
                                  {"last_done_ms", row.burst.last_done_ms}});
  }
  json::Array reruns;
  for (const Rerun& rerun : report.reruns) {
    reruns.push_back(json::Object{
        {"slots", rerun.slots},
        {"needs", json::Object{{"cores", rerun.needs.cores}, {"memory_bytes", rerun.needs.memory_bytes}}},
        {"runs", rerun.measure.run_ms.size()},
        {"failed", rerun.measure.failed},
        {"failure", rerun.measure.failure},
        {"run_ms", spread_json(spread_of(rerun.measure.run_ms))},
        {"max_memory_p50_ms", rerun.max_memory_p50_ms},
        {"confirmed", rerun.confirmed}});
  }
  return json::serialize(json::Object{
      {"function", report.function},
      {"confirmed", report.confirmed()},
      {"reruns", reruns},
      {"source", report.source},
      {"capacity", json::Object{{"cores", report.inputs.capacity.cores},
                                {"memory_bytes", report.inputs.capacity.memory_bytes}}},
      {"other_cores", report.inputs.other_cores},
      {"slots", plan.slots},
      {"by_memory", plan.by_memory},
      {"by_speed", plan.by_speed},
      {"by_cores", plan.by_cores},
      {"needs", json::Object{{"cores", plan.needs.cores}, {"memory_bytes", plan.needs.memory_bytes}}},
      {"why", why},
      {"widths", widths},
      {"at_width", plan.at_width},
      {"loads", loads},
      {"at_once", report.inputs.at_once},
      {"bursts", bursts}});
}

}  // namespace gaur::app
