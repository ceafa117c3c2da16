// A small mutation fuzzer for builds without libFuzzer: runs every file of a corpus, then mutations of them.
// One seed always produces the same inputs. An input that crashes or takes over a second is written to
// crash-<target>, and the message says how to run it again.
//   fuzz_cron CORPUS_FOLDER [--seconds=N] [--seed=N]      fuzz_cron FILE
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/manual_env.hpp"
#include "base/system_env.hpp"
#include "fuzz.hpp"

namespace gaur::fuzz {
namespace {

constexpr std::size_t kLongest = 64 << 10;
constexpr rlim_t kMemory = rlim_t{1} << 30;

const std::string* current = nullptr;  // read by the signal handler
char crash_file[256];

void on_crash(int signal) {
  const int fd = ::open(crash_file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0 && current != nullptr && ::write(fd, current->data(), current->size()) >= 0) ::close(fd);
  const char* what = signal == SIGVTALRM ? "the input took over a second; it is in " : "the input is in ";
  (void)!::write(2, what, std::char_traits<char>::length(what));
  (void)!::write(2, crash_file, std::char_traits<char>::length(crash_file));
  (void)!::write(2, "\n", 1);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGABRT, &standard, nullptr);
  std::abort();
}

void catch_crashes(const std::string& target) {
  const std::string file = (std::filesystem::current_path() / ("crash-" + target)).string();
  std::copy_n(file.c_str(), std::min(file.size() + 1, sizeof crash_file - 1), crash_file);
  struct sigaction action {};
  action.sa_handler = on_crash;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGVTALRM})
    ::sigaction(signal, &action, nullptr);
}

/// CPU time, so that a busy machine does not fail the test.
void set_alarm(long seconds) {
  const itimerval timer{{0, 0}, {seconds, 0}};
  ::setitimer(ITIMER_VIRTUAL, &timer, nullptr);
}

void run(const std::string& input) {
  current = &input;
  set_alarm(1);
  // A copy of exact size, so that a read past the end is found.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  set_alarm(0);
}

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, std::uint64_t seed) : corpus_(std::move(corpus)), random_(seed) {}

  std::string next() {
    std::string input = pick();
    for (std::uint64_t steps = 1 + random_.below(6); steps > 0; --steps) mutate(input);
    if (input.size() > kLongest) input.resize(kLongest);
    return input;
  }

 private:
  const std::string& pick() { return corpus_[random_.below(corpus_.size())]; }
  std::size_t place(const std::string& text) { return random_.below(text.size() + 1); }
  std::string piece(const std::string& text) {
    const std::size_t from = place(text);
    return text.substr(from, 1 + random_.below(16));
  }

  void mutate(std::string& input) {
    static constexpr std::string_view kTokens[] = {"0",
                                                   "-1",
                                                   "9223372036854775807",
                                                   "-9223372036854775808",
                                                   "18446744073709551616",
                                                   "1e400",
                                                   "NaN",
                                                   "null",
                                                   "\"",
                                                   "\\u0000",
                                                   "\\ud800",
                                                   "\r\n",
                                                   "\n\n",
                                                   "/*",
                                                   "*/",
                                                   "${",
                                                   "{",
                                                   "}",
                                                   "[",
                                                   "]",
                                                   "\xEF\xBB\xBF",
                                                   "\xF0\x9F\x98\x80",
                                                   "\xC0\x80",
                                                   "%00",
                                                   "..%2F"};
    switch (random_.below(9)) {
      case 0:
        if (!input.empty()) input[random_.below(input.size())] ^= static_cast<char>(1 << random_.below(8));
        return;
      case 1:
        if (!input.empty()) input[random_.below(input.size())] = static_cast<char>(random_.below(256));
        return;
      case 2: input.insert(place(input), 1, static_cast<char>(random_.below(256))); return;
      case 3: input.erase(place(input), 1 + random_.below(8)); return;
      case 4: input.insert(place(input), piece(input)); return;
      case 5: input.insert(place(input), piece(pick())); return;
      case 6: input.insert(place(input), kTokens[random_.below(std::size(kTokens))]); return;
      case 7: input.resize(place(input)); return;
      default: {
        const std::string part = piece(input);
        std::string many;
        for (std::uint64_t count = 1 + random_.below(300); count > 0 && many.size() < kLongest; --count)
          many += part;
        input.insert(place(input), many);
      }
    }
  }

  std::vector<std::string> corpus_;
  SeededRandom random_;
};

std::vector<std::string> read_corpus(const std::filesystem::path& path) {
  std::error_code error;
  std::vector<std::filesystem::path> files{path};
  if (std::filesystem::is_directory(path)) files = entries_of(path, error);
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    auto text = read_file(file, kLongest);
    if (!text) {
      fmt::print(stderr, "error: {}\n", text.error().message);
      std::exit(2);
    }
    corpus.push_back(*std::move(text));
  }
  return corpus;
}

std::uint64_t number_after(std::string_view flag) {
  return std::stoull(std::string(flag.substr(flag.find('=') + 1)));
}

int run_all(int argc, char** argv) {
  std::filesystem::path path;
  std::uint64_t seconds = 0, seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag.starts_with("--seconds=")) {
      seconds = number_after(flag);
    } else if (flag.starts_with("--seed=")) {
      seed = number_after(flag);
    } else {
      path = flag;
    }
  }
  const std::vector<std::string> corpus = path.empty() ? std::vector<std::string>{} : read_corpus(path);
  if (corpus.empty()) {
    fmt::print(stderr, "usage: {} CORPUS_FOLDER|FILE [--seconds=N] [--seed=N]\n", argv[0]);
    return 2;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit memory{kMemory, kMemory};
  ::setrlimit(RLIMIT_DATA, &memory);
#endif
  catch_crashes(std::filesystem::path(argv[0]).filename().string());
  for (const std::string& input : corpus) run(input);
  Mutator mutator(corpus, seed);
  const SystemClock clock;
  const Instant end = clock.now() + std::chrono::seconds(seconds);
  std::uint64_t inputs = 0;
  for (; clock.now() < end; ++inputs) run(mutator.next());
  fmt::print("{} files of the corpus and {} mutations of seed {} passed\n", corpus.size(), inputs, seed);
  return 0;
}

}  // namespace
}  // namespace gaur::fuzz

int main(int argc, char** argv) {
  return gaur::fuzz::run_all(argc, argv);
}
