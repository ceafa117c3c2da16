// The queueing simulation, compared with theory, and the computation of the slots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "app/size/rerun.hpp"

namespace gaur::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Quantiles of the exponential distribution with this mean, in place of measurements.
std::vector<double> exponential(double mean, int count = 2000) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(-std::log(1 - (i + 0.5) / count) * mean);
  return values;
}

/// Erlang C: the share of arrivals that wait with c servers and load a.
double erlang_c(int servers, double load) {
  double term = 1;
  double sum = 1;
  for (int k = 1; k < servers; ++k) sum += term *= load / k;
  const double last = term * load / servers * servers / (servers - load);
  return last / (sum + last);
}

TEST(Queueing, WaitsOfOneServerMatchTheory) {
  for (const double busy : {0.5, 0.8}) {
    const double mm1 = steady_waits({.run_ms = exponential(100), .slots = 1}, busy * 10, 60'000).mean;
    EXPECT_NEAR(mm1, busy / (1 - busy) * 100, busy / (1 - busy) * 8) << "M/M/1 at " << busy;
    const double md1 = steady_waits({.run_ms = {100}, .slots = 1}, busy * 10, 60'000).mean;
    EXPECT_NEAR(md1, busy / (1 - busy) * 50, busy / (1 - busy) * 4) << "M/D/1 at " << busy;
  }
}

TEST(Queueing, WaitsOfFourServersMatchTheory) {
  const double expected = erlang_c(4, 3.2) * 100 / (4 - 3.2);  // M/M/4 at 80 %
  EXPECT_NEAR(steady_waits({.run_ms = exponential(100), .slots = 4}, 32, 60'000).mean, expected,
              expected * 0.08);
}

TEST(Queueing, ABurstIsServedInRounds) {
  const Burst burst = burst_waits({.run_ms = {2000}, .slots = 4}, 100);
  EXPECT_DOUBLE_EQ(burst.wait_ms.most, 48'000);  // 25 rounds, the last starts after 24
  EXPECT_DOUBLE_EQ(burst.wait_ms.p50, 24'000);
  EXPECT_DOUBLE_EQ(burst.last_done_ms, 50'000);
  EXPECT_DOUBLE_EQ(burst_waits({.run_ms = {2000}, .slots = 200}, 100).wait_ms.most, 0);
}

TEST(Queueing, TheSameInputGivesTheSameResult) {
  const QueueingInputs inputs{.run_ms = exponential(50, 30), .slots = 3};
  EXPECT_EQ(steady_waits(inputs, 40).p95, steady_waits(inputs, 40).p95);
  EXPECT_DOUBLE_EQ(capacity(inputs), 3000.0 / spread_of(inputs.run_ms).mean);
}

WidthMeasure measure(std::uint32_t width, double run_ms, double cores, double peak, std::uint32_t runs = 8) {
  WidthMeasure made;
  made.width = width;
  made.run_ms.assign(runs, run_ms);
  made.cores.assign(runs, cores);
  if (peak > 0) made.peak_bytes.assign(runs, peak);
  made.seconds = run_ms / 1000 * runs / width;
  return made;
}

TEST(Size, TheWidthStopsWhereMoreCoresGainNothing) {
  const SizePlan plan = plan_size({.capacity = {.cores = 24, .memory_bytes = 120'000'000'000},
                                   .at_once = 100,
                                   .widths = {measure(1, 500, 6, 2e9), measure(2, 520, 5.8, 2e9),
                                              measure(4, 600, 5.5, 2e9), measure(8, 1180, 2.9, 2e9)}});
  EXPECT_EQ(plan.by_speed, 4U);
  EXPECT_EQ(plan.by_memory, 50U);
  EXPECT_EQ(plan.slots, 4U);
  EXPECT_EQ(plan.needs.cores, 5.5);
  EXPECT_EQ(plan.needs.memory_bytes, 2'400'000'000U);
  EXPECT_THAT(plan.why,
              Contains(HasSubstr("8 concurrent runs complete 6.78 a second, +2 %: too little gain")));
  EXPECT_THAT(plan.why,
              Contains("memory: peak p95 2.0 GB x 1.2 = 2.4 GB a run; 120.0 GB / 2.4 GB = 50 at a time"));
  EXPECT_THAT(plan.why, Contains("slots: the smallest of 4 by speed, 50 by memory and 4 by cores = 4"));
}

TEST(Size, MemoryLimitsTheSlots) {
  const SizePlan plan = plan_size(
      {.capacity = {.cores = 24, .memory_bytes = 10'000'000'000},
       .widths = {measure(1, 500, 1, 2.6e9), measure(2, 500, 1, 2.6e9), measure(4, 500, 1, 2.6e9)}});
  EXPECT_EQ(plan.by_memory, 3U);
  EXPECT_EQ(plan.slots, 3U);
  EXPECT_EQ(plan.at_width, 2U) << "the waits come from a width that was measured";
}

TEST(Size, WaitsGrowWithTheLoadAndTheBurstIsAlsoReportedForHalfTheSlots) {
  const SizePlan plan =
      plan_size({.capacity = {.cores = 8, .memory_bytes = 64'000'000'000},
                 .at_once = 100,
                 .widths = {measure(1, 1000, 1, 1e8), measure(2, 1000, 1, 1e8), measure(4, 1000, 1, 1e8)}});
  ASSERT_EQ(plan.loads.size(), 5U);
  EXPECT_DOUBLE_EQ(plan.loads[2].per_minute, 4 * 60 * 0.8);
  for (std::size_t i = 1; i < plan.loads.size(); ++i)
    EXPECT_GT(plan.loads[i].wait_ms.p95, plan.loads[i - 1].wait_ms.p95);
  ASSERT_EQ(plan.bursts.size(), 2U) << "no waits are reported for a width of eight, which was not measured";
  EXPECT_EQ(plan.bursts[0].slots, 2U);
  EXPECT_DOUBLE_EQ(plan.bursts[0].burst.last_done_ms, 50'000);
  EXPECT_DOUBLE_EQ(plan.bursts[1].burst.last_done_ms, 25'000);
}

TEST(Size, UnmeasuredMemoryIsReportedAndLimitsNothing) {
  const SizePlan plan =
      plan_size({.capacity = {.cores = 2, .memory_bytes = 1'000'000'000}, .widths = {measure(1, 10, 1, 0)}});
  EXPECT_EQ(plan.by_memory, 0U);
  EXPECT_EQ(plan.slots, 1U);
  EXPECT_THAT(plan.why, Contains(HasSubstr("memory: not measured")));
}

TEST(Size, ReportsThatOtherProcessesKeepTheMachineBusy) {
  const SizeInputs quiet{.capacity = {.cores = 8, .memory_bytes = 1'000'000'000},
                         .widths = {measure(1, 10, 1, 0)},
                         .other_cores = 0.5};
  EXPECT_THAT(plan_size(quiet).why, Not(Contains(HasSubstr("busy: "))));
  SizeInputs busy = quiet;
  busy.other_cores = 1.5;
  EXPECT_THAT(plan_size(busy).why, Contains(HasSubstr("other processes used 1.5 cores")));
}

TEST(Size, SlotsTimesCoresNeverExceedTheMachine) {
  for (const double cores : {0.3, 0.9, 1.0, 1.4, 1.9, 2.0}) {
    for (const double least : {0.1, 1.0}) {
      const SizePlan plan = plan_size({.capacity = {.cores = 2, .memory_bytes = 8'000'000'000},
                                       .least_cores = least,
                                       .widths = {measure(1, 100, cores, 1e8), measure(2, 100, cores, 1e8),
                                                  measure(4, 100, cores / 2, 1e8)}});
      EXPECT_LE(plan.slots * plan.needs.cores, 2 + 1e-9) << cores << " " << least;
      EXPECT_GE(plan.needs.cores, least);
      EXPECT_GE(plan.slots, 1U);
    }
  }
}

/// Runs that fail below one amount of memory, and take twice as long below another.
MeasureAt needing(double fails_below, double slow_below, std::vector<std::uint64_t>* asked = nullptr) {
  return [=](std::uint32_t width, std::uint32_t, std::uint64_t memory) {
    if (asked != nullptr) asked->push_back(memory);
    WidthMeasure made = measure(width, static_cast<double>(memory) < slow_below ? 1000 : 500, 1, 1e8);
    if (static_cast<double>(memory) < fails_below) {
      made.failed = static_cast<std::uint32_t>(made.run_ms.size());
      made.failure = "out of memory";
      made.run_ms.clear();
    }
    return made;
  };
}

SizeInputs on_two_cores(double memory) {
  return {.capacity = {.cores = 2, .memory_bytes = static_cast<std::uint64_t>(memory)},
          .widths = {measure(1, 500, 1, 1.2e8), measure(2, 500, 1, 1.2e8)}};
}

TEST(Rerun, KeepsNeedsThatARerunConfirms) {
  const SizeInputs inputs = on_two_cores(8e9);
  SizePlan plan = plan_size(inputs);
  const auto reruns = rerun_plan(inputs, plan, needing(0, 0));
  ASSERT_EQ(reruns.size(), 1U);
  EXPECT_TRUE(reruns[0].confirmed);
  EXPECT_EQ(plan.needs.memory_bytes, 144'000'000U);
  EXPECT_EQ(plan.slots, 2U);
  EXPECT_EQ(reruns[0].text,
            "rerun: 2 at a time with 144 MB and 1 core each: 8 runs, p50 500 ms, 500 ms with 4.0 GB each: "
            "confirmed");
}

TEST(Rerun, RaisesTheMemoryUntilNoRunFailsAndNoneIsSlow) {
  const SizeInputs inputs = on_two_cores(8e9);
  SizePlan plan = plan_size(inputs);
  const auto reruns = rerun_plan(inputs, plan, needing(200e6, 400e6));
  ASSERT_EQ(reruns.size(), 4U);
  EXPECT_THAT(reruns[0].text, HasSubstr("144 MB and 1 core each: 8 of 8 runs failed (out of memory)"));
  EXPECT_THAT(
      reruns[1].text,
      HasSubstr(
          "216 MB and 1 core each: 8 runs, p50 1 s, 500 ms with 4.0 GB each: slower, too little memory"));
  EXPECT_TRUE(reruns.back().confirmed);
  EXPECT_EQ(plan.needs.memory_bytes, 486'000'000U);
  EXPECT_EQ(plan.slots, 2U);
  EXPECT_EQ(plan.by_memory, 16U);
}

TEST(Rerun, ReducesTheSlotsIfMemoryIsShort) {
  const SizeInputs inputs = on_two_cores(1e9);
  SizePlan plan = plan_size(inputs);
  std::vector<std::uint64_t> asked;
  const auto reruns = rerun_plan(inputs, plan, needing(700e6, 0, &asked));
  EXPECT_TRUE(reruns.back().confirmed);
  EXPECT_EQ(plan.slots, 1U);
  EXPECT_GE(plan.needs.memory_bytes, 700'000'000U);
  for (const std::uint64_t memory : asked) EXPECT_LE(memory, inputs.capacity.memory_bytes);
  for (const Rerun& rerun : reruns)
    EXPECT_LE(rerun.slots * rerun.needs.memory_bytes, inputs.capacity.memory_bytes) << rerun.text;
}

TEST(Rerun, EndsIfNoRerunSucceeds) {
  const SizeInputs inputs = on_two_cores(1e9);
  SizePlan plan = plan_size(inputs);
  const auto reruns = rerun_plan(inputs, plan, needing(2e9, 0));
  EXPECT_FALSE(reruns.back().confirmed);
  EXPECT_LE(reruns.size(), 8U);
  EXPECT_EQ(plan.slots, 1U);
}

TEST(Size, WidthsDoubleUpToTheWidest) {
  EXPECT_THAT(widths_to_measure(1), ElementsAre(1));
  EXPECT_THAT(widths_to_measure(2), ElementsAre(1, 2));
  EXPECT_THAT(widths_to_measure(6), ElementsAre(1, 2, 4, 6));
  const Resources capacity{.cores = 24, .memory_bytes = 120'000'000'000};
  EXPECT_EQ(widest(capacity, measure(1, 500, 6, 2e9), 100), 8U);   // 24 / 6, twice
  EXPECT_EQ(widest(capacity, measure(1, 500, 6, 30e9), 100), 3U);  // 120 / 36
  EXPECT_EQ(widest(capacity, measure(1, 500, 0.01, 1e6), 100), 96U);
  EXPECT_EQ(widest(capacity, measure(1, 500, 1, 1e6), 5), 5U);
  EXPECT_EQ(widest(capacity, measure(1, 500, 1, 500e9), 5), 1U);
}

}  // namespace
}  // namespace gaur::app
