// A process that opens a store whose file may be damaged, so that a crash ends this process and not the test.
//
//   damage_driver make FOLDER         creates a store with jobs in every state, and an older copy,
//   earlier.mdb damage_driver read FOLDER         prints every job and every list; exit code 10: damage was
//   reported damage_driver salvage FILE OUT    saves the readable jobs of a data file, and prints what was
//   lost damage_driver backup FOLDER FILE  copies a store and prints its number of jobs damage_driver hold
//   FOLDER         opens the store, prints a line and waits until it is killed
//
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/system_env.hpp"
#include "embedded/backup.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/salvage.hpp"

namespace gaur {
namespace {

constexpr int kDamageReported = 10;
const QueueName kQueues[]{QueueName("reports"), QueueName("mail"), QueueName("images")};

std::unique_ptr<EmbeddedStore> open_or_exit(const std::filesystem::path& folder, const Clock& clock,
                                            Executor& loop) {
  EmbeddedOptions options;
  options.folder = folder;
  options.reserve_bytes = 1 << 20;
  options.map_bytes = 1ULL << 32;
  auto opened = open_embedded(std::move(options), clock, loop);
  if (opened) return *std::move(opened);
  fmt::print("{}: {}\n", to_string(opened.error().code), opened.error().message);
  std::fflush(stdout);
  std::_Exit(opened.error().code == Errc::kCorrupt ? kDamageReported : 1);
}

template <class T>
T value_or_exit(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print("{}: {}\n", to_string(result.error().code), result.error().message);
  std::fflush(stdout);
  std::_Exit(result.error().code == Errc::kCorrupt ? kDamageReported : 1);
}

std::string text_of(int i, std::size_t bytes) {
  return fmt::format(R"({{"n":{},"text":"{}"}})", i, std::string(bytes, static_cast<char>('a' + i % 26)));
}

void add_jobs(Store& store, const QueueName& queue, int first, int count) {
  AddRequest request{
      queue, {}, {SessionName("producer-" + queue.value), static_cast<std::uint64_t>(first)}, 0};
  for (int i = first; i < first + count; ++i) {
    NewJob job{i % 3 == 0 ? "rank" : "top", text_of(i, i % 17 == 0 ? 9000 : 40 + i % 200), {}};
    if (i % 7 == 0) job.options.id = JobId(fmt::format("order-{}", i));
    if (i % 11 == 0) job.options.priority = static_cast<std::uint32_t>(1 + i % 5);
    if (i % 13 == 0) job.options.delay = Duration(1'000'000'000);
    request.jobs.push_back(std::move(job));
  }
  value_or_exit(store.add(std::move(request)).get());
}

/// Runs some jobs: completes two of three, fails one, and leaves the last ones active.
void run_jobs(Store& store, const QueueName& queue, std::uint32_t count, std::uint64_t sequence) {
  TakeRequest request;
  request.queue = queue;
  request.worker = "host";
  request.op = {SessionName("w-" + queue.value), sequence};
  request.take = count;
  const TakeReply reply = value_or_exit(store.finish_and_take(request).get());
  request.op.sequence = sequence + 1;
  request.take = 3;
  int i = 0;
  for (const Taken& taken : reply.taken) {
    Outcome outcome = outcome::Completed{text_of(i, i % 9 == 0 ? 6000 : 30)};
    if (i % 3 == 2) outcome = outcome::Failed{{"bad-input", "the input is bad", "at line 1", ""}, false};
    if (i % 5 == 0) value_or_exit(store.append_logs({queue, taken.job.id}, {"began", "ended"}).get());
    const Retention keep{.count = i % 4 == 0 ? std::optional<std::uint64_t>(150) : std::nullopt, .age = {}};
    request.finished.push_back({taken.job.id, taken.token, std::move(outcome), keep, {}});
    ++i;
  }
  value_or_exit(store.finish_and_take(request).get());
}

int make(const std::filesystem::path& folder) {
  SystemClock clock;
  ThreadLoop loop("driver-loop");
  auto store = open_or_exit(folder, clock, loop);
  for (int round = 0; round < 8; ++round) {
    for (const QueueName& queue : kQueues) {
      add_jobs(*store, queue, 1 + round * 100, 100);
      run_jobs(*store, queue, 60, 1 + static_cast<std::uint64_t>(round) * 2);
    }
    if (round != 4) continue;
    store.reset();
    std::filesystem::copy_file(folder / "store/data.mdb", folder / "earlier.mdb");
    store = open_or_exit(folder, clock, loop);
  }
  return 0;
}

void print_job(const Job& job) {
  fmt::print("job {} {} {} {} priority={} made={} started={} data={} result={} ", job.queue.value,
             job.id.value, job.name, to_string(job.state), job.priority, job.attempts_made,
             job.attempts_started, job.data, job.result);
  fmt::print("failure={} by={} at={}\n", job.failure ? job.failure->message : "-", job.processed_by,
             job.timestamp.time_since_epoch().count());
}

int read(const std::filesystem::path& folder) {
  SystemClock clock;
  ThreadLoop loop("driver-loop");
  const auto store = open_or_exit(folder, clock, loop);
  for (const QueueName& queue : kQueues) {
    const Counts counts = value_or_exit(store->counts(queue).get());
    for (const State state : kAllStates) {
      fmt::print("list {} {} {}\n", queue.value, to_string(state), counts[state]);
      const std::vector<Job> jobs = value_or_exit(store->range({queue, state, 0, 1000, false}).get());
      std::vector<Async<Job>> again;
      std::vector<decltype(store->logs({}, 0, 10))> logs;
      for (const Job& job : jobs) {
        again.push_back(store->get({queue, job.id}));
        logs.push_back(store->logs({queue, job.id}, 0, 10));
      }
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        print_job(jobs[i]);
        if (value_or_exit(std::move(again[i]).get()).data != jobs[i].data)
          fmt::print("get({}) differs\n", jobs[i].id.value);
        fmt::print("logs {}\n", value_or_exit(std::move(logs[i]).get()).lines.size());
      }
    }
    for (const auto& function : value_or_exit(store->waiting_functions(queue, "", 10).get()))
      fmt::print("function {} {}\n", function.function.value, function.jobs);
    fmt::print("events {}\n", value_or_exit(store->events(queue, "", 1000, Duration{0}).get()).events.size());
  }
  // What a worker takes, and which number the next job gets.
  for (const QueueName& queue : kQueues) {
    TakeRequest request;
    request.queue = queue;
    request.worker = "reader";
    request.take = 10;  // the store allocates disk space for the result of each
    for (const Taken& taken : value_or_exit(store->finish_and_take(request).get()).taken)
      fmt::print("taken {} {}\n", queue.value, taken.job.id.value);
    fmt::print("next {} {}\n", queue.value,
               value_or_exit(store->add({queue, {{"top", "{}", {}}}, {}, 0}).get()).front().id.value);
  }
  return 0;
}

int hold(const std::filesystem::path& folder) {
  SystemClock clock;
  ThreadLoop loop("driver-loop");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto store = open_or_exit(folder, clock, loop);
  fmt::print("open\n");
  std::fflush(stdout);
  while (true) pause();
}

int salvage(const std::filesystem::path& file, const std::filesystem::path& out) {
  const SystemClock clock;
  const auto opened = value_or_exit(embedded::PageFile::open(file.string()));
  const auto report = value_or_exit(embedded::salvage(opened, out, {clock.wall(), clock.now()}));
  for (const std::string& loss : report.losses) fmt::print("{}\n", loss);
  fmt::print("missing {}\n", report.missing);
  if (report.may_contain_removed_jobs) fmt::print("may contain removed jobs\n");
  if (report.may_contain_old_states) fmt::print("may contain old states\n");
  return 0;
}

int backup(const std::filesystem::path& folder, const std::filesystem::path& file) {
  fmt::print("jobs {}\n", value_or_exit(embedded::back_up(folder, file)).check.jobs);
  return 0;
}

}  // namespace
}  // namespace gaur

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "backup") return gaur::backup(argv[2], argv[3]);
  if (argc == 4 && std::string_view(argv[1]) == "salvage") return gaur::salvage(argv[2], argv[3]);
  if (argc != 3) return 2;
  const std::string_view command = argv[1];
  return command == "make"   ? gaur::make(argv[2])
         : command == "read" ? gaur::read(argv[2])
         : command == "hold" ? gaur::hold(argv[2])
                             : 2;
}
