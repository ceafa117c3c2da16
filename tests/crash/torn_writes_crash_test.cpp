// Power cuts below LMDB: the writes and syncs of a real store are recorded, and files are built from them as
// a power cut may leave them. All writes before a sync are on disk; of those after it any subset of their
// 512-byte sectors. Each file opens and contains every acknowledged change.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "../embedded/temp_folder.hpp"
#include "base/files.hpp"
#include "base/manual_env.hpp"
#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/engine.hpp"
#include "embedded/snapshot.hpp"
#include "embedded/store_check.hpp"
#include "write_log.hpp"

namespace gaur::crash {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::uint64_t kMapBytes = std::uint64_t{1} << 30;
const QueueName kQueue{"query"};

std::size_t images() {
  return std::getenv("GAUR_LONG") == nullptr ? 400 : 10'000;
}

/// What the client knows of a job, with the length of the log when it got the reply.
struct Known {
  std::string data, result;
  std::size_t added_at = 0, completed_at = SIZE_MAX;
};
using History = std::map<JobId, Known>;

struct Recording {
  /// The data file of the new store. It is created aside and renamed, so that a power cut leaves it whole or
  /// absent.
  std::string base;
  std::vector<LoggedWrite> log;
  History jobs;
};

/// Adds, takes and completes jobs in a real store.
Recording record(Durability durability) {
  test::TempFolder folder;
  SystemClock clock;
  SeededRandom random(1);
  Recording recording;
  ThreadLoop loop("completions");
  EmbeddedOptions options;
  options.folder = folder.path();
  options.durability = durability;
  options.reserve_bytes = 1 << 20;
  options.map_bytes = kMapBytes;
  const std::filesystem::path file = folder.path() / "store" / "data.mdb";
  if (const auto created = open_embedded(options, clock, loop); !created)
    throw std::runtime_error(created.error().message);
  recording.base = read_file(file, kMapBytes).value();
  record_writes(file);
  auto store = open_embedded(options, clock, loop);
  if (!store) throw std::runtime_error(store.error().message);
  std::uint64_t sequence = 0;
  for (int round = 0; round < 150; ++round) {
    AddRequest add{.queue = kQueue};
    for (std::uint64_t count = 1 + random.below(4); count > 0; --count)
      add.jobs.push_back({.name = "f", .data = fmt::format("\"{}\"", std::string(random.below(6000), 'd'))});
    const auto added = (*store)->add(add).get();
    for (std::size_t i = 0; added && i < added->size(); ++i)
      recording.jobs[(*added)[i].id] = {add.jobs[i].data, "", logged_writes(), SIZE_MAX};
    TakeRequest take{.queue = kQueue, .op = {SessionName("w"), ++sequence}, .take = 2, .worker = "w"};
    const auto taken = (*store)->finish_and_take(take).get();
    if (!taken) throw std::runtime_error(taken.error().message);
    TakeRequest finish{.queue = kQueue, .op = {SessionName("w"), ++sequence}, .worker = "w"};
    for (const Taken& one : taken->taken) {
      Known& known = recording.jobs[one.job.id];
      known.result = fmt::format("\"{}\"", std::string(random.below(3000), 'r'));
      finish.finished.push_back({one.job.id, one.token, outcome::Completed{known.result}});
    }
    const auto finished = (*store)->finish_and_take(finish).get();
    for (const Finish& one : finish.finished) {
      if (finished) recording.jobs[one.id].completed_at = logged_writes();
    }
  }
  recording.log = take_write_log();
  return recording;
}

void write_into(std::string& file, const LoggedWrite& write) {
  if (file.size() < write.offset + write.bytes.size()) file.resize(write.offset + write.bytes.size());
  file.replace(write.offset, write.bytes.size(), write.bytes);
}

/// A subset of the sectors: all, none, or each by chance.
void apply_torn(std::string& file, const LoggedWrite& write, SeededRandom& random) {
  const std::uint64_t kind = random.below(4);
  if (kind == 0) return;
  if (kind == 1) return write_into(file, write);
  for (std::size_t at = 0; at < write.bytes.size();) {
    const std::size_t size = std::min(kSector - (write.offset + at) % kSector, write.bytes.size() - at);
    if (random.below(2) == 0) write_into(file, {write.offset + at, write.bytes.substr(at, size), false});
    at += size;
  }
}

enum class Verdict : int { kIntact, kLost, kReported };

/// Opens the file and looks for every change that was acknowledged before entry `until`.
Verdict examine(const std::filesystem::path& folder, const History& jobs, std::size_t until,
                std::string& what) {
  const auto file = embedded::PageFile::open((folder / "data.mdb").string());
  const auto check = embedded::check_store(file.value(), {.large_values = true});
  if (!check || !check->sound()) {
    what = !check ? check.error().message : problems_of(*check).summary();
    return Verdict::kReported;
  }
  auto env = embedded::LmdbEnv::open({folder, kMapBytes, false});
  const ManualClock clock;
  auto engine = env ? embedded::Engine::open(**env, Semantics::bullmq(), {clock.wall(), clock.now()})
                    : Result<std::unique_ptr<embedded::Engine>>(env.error());
  if (!engine) {
    what = engine.error().message;
    return Verdict::kReported;
  }
  auto txn = embedded::Txn::begin(**env, embedded::Txn::Mode::kRead);
  embedded::Snapshot snapshot(**txn);
  for (const auto& [id, known] : jobs) {
    if (known.added_at > until) continue;
    const auto job = snapshot.get({kQueue, id});
    if (!job && job.error().code == Errc::kCorrupt) {
      what = job.error().message;
      return Verdict::kReported;
    }
    const bool completed = known.completed_at <= until;
    if (job && job->data == known.data &&
        (!completed || (job->state == State::kCompleted && job->result == known.result)))
      continue;
    what = fmt::format("job {} is {}", id.value, job ? to_string(job->state) : "lost");
    return Verdict::kLost;
  }
  const auto counts = snapshot.counts(kQueue);
  for (const State state : kAllStates) {
    const auto listed = snapshot.range({.queue = kQueue, .state = state, .limit = 1000});
    if (!counts || !listed || listed->size() == (*counts)[state] || state == State::kWaitingChildren)
      continue;
    what = fmt::format("{} {} jobs are listed, {} are counted", listed->size(), to_string(state),
                       (*counts)[state]);
    return Verdict::kLost;
  }
  return Verdict::kIntact;
}

struct Found {
  std::size_t images = 0, intact = 0, lost = 0, reported = 0, died = 0;
  std::string first;
};

/// Examines in a child process: a file that LMDB cannot read may kill it.
void examine_in_child(const std::string& file, const History& jobs, std::size_t until, std::size_t point,
                      Found& found) {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "data.mdb", std::ios::binary) << file;
  const pid_t child = ::fork();
  if (child == 0) {
    std::string what;
    const Verdict verdict = examine(folder.path(), jobs, until, what);
    std::ofstream(folder.path() / "what") << what;
    ::_exit(static_cast<int>(verdict));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const int verdict = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ++found.images;
  std::size_t& count = verdict == 0   ? found.intact
                       : verdict == 1 ? found.lost
                       : verdict == 2 ? found.reported
                                      : found.died;
  ++count;
  if (verdict == 0 || !found.first.empty()) return;
  std::string what;
  std::getline(std::ifstream(folder.path() / "what"), what);
  found.first = fmt::format("cut at entry {}: {}", point, verdict < 0 ? "the process died" : what);
}

enum class Disk { kHonest, kIgnoresSyncs };

/// Cuts the power at `count` places. `at_last_sync`: only changes before the last sync are expected.
Found cut_power(const Recording& recording, std::size_t count, Disk disk, bool at_last_sync = false) {
  const auto& log = recording.log;
  SeededRandom random(7);
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < count; ++i) points.push_back(random.below(log.size()));
  std::sort(points.begin(), points.end());
  std::string durable = recording.base;  // the file as it surely is
  std::vector<LoggedWrite> loose;        // written, and not synced
  std::size_t at = 0, last_sync = 0;
  Found found;
  for (const std::size_t point : points) {
    for (; at < point; ++at) {
      const bool honest = disk == Disk::kHonest;
      if (log[at].is_sync()) {
        last_sync = at;
        // A disk that ignores syncs writes the oldest half.
        const std::size_t kept = honest ? loose.size() : loose.size() / 2;
        for (std::size_t i = 0; i < kept; ++i) write_into(durable, loose[i]);
        loose.erase(loose.begin(), loose.begin() + static_cast<std::ptrdiff_t>(kept));
      } else if (log[at].durable && honest) {
        write_into(durable, log[at]);
      } else {
        loose.push_back(log[at]);
      }
    }
    std::string file = durable;
    for (const LoggedWrite& write : loose) apply_torn(file, write, random);
    if (!log[point].is_sync()) apply_torn(file, log[point], random);  // the call had not returned
    examine_in_child(file, recording.jobs, at_last_sync ? last_sync : point, point, found);
  }
  return found;
}

void print(const char* name, const Recording& recording, const Found& found) {
  const auto syncs = static_cast<std::size_t>(
      std::count_if(recording.log.begin(), recording.log.end(),
                    [](const LoggedWrite& entry) { return entry.is_sync() || entry.durable; }));
  fmt::print(
      "{}: {} writes and {} syncs; {} power cuts: {} intact, {} with losses, {} reported, {} died{}{}\n",
      name, recording.log.size() - syncs, syncs, found.images, found.intact, found.lost, found.reported,
      found.died, found.first.empty() ? "" : "; first: ", found.first);
}

TEST(TornWrites, LoseNoAcknowledgedChange) {
  const Recording recording = record(Durability::kCommit);
  ASSERT_GT(recording.log.size(), 300U);
  const Found found = cut_power(recording, images(), Disk::kHonest);
  print("commit", recording, found);
  EXPECT_EQ(found.intact, found.images) << found.first;
}

TEST(TornWrites, UndoAtMostTheLastCommitWithRelaxedDurability) {
  const Recording recording = record(Durability::kRelaxed);
  const Found found = cut_power(recording, images() / 2, Disk::kHonest, true);
  print("relaxed", recording, found);
  EXPECT_EQ(found.intact, found.images) << found.first;
  const Found strict = cut_power(recording, images() / 2, Disk::kHonest);
  print("relaxed, held to commit", recording, strict);
  EXPECT_GT(strict.lost, 0U) << "the last commit can be undone, so the check must find it";
}

TEST(TornWrites, AreFoundOnADiskThatIgnoresSyncs) {
  const Recording recording = record(Durability::kCommit);
  const Found found = cut_power(recording, images() / 4, Disk::kIgnoresSyncs);
  print("a disk that ignores syncs", recording, found);
  EXPECT_GT(found.lost + found.reported + found.died, 0U) << "this test cannot find a loss";
}

}  // namespace
}  // namespace gaur::crash
