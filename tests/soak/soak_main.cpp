// Millions of jobs through one process while its runners die: nothing may grow, and every job has exactly one
// outcome.
//   soak --store embedded|redis --jobs N [--reopen-every N] [--kill-every MS] [--folder FOLDER]
// Prints its time series and a summary as lines of JSON; ends with 1 and the reasons on stderr if a rule is
// broken. The folder (default: a new temporary one) contains the data and is removed at the end.
#include <fmt/format.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>
#include <optional>

#include "chaos/host.hpp"
#include "runner/keeper.hpp"
#include "soak/rig.hpp"
#include "soak/verdict.hpp"
#include "support/redis_server.hpp"

namespace gaur::test {
namespace {

struct Settings {
  std::string store = "embedded";
  std::uint64_t jobs = 100'000, reopen_every = 250'000, backlog = 5'000, samples = 100;
  std::int64_t kill_every_ms = 250;
  std::filesystem::path folder;
};

class Soak {
 public:
  explicit Soak(const Settings& settings) : settings_(settings), outcomes_(settings.jobs) {
    if (settings_.store == "redis") server_.emplace();
    rig_options_ = {.redis_port = server_ ? server_->port() : std::uint16_t{0},
                    .folder = settings_.folder,
                    .runner_program = GAUR_TEST_TESTBED};
    before_ = measure(::getpid());
  }

  /// The reasons why it failed.
  std::vector<std::string> run() {
    start_ = clock_.now();
    progressed_ = start_;
    open();
    next_kill_ = clock_.now() + Duration{settings_.kill_every_ms};
    while (outcomes_.ended() < settings_.jobs) {
      const bool added = add_some();
      kill_some();
      if (outcomes_.ended() >= next_sample_) sample();
      if (outcomes_.ended() >= next_reopen_ && settings_.jobs - outcomes_.ended() > settings_.backlog) open();
      if (stuck()) break;
      if (!added) let_pass(Duration{2});
    }
    sample();
    std::vector<std::string> problems = at_rest();
    close();
    const auto after = measure(::getpid());
    for (auto& each : problems_of(samples_)) problems.push_back(std::move(each));
    const auto require = [&](bool holds, std::string what) {
      if (!holds) problems.push_back(std::move(what));
    };
    const std::uint64_t own = server_ ? 1 : 0;
    require(after.processes == own && after.zombies == 0,
            fmt::format("{} processes and {} zombies are left", after.processes - own, after.zombies));
    require(after.descriptors == before_.descriptors,
            fmt::format("{} descriptors before, {} after", before_.descriptors, after.descriptors));
    require(outcomes_.not_once() == 0,
            fmt::format("{} jobs without exactly one outcome", outcomes_.not_once()));
    require(outcomes_.unknown() == 0, fmt::format("{} outcomes of unknown jobs", outcomes_.unknown()));
    require(outcomes_.unexpected() == 0, fmt::format("{} jobs with a wrong outcome", outcomes_.unexpected()));
    require(stalled_ > killed_ / 4 && stalled_ > 0, fmt::format("only {} runs stalled", stalled_));
    summarize(problems.empty());
    return problems;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(clock_.now() - start_).count(); }

  void open() {
    close();
    rig_.emplace(rig_options_, outcomes_);
    ++opened_;
    next_reopen_ += settings_.reopen_every;
  }
  void close() {
    if (!rig_) return;
    const WorkerCounters counters = rig_->counters();
    stalled_ += counters.stalled;
    retried_ += counters.retried;
    rig_.reset();
  }

  bool add_some() {
    if (added_ >= settings_.jobs || added_ - outcomes_.ended() >= settings_.backlog) return false;
    AddRequest request{kSoakQueue, {}, {SessionName("soak/producer"), ++sequence_}, 0};
    for (std::uint64_t i = 0; i < 500 && added_ < settings_.jobs; ++i)
      request.jobs.push_back(soak_job(added_++));
    while (true) {
      auto reply = rig_->store().add(request).get();
      if (reply) {
        for (const Added& each : *reply) outcomes_.added(each.id.value);
        return true;
      }
      fmt::print(stderr, "add: {}\n", reply.error().message);
      let_pass(Duration{100});  // and again, with the same sequence number
    }
  }

  void kill_some() {
    if (clock_.now() < next_kill_) return;
    if (rig_->kill_runner()) ++killed_;
    next_kill_ = clock_.now() + Duration{settings_.kill_every_ms};
  }

  /// Nothing ended for two minutes.
  bool stuck() {
    if (outcomes_.ended() != last_ended_) {
      last_ended_ = outcomes_.ended();
      progressed_ = clock_.now();
    }
    return clock_.now() - progressed_ > Duration{120'000};
  }

  void sample() {
    Sample made;
    made.seconds = seconds();
    made.jobs = outcomes_.ended();
    made.process = measure(::getpid());
    if (server_) {
      made.store_bytes = redis_info("used_memory");
      const auto keys = server_->call({"DBSIZE"});
      made.keys = keys.integer() == nullptr ? 0 : static_cast<std::uint64_t>(*keys.integer());
    } else {
      std::error_code ignored;
      made.store_bytes = std::filesystem::file_size(settings_.folder / "data/store/data.mdb", ignored);
    }
    fmt::print("{}\n", to_json(made));
    std::fflush(stdout);
    samples_.push_back(made);
    next_sample_ += std::max<std::uint64_t>(settings_.jobs / settings_.samples, 1);
  }
  std::uint64_t redis_info(const std::string& field) const {
    const auto reply = server_->call({"INFO", "memory"});
    const std::string text = reply.text() == nullptr ? "" : *reply.text();
    const auto at = text.find(field + ":");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + field.size() + 1));
  }

  /// With no job left: nothing waits, nothing is active, no lock remains.
  std::vector<std::string> at_rest() {
    std::vector<std::string> problems;
    const auto counts = rig_->store().counts(kSoakQueue).get();
    if (!counts) return {"counts: " + counts.error().message};
    for (const State state : {State::kWaiting, State::kPrioritized, State::kDelayed, State::kActive}) {
      if ((*counts)[state] != 0)
        problems.push_back(fmt::format("{} jobs are {}", (*counts)[state], to_string(state)));
    }
    if (!server_) return problems;
    const auto locks = server_->call({"KEYS", "bull:soak:*:lock"});
    if (locks.array() == nullptr || !locks.array()->empty()) problems.emplace_back("locks are left in Redis");
    return problems;
  }

  void summarize(bool passed) const {
    const auto memory = [](const Sample& each) { return each.process.anonymous_kib << 10U; };
    const auto store = [](const Sample& each) { return each.store_bytes; };
    fmt::print(
        R"({{"store":"{}","jobs":{},"seconds":{:.0f},"jobs_per_second":{:.0f},"runners_killed":{},"runs_stalled":{},"retried":{},"opened":{},"memory_bytes_per_million_jobs":{:.0f},"store_bytes_per_million_jobs":{:.0f},"passed":{}}})"
        "\n",
        settings_.store, outcomes_.ended(), seconds(), static_cast<double>(outcomes_.ended()) / seconds(),
        killed_, stalled_, retried_, opened_, growth_per_million(samples_, memory),
        growth_per_million(samples_, store), passed);
  }

  const Settings settings_;
  Outcomes outcomes_;
  SystemClock clock_;
  std::optional<RedisServer> server_;
  RigOptions rig_options_;
  std::optional<Rig> rig_;
  ProcessFigures before_;
  std::vector<Sample> samples_;
  Instant start_{}, next_kill_{}, progressed_{};
  std::uint64_t added_ = 0, sequence_ = 0, next_sample_ = 0, next_reopen_ = 0, last_ended_ = 0;
  std::uint64_t killed_ = 0, stalled_ = 0, retried_ = 0, opened_ = 0;
};

}  // namespace
}  // namespace gaur::test

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "keeper") == 0) return gaur::keeper_main(argc, argv);
  // The threads of a closed store leave free memory behind in their arenas: with one arena, memory that grows
  // is in use.
  mallopt(M_ARENA_MAX, 1);
  gaur::test::Settings settings;
  CLI::App app("Millions of jobs while runners die");
  std::string folder;
  app.add_option("--store", settings.store)->check(CLI::IsMember({"embedded", "redis"}));
  app.add_option("--jobs", settings.jobs);
  app.add_option("--reopen-every", settings.reopen_every, "Jobs between two closings of store and worker");
  app.add_option("--kill-every", settings.kill_every_ms, "Milliseconds between two kills of a runner");
  app.add_option("--folder", folder);
  CLI11_PARSE(app, argc, argv);
  if (folder.empty()) folder = (std::filesystem::temp_directory_path() / "gaur-soak-XXXXXX").string();
  if (folder.ends_with("XXXXXX") && ::mkdtemp(folder.data()) == nullptr) return 2;
  settings.folder = folder;
  const auto problems = gaur::test::Soak(settings).run();
  for (const auto& each : problems) fmt::print(stderr, "soak: {}\n", each);
  std::filesystem::remove_all(folder);
  return problems.empty() ? 0 : 1;
}
