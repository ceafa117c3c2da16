// The program that the process tests start as keeper, and a small server that they kill:
//   keeper_host server TESTBED FOLDER   starts runners that leave orphans, writes a line for each, and waits
#include <poll.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.hpp"
#include "base/system_env.hpp"
#include "runner/keeper.hpp"
#include "runner/pools.hpp"

namespace {

struct OrphanObserver : gaur::RunObserver {
  /// A runner has left its orphans: the test may kill this process.
  void on_progress(const gaur::LockToken&, std::string) override {
    [[maybe_unused]] const auto written = gaur::write_all(1, "x");
  }
  void on_log(const gaur::LockToken&, std::string) override {}
  void on_end(const gaur::LockToken&, gaur::RunEnd, gaur::Usage) override {}
};

int serve(const char* testbed, const char* folder) {
  gaur::SystemClock clock;
  gaur::SystemRandom random;
  gaur::ThreadLoop loop("server");
  gaur::PoolsOptions options;
  options.pools["p"].command = {testbed};
  options.functions[gaur::FunctionName("orphans")] = "p";
  options.functions[gaur::FunctionName("sleep")] = "p";
  options.run_folder = folder;
  gaur::Pools pools({clock, random, loop}, std::move(options));
  OrphanObserver nobody;
  int number = 0;
  loop.post([&] {
    pools.open();
    for (const char* function : {"orphans", "orphans", "sleep"}) {
      gaur::RunRequest request;
      request.taken.function = gaur::FunctionName(function);
      request.taken.job.data = R"({"ms":600000})";
      request.taken.token = gaur::LockToken("t" + std::to_string(++number));
      pools.start(std::move(request), nobody);
    }
  });
  ::poll(nullptr, 0, 120'000);  // until killed; never longer than a test
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "keeper") == 0) return gaur::keeper_main(argc, argv);
  if (argc == 4 && std::strcmp(argv[1], "server") == 0) return serve(argv[2], argv[3]);
  return 64;
}
