// What the embedded store does on this machine: durable adds, cycles (take, run nothing, finish), the time
// from an add to the start of its handler, reopening, memory. Prints one JSON document; every figure states
// commits and syncs.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json.hpp"
#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"

namespace gaur {

namespace {

const QueueName kQueue("bench");
/// About 200 bytes with its name, like a query's parameters.
const std::string kData =
    R"({"func":"top_keywords","params":{"region":"서울","from":"2026-11-01","to":"2026-11-22","limit":100,"categories":["food","travel","shopping"],"user":"u-1048576"}})";

struct Settings {
  std::filesystem::path folder;
  std::uint64_t jobs = 200'000;
  std::uint64_t backlog = 2'000'000;
  Durability durability = Durability::kCommit;
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "embedded_bench: {}\n", result.error().message);
    std::exit(1);
  }
  return *std::move(result);
}

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_(settings) {}

  std::string run() {
    std::string out = "[\n";
    out += adds("adds, 16 threads, arrays of 50", 16, 50, settings_.jobs * 2);
    out += ",\n" + adds("adds, 16 threads, one by one", 16, 1, settings_.jobs / 8);
    out += ",\n" + adds("adds, 1 thread, one by one", 1, 1, settings_.jobs / 100);
    out += ",\n" + cycles(1024);
    out += ",\n" + cycles(100);
    out += ",\n" + start_latency(2000);
    out += ",\n" + reopen(100'000);
    if (settings_.backlog > 0) out += ",\n" + backlog(settings_.backlog);
    return out + "\n]";
  }

 private:
  void open(bool fresh) {
    store_.reset();
    if (fresh) std::filesystem::remove_all(settings_.folder);
    store_ =
        must(open_embedded({.folder = settings_.folder, .durability = settings_.durability}, clock_, loop_));
  }
  double seconds_since(Instant start) const {
    return std::chrono::duration<double>(clock_.now() - start).count();
  }

  void add(std::uint64_t jobs, std::uint64_t array) {
    AddRequest request{kQueue, std::vector<NewJob>(array, NewJob{"top_keywords", kData, {}}), {}, 0};
    for (std::uint64_t done = 0; done < jobs; done += array) must(store_->add(request).get());
  }
  void fill(std::uint64_t jobs) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([this, jobs] { add(jobs / 4, 1000); });
    for (auto& thread : threads) thread.join();
  }

  /// CPU of the whole process: the cost of the store, also on a shared machine.
  static double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

  /// Bytes that this process had written to disk so far.
  static std::uint64_t written_bytes() {
    std::ifstream io("/proc/self/io");
    for (std::string line; std::getline(io, line);) {
      if (line.starts_with("wchar:")) return std::stoull(line.substr(6));
    }
    return 0;
  }

  static std::string commits(const EmbeddedStats& before, const EmbeddedStats& after, double jobs) {
    const auto count = static_cast<double>(after.commits - before.commits);
    return fmt::format(R"("commits":{},"syncs":{},"jobs_per_commit":{:.1f})", after.commits - before.commits,
                       after.syncs - before.syncs, count > 0 ? jobs / count : 0.0);
  }

  std::string adds(std::string_view name, int threads, std::uint64_t array, std::uint64_t jobs) {
    open(true);
    const EmbeddedStats before = store_->stats();
    const double cpu_before = cpu_seconds();
    const std::uint64_t written_before = written_bytes();
    const Instant start = clock_.now();
    std::vector<std::thread> producers;
    for (int i = 0; i < threads; ++i) {
      producers.emplace_back(
          [this, jobs, threads, array] { add(jobs / static_cast<std::uint64_t>(threads), array); });
    }
    for (auto& producer : producers) producer.join();
    const double took = seconds_since(start);
    const double cpu = cpu_seconds() - cpu_before;
    const std::uint64_t written = written_bytes() - written_before;
    const EmbeddedStats after = store_->stats();
    const auto added = static_cast<double>(after.jobs_added - before.jobs_added);
    return fmt::format(
        R"(  {{"name":"{}","jobs":{},"seconds":{:.3f},"jobs_per_second":{:.0f},"cpu_us_per_job":{:.2f},"written_bytes_per_job":{:.0f},"file_mib":{},{}}})",
        name, added, took, added / took, cpu * 1e6 / added, static_cast<double>(written) / added,
        after.file_bytes >> 20, commits(before, after, added));
  }

  TakeRequest turn(std::uint32_t take) {
    TakeRequest turn;
    turn.queue = kQueue;
    turn.op = {SessionName("bench-host"), ++number_};
    turn.take = take;
    turn.worker = "bench-host";
    return turn;
  }
  static std::vector<Finish> finishes(const std::vector<Taken>& taken) {
    std::vector<Finish> done;
    done.reserve(taken.size());
    for (const Taken& one : taken) {
      done.push_back(
          {one.job.id, one.token, outcome::Completed{}, {.count = 1000}, Usage{120, 1 << 20, 150, {}}});
    }
    return done;
  }

  /// One take request in flight, as in the worker: finishes all that it took and takes as many new ones.
  double cycle_all(std::uint32_t concurrency, std::uint64_t at_most, std::uint64_t& done) {
    const Instant start = clock_.now();
    std::vector<Finish> finished;
    while (done < at_most) {
      TakeRequest next = turn(concurrency);
      next.finished = std::move(finished);
      const TakeReply reply = must(store_->finish_and_take(std::move(next)).get());
      done += reply.finished.size();
      if (reply.taken.empty()) break;
      finished = finishes(reply.taken);
    }
    return seconds_since(start);
  }

  std::string cycles(std::uint32_t concurrency) {
    open(true);
    fill(settings_.jobs);
    const EmbeddedStats before = store_->stats();
    std::uint64_t done = 0;
    const double cpu_before = cpu_seconds();
    const std::uint64_t written_before = written_bytes();
    const double took = cycle_all(concurrency, UINT64_MAX, done);
    const double cpu = cpu_seconds() - cpu_before;
    const std::uint64_t written = written_bytes() - written_before;
    const EmbeddedStats after = store_->stats();
    return fmt::format(
        R"(  {{"name":"cycles at concurrency {}","jobs":{},"seconds":{:.3f},"cycles_per_second":{:.0f},"cpu_us_per_job":{:.2f},"written_bytes_per_job":{:.0f},{}}})",
        concurrency, done, took, static_cast<double>(done) / took, cpu * 1e6 / static_cast<double>(done),
        static_cast<double>(written) / static_cast<double>(done),
        commits(before, after, static_cast<double>(done)));
  }

  /// Idle, with an open long poll: from before the add until the taken job arrives where its handler would
  /// start.
  std::string start_latency(int samples) {
    open(true);
    std::vector<double> ms;
    std::vector<Finish> finished;
    for (int i = 0; i < samples; ++i) {
      TakeRequest parked = turn(1);
      parked.finished = std::move(finished);
      parked.long_poll = std::chrono::seconds(30);
      Promise<Instant> started;
      Promise<std::vector<Taken>> taken;
      store_->finish_and_take(std::move(parked)).then([&](Result<TakeReply> reply) {
        started.set(clock_.now());
        taken.set(must(std::move(reply)).taken);
      });
      must(store_->extend_locks({kQueue, {}, {}, "bench-host"}).get());  // by then the long poll is open
      const Instant start = clock_.now();
      auto added = store_->add({kQueue, {{"top_keywords", kData, {}}}, {}, 0});
      const Instant begun = started.future().get();
      ms.push_back(std::chrono::duration<double, std::milli>(begun - start).count());
      must(std::move(added).get());
      finished = finishes(taken.future().get());
    }
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double share) {
      return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
    };
    return fmt::format(
        R"(  {{"name":"add to handler start, idle, hand-off","samples":{},"p50_ms":{:.3f},"p95_ms":{:.3f},"p99_ms":{:.3f},"max_ms":{:.3f}}})",
        samples, at(0.5), at(0.95), at(0.99), ms.back());
  }

  std::string reopen(std::uint64_t jobs) {
    open(true);
    fill(jobs);
    must(store_->finish_and_take(turn(1000)).get());
    store_.reset();
    const Instant start = clock_.now();
    open(false);
    return fmt::format(R"(  {{"name":"reopen","jobs":{},"active_requeued":1000,"ms":{:.1f}}})", jobs,
                       seconds_since(start) * 1000);
  }

  static long rss_anon_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("RssAnon:")) return std::stol(line.substr(8));
    }
    return 0;
  }

  std::string backlog(std::uint64_t jobs) {
    constexpr std::uint64_t kFew = 10'000;
    constexpr std::uint64_t kMeasured = 50'000;
    open(true);
    const long idle = rss_anon_kib();
    fill(kFew * 10);
    std::uint64_t done = 0;
    double took = cycle_all(100, kMeasured, done);
    const double few = static_cast<double>(done) / took;
    fill(jobs);
    open(false);  // what the filling threads and buffers left behind is not the store's
    const long full = rss_anon_kib();
    done = 0;
    took = cycle_all(100, kMeasured, done);
    return fmt::format(
        R"(  {{"name":"backlog","waiting":{},"rss_anon_idle_kib":{},"rss_anon_full_kib":{},"cycles_per_second_few":{:.0f},"cycles_per_second_full":{:.0f},"file_mib":{}}})",
        jobs, idle, full, few, static_cast<double>(done) / took, store_->stats().file_bytes >> 20);
  }

  const Settings settings_;
  SystemClock clock_;
  ThreadLoop loop_{"bench-loop"};
  std::unique_ptr<EmbeddedStore> store_;
  std::uint64_t number_ = 0;
};

}  // namespace
}  // namespace gaur

int main(int argc, char** argv) {
  gaur::Settings settings;
  CLI::App app{"Benchmark of the embedded store; prints JSON"};
  std::string folder;
  bool relaxed = false;
  app.add_option("--folder", folder,
                 "On the disk to measure; default: a new one beside the working directory");
  app.add_option("--jobs", settings.jobs, "Jobs of the cycle runs; the others follow from it");
  app.add_option("--backlog", settings.backlog, "Waiting jobs of the memory run; 0 leaves it out");
  app.add_flag("--relaxed", relaxed, "One sync a commit");
  CLI11_PARSE(app, argc, argv);
  if (folder.empty()) folder = (std::filesystem::current_path() / "gaur-bench-XXXXXX").string();
  if (folder.ends_with("XXXXXX") && ::mkdtemp(folder.data()) == nullptr) return 1;
  settings.folder = std::filesystem::path(folder) / "data";
  settings.durability = relaxed ? gaur::Durability::kRelaxed : gaur::Durability::kCommit;
  utsname system{};
  ::uname(&system);
  fmt::print(R"({{"kernel":"{}","cores":{},"durability":"{}","results":{}}})"
             "\n",
             system.release, std::thread::hardware_concurrency(), relaxed ? "relaxed" : "commit",
             gaur::Bench(settings).run());
  std::filesystem::remove_all(folder);
  return 0;
}
