// The registry's text, and what the measured store counts.
#include "api_fixture.hpp"

namespace gaur {
namespace {

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsText, WritesCountersAndHistograms) {
  Metrics metrics;
  metrics.counter("jobs_total", "Jobs.", {{"queue", "a\"b\\c\nd"}}).add(3);
  auto& seconds = metrics.histogram("run_seconds", "Runs.");
  seconds.observe(0.0005);
  seconds.observe(0.7);
  seconds.observe(1e9);
  const std::string text = metrics.render();
  for (const std::string line :
       {"# HELP jobs_total Jobs.", "# TYPE jobs_total counter", R"(jobs_total{queue="a\"b\\c\nd"} 3)",
        "# TYPE run_seconds histogram", R"(run_seconds_bucket{le="0.0005"} 1)",
        R"(run_seconds_bucket{le="0.5"} 1)", R"(run_seconds_bucket{le="1"} 2)",
        R"(run_seconds_bucket{le="3600"} 2)", R"(run_seconds_bucket{le="+Inf"} 3)", "run_seconds_count 3"}) {
    EXPECT_TRUE(has(text, line)) << line << "\n" << text;
  }
}

TEST(MetricsText, BoundsSeriesOfAMetric) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kMaxSeries + 500; ++i)
    metrics.counter("x", "X.", {{"queue", std::to_string(i)}}).add();
  EXPECT_TRUE(has(metrics.render(), "x{queue=\"other\"} 500"));
}

TEST_F(ClientTest, CountsAddsStartsAndOutcomes) {
  make();
  add("q", {job("f"), job("f"), job("g")});
  env_.clock.advance(Duration(2'000));
  const Taken first = take("q");
  env_.clock.advance(Duration(20));
  finish("q", first, outcome::Completed{"1"});
  Failure failure;
  finish("q", take("q"), outcome::RetryAfter{Duration(0), failure, true});
  finish("q", take("q"), outcome::Failed{});
  const std::string text = *now(client_->metrics());
  for (const std::string line :
       {R"(gaur_jobs_added_total{queue="q"} 3)", R"(gaur_jobs_started_total{queue="q",function="f"} 2)",
        R"(gaur_jobs_finished_total{queue="q",function="f",outcome="completed"} 1)",
        R"(gaur_jobs_finished_total{queue="q",function="f",outcome="retried"} 1)",
        R"(gaur_jobs_finished_total{queue="q",function="g",outcome="failed"} 1)",
        R"(gaur_job_wait_seconds_bucket{queue="q",function="f",le="1"} 0)",
        R"(gaur_job_wait_seconds_bucket{queue="q",function="f",le="2.5"} 2)",
        R"(gaur_job_run_seconds_bucket{queue="q",function="f",le="0.025"} 2)",
        R"(gaur_jobs{queue="q",state="waiting"} 1)", R"(gaur_jobs{queue="q",state="completed"} 1)",
        R"(gaur_queue_paused{queue="q"} 0)"}) {
    EXPECT_TRUE(has(text, line)) << line << "\n" << text;
  }
}

TEST_F(ClientTest, CountsCancelledJobsSeparately) {
  make();
  const auto added = add("q", {job("f"), job("f")});
  const Taken running = take("q");
  finish("q", running, outcome::Failed{{.code = "cancelled", .message = "by ann"}, false});
  ASSERT_TRUE(now(client_->cancel({QueueName("q"), added[1].id}, "ann", "")));
  const std::string text = *now(client_->metrics());
  for (const std::string line : {R"(gaur_jobs_finished_total{queue="q",function="f",outcome="cancelled"} 1)",
                                 R"(gaur_jobs_cancelled_total{queue="q",when="running"} 1)",
                                 R"(gaur_jobs_cancelled_total{queue="q",when="waiting"} 1)"}) {
    EXPECT_TRUE(has(text, line)) << line << "\n" << text;
  }
  EXPECT_EQ(text.find("outcome=\"failed\""), std::string::npos) << text;
}

TEST_F(ClientTest, CountsRejectedAddsByReason) {
  ClientOptions options;
  options.default_max_waiting = 1;
  make(options);
  add("q", {job("f")});
  EXPECT_FALSE(now(client_->add(QueueName("q"), {job("f")})));
  EXPECT_TRUE(has(*now(client_->metrics()), R"(gaur_jobs_rejected_total{queue="q",reason="queue_full"} 1)"));
}

}  // namespace
}  // namespace gaur
