#include "backend.hpp"

#include <fmt/format.h>

#include <fstream>

#include "../embedded/temp_folder.hpp"
#include "base/files.hpp"
#include "engine_store.hpp"
#include "model/model_store.hpp"

namespace gaur::simulation {

namespace {

class ModelBackend final : public Backend {
 public:
  ModelBackend(const Clock& clock, model::Mutation mutation)
      : store_(clock, executor_, Semantics::bullmq(), mutation) {}
  Store& store() override { return store_; }
  void tick() override { store_.tick(); }
  void crash_and_reopen() override { store_.crash_and_reopen(); }

 private:
  ModelStore store_;
};

class EngineBackend final : public Backend {
 public:
  explicit EngineBackend(const Clock& clock) : clock_(clock), store_(clock, executor_) { open(); }
  Store& store() override { return store_; }
  void tick() override { store_.tick(); }
  void crash_and_reopen() override {
    store_.close();
    open();
  }
  std::string damage(std::uint64_t draw) override;

 private:
  void open() {
    if (Status opened = store_.open(folder_.path()); !opened)
      throw std::runtime_error("cannot open the store: " + opened.error().message);
  }

  const Clock& clock_;
  test::TempFolder folder_;
  EngineStore store_;
};

/// What a reader of the store sees of every job; "error" for one that cannot be read.
using Content = std::map<std::pair<QueueName, JobId>, std::string>;

Content content_of(const std::filesystem::path& folder, const Clock& clock, const Content& expected,
                   std::string& problem) {
  PumpedExecutor executor;
  EngineStore store(clock, executor);
  Content content;
  if (Status opened = store.open(folder); !opened) {
    problem = opened.error().message;
    return content;
  }
  const auto await = [&]<class T>(Async<T> future) {
    executor.pump();
    return std::move(future).get();
  };
  if (expected.empty()) {
    const auto queues = await(store.queues());
    for (const QueueName& queue : queues.value_or(std::vector<QueueName>{})) {
      for (const State state : kAllStates) {
        const auto jobs = await(store.range({.queue = queue, .state = state, .limit = 1000}));
        for (const Job& job : jobs.value_or(std::vector<Job>{}))
          content[{queue, job.id}] = job.name + job.data + job.result;
      }
    }
    return content;
  }
  for (const auto& [key, text] : expected) {
    const auto job = await(store.get({key.first, key.second}));
    content[key] = job ? job->name + job->data + job->result
                       : (job.error().code == Errc::kCorrupt ? "error" : "missing: " + job.error().message);
  }
  return content;
}

/// Flips one byte behind a frame of a record: of its key's checksum or its payload.
std::string flip_in_record(std::string& bytes, std::uint64_t draw) {
  std::vector<std::size_t> places;
  for (const char* magic : {"GauS", "GauB", "GauP"}) {
    for (auto at = bytes.find(magic); at != std::string::npos; at = bytes.find(magic, at + 1))
      places.push_back(at);
  }
  if (places.empty()) return "";
  const std::size_t at = places[draw % places.size()];
  const std::size_t byte = std::min(at + 4 + (draw >> 20) % 40, bytes.size() - 1);
  bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << ((draw >> 40) % 8)));
  return fmt::format("byte {} of record {} at {}", byte - at, bytes.substr(at, 4), at);
}

std::string EngineBackend::damage(std::uint64_t draw) {
  // The store stays open; a copy is damaged. What is committed is in the file.
  const test::TempFolder copy;
  const auto file = read_file(folder_.path() / "data.mdb", std::uintmax_t{1} << 30);
  if (!file) return "I22 cannot read the file: " + file.error().message;
  const auto write = [&](const std::string& bytes) {
    std::ofstream(copy.path() / "data.mdb", std::ios::binary) << bytes;
  };
  write(*file);
  std::string problem;
  const Content expected = content_of(copy.path(), clock_, {}, problem);
  if (!problem.empty()) return "I22 a copy does not open: " + problem;
  if (expected.empty()) return "nothing to damage";
  std::string damaged = *file;
  const std::string where = flip_in_record(damaged, draw);
  if (where.empty()) return "nothing to damage";
  write(damaged);
  const Content found = content_of(copy.path(), clock_, expected, problem);
  if (!problem.empty()) return fmt::format("damaged {}: does not open: {}", where, problem);
  std::size_t reported = 0;
  for (const auto& [key, text] : expected) {
    const std::string& now = found.at(key);
    if (now != text && now != "error")
      return fmt::format("I22 damaged {}: job {} is {} instead of {}", where, key.second.value, now, text);
    reported += now == "error" ? 1 : 0;
  }
  return fmt::format("damaged {}: {} jobs are reported", where, reported);
}

}  // namespace

std::unique_ptr<Backend> model_backend(const Clock& clock, model::Mutation mutation) {
  return std::make_unique<ModelBackend>(clock, mutation);
}
std::unique_ptr<Backend> engine_backend(const Clock& clock) {
  return std::make_unique<EngineBackend>(clock);
}

}  // namespace gaur::simulation
