// A session of the runner SDK between two pipes, in this process: the frames it sends.
#include "runner_sdk/session.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/fd.hpp"
#include "base/system_env.hpp"

namespace gaur::runner_sdk {
namespace {

using testing::HasSubstr;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    from = ends[0];
    to = ends[1];
  }
  int from = -1, to = -1;
};

class SessionTest : public testing::Test {
 protected:
  ~SessionTest() override {
    if (serving_.joinable()) end();
    ::close(out_.from);
  }

  void serve(std::map<std::string, RunFunction> functions, Duration stop_timeout = Duration(5000)) {
    program_.name = "kit test";
    program_.functions = std::move(functions);
    SessionOptions options;
    options.in = in_.from;
    options.out = out_.to;
    options.threads = 4;
    options.memory_bytes = 1000;
    options.out_folder = "/out";
    options.stop_timeout = stop_timeout;
    options.exit = [this](int code) {
      exited_with = code;
      let_go.request_stop();
    };
    session_ = std::make_unique<Session>(program_, clock_, std::move(options));
    serving_ = std::thread([this] {
      exit_code = session_->serve();
      ::close(out_.to);
    });
    EXPECT_EQ(next(), R"({"type":"ready","protocol":1,"name":"kit test"})");
  }
  void serve_one(RunFunction function) { serve({{"f", std::move(function)}}); }

  void send(const std::string& line) {
    const std::string text = line + "\n";
    ASSERT_EQ(::write(in_.to, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void start(const std::string& data = "{}", const std::string& more = "") {
    send(
        R"({"type":"run","run":"r1","queue":"q","id":"7","name":"n","function":"f","attempt":2,"started":5,"data":)" +
        data + more + "}");
  }
  /// The next line that the session sends, "" at the end.
  std::string next() {
    std::string line;
    char c = 0;
    while (::read(out_.from, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  std::string answer_to(const std::string& data = "{}", const std::string& more = "") {
    start(data, more);
    return next();
  }
  void end() {
    ::close(in_.to);
    serving_.join();
    ::close(in_.from);
  }

  SystemClock clock_;
  RunnerProgram program_;
  Pipe in_, out_;
  std::unique_ptr<Session> session_;
  std::thread serving_;
  std::atomic<int> exit_code = -1, exited_with = -1;
  std::stop_source let_go;
};

TEST_F(SessionTest, PassesTheJobToItsHandler) {
  serve_one([](const JobView& job, RunContext& run) -> RunAnswer {
    EXPECT_EQ(job.id() + job.queue() + job.name() + job.function(), "7qnf");
    EXPECT_EQ(job.attempt(), 2U);
    EXPECT_EQ(job.started(), 5U);
    EXPECT_EQ(job.timeout(), Duration(900));
    EXPECT_EQ(job.data(), R"({"a":{"b":1.50,"t":"grüße","yes":true}, "n":3.0})");
    EXPECT_EQ(job.json("a"), R"({"b":1.50,"t":"grüße","yes":true})");
    EXPECT_EQ(job.text("a.t"), "grüße");
    EXPECT_EQ(job.integer("n"), 3);
    EXPECT_EQ(job.number("a.b"), 1.5);
    EXPECT_EQ(job.flag("a.yes"), true);
    EXPECT_FALSE(job.text("a.b") || job.integer("a.b") || job.number("a.t") || job.flag("x.y.z"));
    EXPECT_EQ(job.json("nowhere"), "");
    EXPECT_EQ(run.threads(), 3U);
    EXPECT_EQ(run.memory_bytes(), 1000U) << "from the environment, because the frame has none";
    EXPECT_EQ(run.out_folder(), "/out");
    EXPECT_FALSE(run.cancelled());
    return answer::Completed{};
  });
  EXPECT_EQ(answer_to(R"({"a":{"b":1.50,"t":"grüße","yes":true}, "n":3.0})",
                      R"(,"threads":3,"memory":0,"timeout_ms":900)"),
            R"({"type":"completed","run":"r1","result":null})");
}

TEST_F(SessionTest, SendsAFrameForEachAnswer) {
  serve_one([](const JobView& job, RunContext&) -> RunAnswer {
    switch (job.integer("n").value_or(0)) {
      case 1: return answer::Completed{"[1,\n2]"};
      case 2: return answer::Completed{"{}", answer::File{"a.csv", "csv", 3}};
      case 3: return answer::Failed{"no such \"day\"", "parameter", true, R"({"p":"day"})"};
      case 4: return answer::Snooze{Duration(250), "not yet"};
      default: return answer::Failed{"plain", "error", false, "no JSON"};
    }
  });
  EXPECT_EQ(answer_to(R"({"n":1})"), R"({"type":"completed","run":"r1","result":[1, 2]})");
  EXPECT_EQ(answer_to(R"({"n":2})"),
            R"({"type":"completed","run":"r1","result":{},"file":{"name":"a.csv","format":"csv","rows":3}})");
  EXPECT_EQ(
      answer_to(R"({"n":3})"),
      R"({"type":"failed","run":"r1","message":"no such \"day\"","code":"parameter","final":true,"details":{"p":"day"}})");
  EXPECT_EQ(answer_to(R"({"n":4})"), R"({"type":"snooze","run":"r1","delay_ms":250,"message":"not yet"})");
  EXPECT_EQ(answer_to(R"({"n":5})"),
            R"({"type":"failed","run":"r1","message":"plain","code":"error","final":false,"details":{}})");
}

TEST_F(SessionTest, ReportsAnExceptionAsAFailure) {
  serve_one([](const JobView& job, RunContext&) -> RunAnswer {
    switch (job.integer("n").value_or(0)) {
      case 1: throw std::runtime_error("it broke");
      case 2: throw std::bad_alloc();
      default: throw 5;
    }
  });
  EXPECT_THAT(answer_to(R"({"n":1})"), HasSubstr(R"("message":"it broke","code":"error")"));
  EXPECT_THAT(answer_to(R"({"n":2})"), HasSubstr(R"("code":"out_of_memory")"));
  EXPECT_THAT(answer_to(R"({"n":3})"), HasSubstr("not a std::exception"));
}

TEST_F(SessionTest, FailsAResultThatIsNotJson) {
  serve_one([](const JobView& job, RunContext&) -> RunAnswer {
    return answer::Completed{job.flag("large").value_or(false) ? "\"" + std::string(9 << 20, 'x') + "\""
                                                               : "{\"a\":nan}"};
  });
  EXPECT_THAT(answer_to(), HasSubstr(R"("code":"not_json")"));
  EXPECT_THAT(answer_to(R"({"large":true})"), HasSubstr(R"("code":"too_large")"));
}

TEST_F(SessionTest, FailsUnknownFunctionsFinally) {
  serve({{"a", [](const JobView&, RunContext&) -> RunAnswer { return answer::Completed{}; }},
         {"b", [](const JobView&, RunContext&) -> RunAnswer { return answer::Completed{}; }}});
  EXPECT_THAT(answer_to(),
              HasSubstr(R"(there is no function f; there are a, b","code":"unknown_function","final":true)"));
}

TEST_F(SessionTest, CancelsARunningHandler) {
  serve_one([](const JobView&, RunContext& run) -> RunAnswer {
    bool called = false;
    {
      // A callback may use the run. Its destructor waits for a call in progress.
      const std::stop_callback callback(run.stop_token(), [&] { called = run.cancelled(); });
      run.log("asleep");
      EXPECT_FALSE(run.wait(Duration(600'000)));
    }
    EXPECT_TRUE(called);
    return answer::Failed{run.cancel_message()};
  });
  start();
  EXPECT_EQ(next(), R"({"type":"log","run":"r1","line":"asleep"})");
  send(R"({"type":"cancel","run":"another","reason":"cancel","message":"not you"})");
  send(R"({"type":"cancel","run":"r1","reason":"timeout","message":"over 60 s"})");
  EXPECT_THAT(next(), HasSubstr(R"("message":"over 60 s","code":"interrupted")"));
  send(R"({"type":"cancel","run":"r1","reason":"cancel","message":"too late"})");
  start();
  EXPECT_THAT(next(), HasSubstr("asleep"));
  send(R"({"type":"cancel","run":"r1","reason":"cancel","message":""})");
  EXPECT_THAT(next(), HasSubstr(R"("message":"cancelled")"));
}

TEST_F(SessionTest, LimitsProgressAndSendsTheLastValue) {
  serve_one([](const JobView&, RunContext& run) -> RunAnswer {
    for (int i = 0; i <= 1000; ++i) run.progress(std::to_string(i));
    run.progress("no JSON");
    return answer::Completed{};
  });
  start();
  std::vector<std::string> lines;
  for (std::string line = next(); !line.starts_with(R"({"type":"completed")"); line = next())
    lines.push_back(line);
  ASSERT_GE(lines.size(), 2U);
  EXPECT_LT(lines.size(), 100U);
  EXPECT_EQ(lines.front(), R"({"type":"progress","run":"r1","value":0})");
  EXPECT_EQ(lines.back(), R"({"type":"progress","run":"r1","value":1000})");
}

TEST_F(SessionTest, EndsOnStopAndEndOfFile) {
  serve_one([](const JobView&, RunContext&) -> RunAnswer { return answer::Completed{}; });
  send(R"({"type":"from the future"})");
  send(R"({"type":"stop"})");
  serving_.join();
  EXPECT_EQ(exit_code, 0);
  EXPECT_EQ(next(), "");
}
TEST_F(SessionTest, ExitsWithOneOnABrokenFrame) {
  serve_one([](const JobView&, RunContext&) -> RunAnswer { return answer::Completed{}; });
  send("this is not JSON");
  serving_.join();
  EXPECT_EQ(exit_code, 1);
}
TEST_F(SessionTest, AStopCancelsTheRunAndSendsNoOutcome) {
  serve_one([](const JobView&, RunContext& run) -> RunAnswer {
    run.log("asleep");
    run.wait(Duration(600'000));
    return answer::Completed{};
  });
  start();
  EXPECT_THAT(next(), HasSubstr("asleep"));
  end();
  EXPECT_EQ(exit_code, 0);
  EXPECT_EQ(next(), "");
}
TEST_F(SessionTest, ExitsWithoutAHandlerThatIgnoresTheStop) {
  serve({{"f",
          [this](const JobView&, RunContext& run) -> RunAnswer {
            run.log("ignores the stop");
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock(mutex);
            never.wait(lock, let_go.get_token(), [] { return false; });
            return answer::Completed{};
          }}},
        Duration(20));
  start();
  EXPECT_THAT(next(), HasSubstr("ignores the stop"));
  end();
  EXPECT_EQ(exited_with, 0) << "the process would have exited";
}

}  // namespace
}  // namespace gaur::runner_sdk
