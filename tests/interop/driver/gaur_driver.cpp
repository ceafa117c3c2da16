// The verbs of a Bull store as JSON lines on stdin and stdout, so that tests in Node can be one of its two
// parties. Not installed; the protocol is the tests' own and changes with them.
//   gaur_driver redis://127.0.0.1:6379 [--prefix bull] [--name driver] [--wall MS] [--sightings N --span MS]
//     [--metrics POINTS]
// With --wall (or the verb set_wall) the scripts get this time for now instead of the server's.
// The verb `work` starts a whole worker in here (driver/work.hpp), `stop_work` ends it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>

#include "api/client_factory.hpp"
#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "bull/inspect.hpp"
#include "interop/driver/verbs.hpp"
#include "interop/driver/work.hpp"
#include "redis/connect.hpp"
#include "redis/url.hpp"

namespace gaur::driver {

namespace {

class SetClock final : public Clock {
 public:
  Instant now() const override { return real_.now(); }
  Time wall() const override { return from_ms(wall_ms_.load()); }
  void set(std::int64_t ms) { wall_ms_ = ms; }

 private:
  SystemClock real_;
  std::atomic<std::int64_t> wall_ms_{0};
};

struct Arguments {
  std::string url, prefix = "bull", name = "driver-" + std::to_string(::getpid());
  std::int64_t wall_ms = 0;
  std::uint32_t sightings = 1;
  std::int64_t span_ms = 0;
  std::uint32_t metrics = 0;
};

class Driver {
 public:
  Driver(const Arguments& arguments, redis::Endpoint endpoint) : name_(arguments.name) {
    clock_.set(arguments.wall_ms);
    options_.endpoint = std::move(endpoint);
    redis_ = redis::connect(options_, env_);
    bull::BullOptions bull;
    bull.prefix = prefix_ = arguments.prefix;
    bull.sightings = arguments.sightings;
    bull.sighting_span = Duration(arguments.span_ms);
    bull.metrics_points = arguments.metrics;
    if (arguments.wall_ms != 0) bull.clock_for_tests = &clock_;
    store_ = bull::make_bull_store(*redis_, env_, std::move(bull));
    client_ = make_client(*store_, env_, metrics_);
    verbs_ = std::make_unique<Verbs>(Verbs::Parts{*store_, *client_, random_, name_}, answers_);
  }
  ~Driver() {
    work_.reset();
    client_.reset();
    store_.reset();
    shown_.reset();
    redis_.reset();
  }

  void serve() {
    std::string line;
    while (std::getline(std::cin, line)) {
      auto parsed = Request::parse(line);
      if (!parsed) {
        answers_.error(0, parsed.error());
        continue;
      }
      handle(*parsed);
    }
  }

 private:
  void handle(const Request& request) {
    if (request.verb() == "set_wall") {
      clock_.set(request.whole("ms"));
    } else if (request.verb() == "ready") {
      if (auto ready = redis_->ready().get(); !ready) return answers_.error(request.number(), ready.error());
    } else if (request.verb() == "work") {
      work_ = std::make_unique<Work>(*store_, name_, request);
      redis::ClientOptions shown = options_;  // as `gaur work` shows itself to Bull's getWorkers()
      shown.client_name = redis_store::worker_connection_name(prefix_, request.queue());
      shown_ = redis::connect(std::move(shown), env_);
    } else if (request.verb() == "stop_work") {
      work_.reset();
    } else {
      return verbs_->run(request);
    }
    answers_.value(request.number(), "true");
  }

  const std::string name_;
  SetClock clock_;
  SystemClock real_;
  SystemRandom random_;
  ThreadLoop loop_{"driver"};
  const Env env_{real_, random_, loop_};
  Metrics metrics_;
  Answers answers_;
  std::string prefix_;
  redis::ClientOptions options_;
  std::unique_ptr<redis::Client> redis_, shown_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Verbs> verbs_;
  std::unique_ptr<Work> work_;
};

}  // namespace

}  // namespace gaur::driver

int main(int argc, char** argv) {
  using namespace gaur::driver;
  Arguments arguments;
  CLI::App app("The verbs of a Bull store as JSON lines");
  app.add_option("url", arguments.url)->required();
  app.add_option("--prefix", arguments.prefix);
  app.add_option("--name", arguments.name);
  app.add_option("--wall", arguments.wall_ms);
  app.add_option("--sightings", arguments.sightings);
  app.add_option("--span", arguments.span_ms);
  app.add_option("--metrics", arguments.metrics);
  CLI11_PARSE(app, argc, argv);
  auto url = gaur::redis::parse_url(arguments.url);
  if (!url) {
    std::cerr << url.error().message << '\n';
    return 2;
  }
  Driver(arguments, std::move(url->endpoint)).serve();
  return 0;
}
