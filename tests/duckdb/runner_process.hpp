#pragma once
// A gaur-duckdb process under test, started with a spec and driven over pipes as Gaur does; ends with the
// object.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace gaur::test {

/// A temporary folder; removed by the destructor.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct RunnerOptions {
  /// RLIMIT_DATA in bytes; 0: none.
  std::uint64_t data_limit = 0;
  std::uint64_t memory = 1ULL << 30;
  std::map<std::string, std::string> environment = {};
};

class RunnerProcess {
 public:
  RunnerProcess(const std::string& spec, const RunnerOptions& options = {});
  ~RunnerProcess();
  RunnerProcess(const RunnerProcess&) = delete;
  RunnerProcess& operator=(const RunnerProcess&) = delete;

  /// Starts a run and waits for its outcome; collects progress frames in `progress`.
  json::Object call(const std::string& function, const json::Value& data = json::Object(),
                    json::Object more = {});
  /// The same with the job's data as text, so that numbers keep their digits.
  json::Object call_raw(const std::string& function, const std::string& data);
  std::string start(const std::string& function, const json::Value& data = json::Object(),
                    json::Object more = {});
  json::Object outcome();
  /// The next frame, or nothing at end of file. Waits at most 60 s.
  std::optional<std::string> line();
  void send(const json::Object& frame);
  void close_input();
  int wait_exit();

  pid_t pid() const { return pid_; }
  std::filesystem::path out() const { return folder_.path() / "out"; }
  std::filesystem::path tmp() const { return folder_.path() / "tmp"; }
  /// Of /proc/pid/status.
  std::int64_t status_kib(const std::string& key) const;
  std::vector<double> progress;
  /// The text of the newest outcome.
  std::string last_line;

 private:
  void send_line(const std::string& text);
  TempFolder folder_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int runs_ = 0;
  std::string pending_;
};

struct Finished {
  int code = -1;
  /// Stdout, then stderr.
  std::string output;
};
/// Runs a program to its end.
Finished run_program(const std::vector<std::string>& command,
                     const std::map<std::string, std::string>& environment = {});

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);
/// `actual` against a golden file; with GAUR_WRITE_GOLDEN set the file is written instead.
void expect_golden(const std::string& name, const std::string& actual);

}  // namespace gaur::test
