// The process that the crash test kills. It adds and finishes jobs continuously on an embedded store, with
// twelve of each in flight, and writes each request before it sends it and each reply to standard output.
//   crash_driver FOLDER FIRST_NUMBER     until killed
//   crash_driver FOLDER fill JOBS        adds so many jobs, takes some, writes "full" and waits for the kill
#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>

#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "protocol.hpp"

namespace gaur::crash {
namespace {

void print(const std::string& lines) {
  // One write for all lines, so that the reader gets them together.
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = write(STDOUT_FILENO, lines.data() + done, lines.size() - done);
    if (wrote <= 0) _exit(3);
    done += static_cast<std::size_t>(wrote);
  }
}

class Driver {
 public:
  Driver(Store& store, std::uint64_t first) : store_(store), first_(first) {}

  /// Runs on the completions' thread, like the following functions.
  void start() {
    for (int i = 0; i < kProducers; ++i) add(fmt::format("p{}", i), first_, "");
    for (int i = 0; i < kWorkers; ++i) request(fmt::format("w{}", i), first_, "", {});
  }

 private:
  struct Run {
    std::string id, token;
  };

  void add(const std::string& session, std::uint64_t number, std::string lines) {
    print(lines + fmt::format("A {} {}\n", session, number));
    store_.add(add_request(session, number)).then([this, session, number](Result<std::vector<Added>> reply) {
      if (!reply) fail(reply.error());
      std::string line = fmt::format("a {} {}", session, number);
      for (const Added& added : *reply) line += " " + added.id.value;
      add(session, number + 1, line + "\n");
    });
  }

  void request(const std::string& session, std::uint64_t number, std::string lines, std::optional<Run> run) {
    TakeRequest request{.queue = kQueue, .op = {SessionName(session), number}, .take = 1, .worker = session};
    if (run) {
      const Kind kind = kind_of(number);
      request.finished.push_back(
          {.id = JobId(run->id), .token = LockToken(run->token), .outcome = outcome_of(kind, run->token)});
      lines +=
          fmt::format("F {} {} {} {} {}\n", session, number, run->id, run->token, static_cast<char>(kind));
    } else {
      lines += fmt::format("T {} {}\n", session, number);
    }
    print(lines);
    store_.finish_and_take(std::move(request)).then([this, session, number](Result<TakeReply> reply) {
      if (!reply) fail(reply.error());
      std::string state = "none";
      if (!reply->finished.empty()) {
        const auto& first = reply->finished.front();
        state = first ? to_string(first->state) : to_string(first.error().code);
      }
      std::optional<Run> next;
      if (!reply->taken.empty()) next = Run{reply->taken[0].job.id.value, reply->taken[0].token.value};
      this->request(session, number + 1,
                    fmt::format("f {} {} {} {} {}\n", session, number, state, next ? next->id : "-",
                                next ? next->token : "-"),
                    next);
    });
  }

  [[noreturn]] static void fail(const Error& error) {
    print("! " + error.message + "\n");
    _exit(4);
  }

  Store& store_;
  const std::uint64_t first_;
};

void fill(Store& store, std::size_t jobs) {
  for (std::size_t added = 0; added < jobs; added += 10'000) {
    AddRequest request{.queue = kQueue, .jobs = std::vector<NewJob>(10'000, NewJob{.name = "fill"})};
    if (!store.add(std::move(request)).get()) _exit(5);
  }
  if (!store.finish_and_take({.queue = kQueue, .take = 100, .worker = "filler"}).get()) _exit(6);
  print("full\n");
}

}  // namespace
}  // namespace gaur::crash

int main(int argc, char** argv) {
  using namespace gaur;
  if (argc < 3) return 2;
  SystemClock clock;
  ThreadLoop completions("completions");
  auto store = open_embedded({.folder = argv[1], .map_bytes = crash::kMapBytes}, clock, completions);
  if (!store) {
    crash::print("! " + store.error().message + "\n");
    return 1;
  }
  crash::Driver driver(**store, argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0);
  if (argc == 3) {
    completions.post([&driver] { driver.start(); });
  } else {
    crash::fill(**store, std::strtoull(argv[3], nullptr, 10));
  }
  while (true) pause();
}
