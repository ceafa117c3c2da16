// Kills a process with an open embedded store repeatedly (SIGKILL) while adds and finishes are in flight.
// After each reopening the store must agree with the replies that the clients got. --kills=N sets the number,
// --seed=N replays.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/manual_env.hpp"
#include "base/system_env.hpp"
#include "child.hpp"
#include "client_history.hpp"
#include "embedded/embedded_store.hpp"
#include "protocol.hpp"

namespace gaur::crash {
namespace {

int kills = 200;
std::optional<std::uint64_t> seed;
std::string program, driver;

/// On disk, not in memory, so that commits take long enough to be interrupted.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gaur-crash-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class KillTest {
 public:
  explicit KillTest(std::uint64_t from) : random_(from) {}

  void kill_once(int round) {
    Child child(
        {driver, folder_.path(), std::to_string(1 + 1'000'000ULL * static_cast<std::uint64_t>(round))});
    ASSERT_TRUE(child.started());
    // Kills it a random number of lines after enough operations are in flight.
    std::uint64_t more = 20 + random_.below(900);
    while (more > 0) {
      const auto line = child.line();
      ASSERT_TRUE(line) << "the driver exited: " << history_.driver_error();
      history_.read_line(*line);
      if (history_.adds_in_flight() >= 8 && history_.finishes_in_flight() >= 4) --more;
    }
    child.kill();
    EXPECT_TRUE(child.was_killed());
    while (const auto line = child.line()) history_.read_line(*line);
    ASSERT_EQ(history_.driver_error(), "");
    fewest_adds_ = std::min(fewest_adds_, history_.adds_in_flight());
    fewest_finishes_ = std::min(fewest_finishes_, history_.finishes_in_flight());
    EXPECT_GE(history_.adds_in_flight(), 8U);
    EXPECT_GE(history_.finishes_in_flight(), 4U);
    history_.driver_killed();
  }

  void reopen_and_check() {
    const Instant before = clock_.now();
    auto opened = open_embedded({.folder = folder_.path(), .map_bytes = kMapBytes}, clock_, completions_);
    slowest_open_ = std::max(slowest_open_, std::chrono::duration_cast<Duration>(clock_.now() - before));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
    history_.check(everything());
    for (const auto& [id, token] : history_.dead_runs()) expect_refused(id, token);
    history_.forget_dead_runs();
    for (const AddRequest& request : history_.unknown_adds()) send_again(request);
    history_.check(everything());
    for (const std::string& violation : history_.take_violations()) ADD_FAILURE() << violation;
  }

  /// Prepares the next round: removes the checked jobs and leaves enough to work on.
  void tidy_up() {
    const auto jobs = everything();
    for (const State state : {State::kCompleted, State::kFailed}) {
      ASSERT_TRUE(store_->clean(kQueue, state, Duration(0), 0).get());
      for (const Job& job : jobs.at(state)) history_.removed(job.id);
    }
    if (jobs.at(State::kWaiting).size() > 3000) {
      ASSERT_TRUE(store_->drain(kQueue, true).get());
      for (const Job& job : jobs.at(State::kWaiting)) history_.removed(job.id);
    }
    const auto counts = store_->counts(kQueue).get();
    ASSERT_TRUE(counts);
    if (counts->ready() < 500) {
      const auto added =
          store_->add({.queue = kQueue, .jobs = std::vector<NewJob>(500, NewJob{.name = "stock"})}).get();
      ASSERT_TRUE(added);
      for (const Added& one : *added) history_.added(one.id, "{}");
    }
    store_.reset();
  }

  /// Without further kills every job must finish.
  void finish_all() {
    TakeRequest request{.queue = kQueue, .op = {SessionName("last"), 0}, .take = 500, .worker = "last"};
    while (true) {
      ++request.op.sequence;
      const auto reply = store_->finish_and_take(request).get();
      ASSERT_TRUE(reply) << reply.error().message;
      for (const auto& finished : reply->finished) EXPECT_TRUE(finished);
      if (reply->taken.empty()) break;
      request.finished.clear();
      for (const Taken& taken : reply->taken) {
        request.finished.push_back(
            {.id = taken.job.id, .token = taken.token, .outcome = outcome::Completed{}});
      }
    }
    const auto counts = store_->counts(kQueue).get();
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->ready() + (*counts)[State::kActive] + (*counts)[State::kDelayed], 0U)
        << "I4: some jobs never finished";
  }

  void print_summary() const {
    fmt::print(
        "{} adds and {} finishes acknowledged; at each kill at least {} adds and {} finishes were in flight; "
        "of the finishes with an unknown outcome {} were executed, {} were not; slowest opening {} ms\n",
        history_.acknowledged_adds, history_.acknowledged_finishes, fewest_adds_, fewest_finishes_,
        history_.unknown_executed, history_.unknown_lost, slowest_open_.count());
    EXPECT_GT(history_.unknown_executed + history_.unknown_lost, 0U);
  }

 private:
  std::map<State, std::vector<Job>> everything() {
    std::map<State, std::vector<Job>> all;
    const auto counts = store_->counts(kQueue).get();
    EXPECT_TRUE(counts);
    for (const State state : kAllStates) {
      auto& jobs = all[state];
      while (true) {
        auto page =
            store_->range({.queue = kQueue, .state = state, .offset = jobs.size(), .limit = 1000}).get();
        EXPECT_TRUE(page) << page.error().message;
        if (!page || page->empty()) break;
        for (Job& job : *page) jobs.push_back(std::move(job));
      }
      EXPECT_TRUE(counts && (*counts)[state] == jobs.size()) << "I11: " << to_string(state);
    }
    return all;
  }

  void expect_refused(const JobId& id, const LockToken& token) {
    TakeRequest request{.queue = kQueue};
    request.finished.push_back({.id = id, .token = token, .outcome = outcome::Completed{"\"too late\""}});
    const auto reply = store_->finish_and_take(std::move(request)).get();
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->finished.at(0)) << "I5: a run of a killed process finished job " << id.value;
  }

  void send_again(const AddRequest& request) {
    const auto reply = store_->add(request).get();
    ASSERT_TRUE(reply) << reply.error().message;
    history_.sent_again(request, *reply);
  }

  SeededRandom random_;
  SystemClock clock_;
  ThreadLoop completions_{"completions"};
  Folder folder_;
  std::unique_ptr<EmbeddedStore> store_;
  ClientHistory history_;
  std::size_t fewest_adds_ = SIZE_MAX, fewest_finishes_ = SIZE_MAX;
  Duration slowest_open_{0};
};

TEST(EmbeddedStore, SurvivesRepeatedKills) {
  const std::uint64_t from = seed.value_or(SystemRandom().next() % 1'000'000'000);
  fmt::print("seed {}\n", from);
  SCOPED_TRACE(
      fmt::format("replay (the times of the kills differ): {} --seed={} --kills={}", program, from, kills));
  KillTest test(from);
  test.reopen_and_check();
  for (int round = 1; round <= kills && !testing::Test::HasFailure(); ++round) {
    test.tidy_up();
    test.kill_once(round);
    if (testing::Test::HasFailure()) break;
    test.reopen_and_check();
  }
  if (!testing::Test::HasFailure()) test.finish_all();
  test.print_summary();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr Duration kReopenBound{2'000};
#else
constexpr Duration kReopenBound{200};
#endif

TEST(EmbeddedStore, Reopens100000JobsWithinBound) {
  Folder folder;
  {
    Child filler({driver, folder.path(), "fill", "100000"});
    ASSERT_TRUE(filler.started());
    EXPECT_EQ(filler.line(), "full");
    filler.kill();
  }
  SystemClock clock;
  ThreadLoop completions("completions");
  const Instant before = clock.now();
  auto store = open_embedded({.folder = folder.path(), .map_bytes = kMapBytes}, clock, completions);
  ASSERT_TRUE(store) << store.error().message;
  const auto counts = (*store)->counts(kQueue).get();
  const auto took = std::chrono::duration_cast<Duration>(clock.now() - before);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->ready(), 100'000U);
  fmt::print("opened and counted in {} ms, {} ms below the bound\n", took.count(),
             (kReopenBound - took).count());
  EXPECT_LT(took, kReopenBound);
}

}  // namespace
}  // namespace gaur::crash

int main(int argc, char** argv) {
  using namespace gaur::crash;
  testing::InitGoogleTest(&argc, argv);
  program = argv[0];
  driver = (std::filesystem::absolute(argv[0]).parent_path() / "crash_driver").string();
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag.starts_with("--kills=")) kills = std::stoi(flag.substr(8));
    if (flag.starts_with("--seed=")) seed = std::stoull(flag.substr(7));
  }
  return RUN_ALL_TESTS();
}
