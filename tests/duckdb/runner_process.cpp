#include "runner_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gaur::test {
namespace {

constexpr int kPatience = 60'000;  // ms

void set_environment(const std::map<std::string, std::string>& environment) {
  for (const auto& [key, value] : environment) setenv(key.c_str(), value.c_str(), 1);
}

}  // namespace

TempFolder::TempFolder() {
  auto pattern = (std::filesystem::temp_directory_path() / "gaur-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

RunnerProcess::RunnerProcess(const std::string& spec, const RunnerOptions& options) {
  const auto file = folder_.path() / "spec.json";
  write_file(file, spec);
  std::filesystem::create_directory(out());
  std::filesystem::create_directory(tmp());
  int down[2];
  int up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ == 0) {
    const int in = fcntl(down[0], F_DUPFD, 20);
    const int out_end = fcntl(up[1], F_DUPFD, 20);
    dup2(in, 3);
    dup2(out_end, 4);
    close(in);
    close(out_end);
    set_environment({{"GAUR_TMP", tmp().string()},
                     {"GAUR_OUT", out().string()},
                     {"GAUR_THREADS", "2"},
                     {"GAUR_MEMORY", std::to_string(options.memory)}});
    set_environment(options.environment);
    if (options.data_limit != 0) {
      const rlimit limit{options.data_limit, options.data_limit};
      setrlimit(RLIMIT_DATA, &limit);
    }
    execl(GAUR_DUCKDB_EXECUTABLE, GAUR_DUCKDB_EXECUTABLE, "--spec", file.c_str(), nullptr);
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  to_ = down[1];
  from_ = up[0];
  const auto ready = line();
  if (!ready || ready->find("\"ready\"") == std::string::npos)
    ADD_FAILURE() << "not ready: " << ready.value_or("it ended");
}

RunnerProcess::~RunnerProcess() {
  close_input();
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(from_);
}

void RunnerProcess::send(const json::Object& frame) {
  send_line(json::serialize(frame) + "\n");
}

void RunnerProcess::send_line(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto wrote = write(to_, text.data() + at, text.size() - at);
    if (wrote < 0) return;  // the runner is gone: the next line() reports it
    at += static_cast<std::size_t>(wrote);
  }
}

std::string RunnerProcess::start(const std::string& function, const json::Value& data, json::Object more) {
  const auto run = "w1:" + std::to_string(++runs_) + ":0";
  json::Object frame{
      {"type", "run"},    {"run", run},           {"queue", "q"}, {"id", std::to_string(runs_)},
      {"name", function}, {"function", function}, {"data", data}, {"attempt", 1},
      {"started", 1},     {"timeout_ms", 0}};
  for (auto& member : more) frame[member.key()] = member.value();
  send(frame);
  return run;
}

std::optional<std::string> RunnerProcess::line() {
  while (true) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      auto found = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return found;
    }
    pollfd wait{from_, POLLIN, 0};
    if (poll(&wait, 1, kPatience) <= 0) {
      ADD_FAILURE() << "the runner said nothing for a minute";
      return std::nullopt;
    }
    char buffer[65536];
    const auto got = read(from_, buffer, sizeof buffer);
    if (got <= 0) return std::nullopt;
    pending_.append(buffer, static_cast<std::size_t>(got));
  }
}

json::Object RunnerProcess::outcome() {
  while (auto text = line()) {
    auto frame = json::parse_object(*text);
    if (!frame) {
      ADD_FAILURE() << "a broken frame: " << *text;
      return {};
    }
    if (json::text_or(*frame, "type", "") != "progress") {
      last_line = *text;
      return *std::move(frame);
    }
    progress.push_back(frame->at("value").to_number<double>());
  }
  return {{"type", "gone"}};
}

json::Object RunnerProcess::call(const std::string& function, const json::Value& data, json::Object more) {
  start(function, data, std::move(more));
  return outcome();
}

json::Object RunnerProcess::call_raw(const std::string& function, const std::string& data) {
  const auto run = "w1:" + std::to_string(++runs_) + ":0";
  send_line(R"({"type":"run","run":)" + json::quote(run) + R"(,"function":)" + json::quote(function) +
            R"(,"data":)" + data + "}\n");
  return outcome();
}

void RunnerProcess::close_input() {
  if (to_ >= 0) close(to_);
  to_ = -1;
}

int RunnerProcess::wait_exit() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::int64_t RunnerProcess::status_kib(const std::string& key) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string word; status >> word;) {
    std::int64_t value = 0;
    if (word == key + ":" && status >> value) return value;
  }
  return 0;
}

Finished run_program(const std::vector<std::string>& command,
                     const std::map<std::string, std::string>& environment) {
  int up[2];
  if (pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(up[1], 1);
    dup2(up[1], 2);
    set_environment(environment);
    std::vector<char*> arguments;
    for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(up[1]);
  Finished finished;
  char buffer[65536];
  for (ssize_t got = read(up[0], buffer, sizeof buffer); got > 0; got = read(up[0], buffer, sizeof buffer)) {
    finished.output.append(buffer, static_cast<std::size_t>(got));
  }
  close(up[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void expect_golden(const std::string& name, const std::string& actual) {
  const auto path = std::filesystem::path(GAUR_TEST_FOLDER) / "golden" / name;
  if (std::getenv("GAUR_WRITE_GOLDEN") != nullptr) write_file(path, actual);
  EXPECT_EQ(read_file(path), actual) << path;
}

}  // namespace gaur::test
