// Percentiles, statistics of the functions of finished jobs, text tables.
#include "app/look/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/text/text_table.hpp"
#include "app/text/text_width.hpp"

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Spread, PercentilesAreValuesThatOccurred) {
  struct Row {
    std::vector<double> values;
    double p50, p95, most;
  };
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i) hundred.push_back(i);
  for (const Row& row : {Row{{}, 0, 0, 0}, Row{{7}, 7, 7, 7}, Row{{1, 2}, 1, 2, 2}, Row{{3, 1, 2}, 2, 3, 3},
                         Row{hundred, 50, 95, 100}}) {
    const Spread spread = spread_of(row.values);
    EXPECT_EQ(spread.count, row.values.size());
    EXPECT_EQ(spread.p50, row.p50);
    EXPECT_EQ(spread.p95, row.p95);
    EXPECT_EQ(spread.most, row.most);
  }
}

KeptJob kept(const std::string& name, const std::string& data, std::int64_t added, std::int64_t started,
             std::int64_t ended) {
  KeptJob job;
  job.job.name = name;
  job.job.data = data;
  job.job.state = State::kCompleted;
  job.job.attempts_made = 1;
  job.job.timestamp = from_ms(added);
  job.job.processed_on = from_ms(started);
  job.job.finished_on = from_ms(ended);
  job.data_bytes = data.size();
  job.result_bytes = 10;
  return job;
}

TEST(Functions, AreNamedByFuncIfTheJobHasNoName) {
  struct Row {
    std::string name, data, field, function;
  };
  for (const Row& row :
       {Row{"__default__", R"({"func":"rank"})", "", "rank"}, Row{"mail", R"({"func":"rank"})", "", "mail"},
        Row{"mail", R"({"func":"rank"})", "data.func", "rank"},
        Row{"mail", R"({"a":{"b":"x"}})", "data.a.b", "x"},
        Row{"__default__", R"({"func":"rank"})", "name", "__default__"},
        Row{"__default__", "no json", "", "__default__"},
        Row{"__default__", R"({"func":7})", "", "__default__"}}) {
    Job job;
    job.name = row.name;
    job.data = row.data;
    EXPECT_EQ(function_name_of(job, row.field), row.function) << row.data << " by " << row.field;
  }
}

TEST(Functions, SeparatesWaitAndRunTimes) {
  std::vector<KeptJob> jobs{kept("__default__", R"({"func":"rank"})", 1000, 1500, 4500),
                            kept("__default__", R"({"func":"rank"})", 1000, 2000, 3000)};
  jobs.push_back(kept("__default__", R"({"func":"rank"})", 1000, 60'000, 61'000));
  jobs.back().job.options.delay = Duration(58'000);  // it was ready at 59 s
  jobs.push_back(kept("__default__", R"({"func":"rank"})", 1000, 90'000, 91'000));
  jobs.back().job.attempts_made = 3;  // a later attempt, so its start does not show its wait
  jobs.push_back(kept("__default__", R"({"func":"mail"})", 1000, 1000, 1000));
  jobs.back().job.state = State::kFailed;
  jobs.back().job.failure = Failure{.message = "boom"};
  const auto functions = functions_of(jobs, "");
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].function, "rank");
  EXPECT_EQ(functions[0].completed, 4U);
  EXPECT_EQ(functions[0].wait_ms.count, 3U);
  EXPECT_EQ(functions[0].wait_ms.most, 1000);
  EXPECT_EQ(functions[0].run_ms.count, 4U);
  EXPECT_EQ(functions[0].run_ms.most, 3000);
  EXPECT_EQ(functions[1].failed, 1U);
  EXPECT_THAT(functions[1].failures, ElementsAre(Pair("boom", 1)));
  EXPECT_DOUBLE_EQ(*rate_of(jobs), 4 / 90.0);  // four intervals in 90 s
  EXPECT_EQ(rate_of({}), std::nullopt);
}

TEST(Functions, CountsFunctionsThatOnlyWait) {
  std::vector<KeptJob> jobs{kept("rank", "{}", 1000, 1500, 4500)};
  for (const State state : {State::kWaiting, State::kDelayed, State::kWaiting}) {
    jobs.push_back({});
    jobs.back().job.name = state == State::kDelayed ? "rank" : "mail";
    jobs.back().job.state = state;
  }
  const auto functions = functions_of(jobs, "name");
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].function, "rank");
  EXPECT_EQ(functions[0].completed, 1U);
  EXPECT_EQ(functions[0].waiting, 1U);
  EXPECT_EQ(functions[0].run_ms.count, 1U);
  EXPECT_EQ(functions[1].function, "mail");
  EXPECT_EQ(functions[1].waiting, 2U);
  EXPECT_EQ(functions[1].completed + functions[1].failed, 0U);
}

TEST(TextTable, AlignsByDisplayWidthAndEscapesControlCharacters) {
  TextTable table({"queue", ">jobs"});
  table.row({"서울", "7"});
  table.row({"a\x1b[31m", "1234"});
  EXPECT_EQ(table.text(0),
            "queue   jobs\n"
            "서울       7\n"
            "a?[31m  1234\n");
}

TEST(TextTable, EscapesControlCharactersOfUnicode) {
  EXPECT_EQ(strip_control_characters("a\u009b31mb\u00e9\x7f"), "a?31mb\u00e9?");
}

TEST(TextTable, CutCountsColumns) {
  EXPECT_EQ(cut("서울특별시", 10), "서울특별시");
  EXPECT_EQ(cut("서울특별시", 9), "서울특...");
  EXPECT_EQ(cut("abcdef", 5), "ab...");
  EXPECT_LE(display_width(cut("가나다라마바사", 6)), 6U);
}

TEST(TextTable, CountsTerminalColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("서울"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);     // a combining accent
  EXPECT_EQ(display_width("\U0001FAE0"), 2U);  // an emoji of Unicode 14
  EXPECT_EQ(display_width("a\xFFz"), 3U);      // not UTF-8
}

}  // namespace
}  // namespace gaur::app
