#include "app/host/duckdb_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "app/host/duckdb_spec.hpp"
#include "app/host/program.hpp"

namespace gaur::app {
namespace {

/// A temporary file that the destructor removes.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text) {
    const char* folder = std::getenv("TMPDIR");
    path_ = fmt::format("{}/gaur-check-XXXXXX", folder == nullptr ? "/tmp" : folder);
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) return;
    complete_ = write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(descriptor);
  }
  ~ScratchFile() { unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  bool complete() const { return complete_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool complete_ = false;
};

bool has_functions(const Config& config, const std::string& pool) {
  for (const auto& [name, function] : config.functions) {
    if (function.pool == pool) return true;
  }
  return false;
}

/// Whether the configuration check has reported it already: the same key, or a function without SQL.
bool is_reported(const std::vector<Problem>& reported, const Problem& problem) {
  return std::ranges::any_of(reported, [&](const Problem& each) {
    return each.key == problem.key ||
           (problem.key == each.key + ".sql" && each.key.starts_with("functions."));
  });
}

}  // namespace

void check_duckdb_pool(Settings& settings, const Config& config, const std::string& pool) {
  const KeyPath key{"pools", pool};
  if (!has_functions(config, pool)) return settings.problem(key, "no function uses this pool");
  const ScratchFile spec(compose_duckdb_spec(settings, config, pool));
  if (!spec.complete())
    return settings.problem(key, fmt::format("cannot write {}: {}", spec.path(), std::strerror(errno)));
  const auto output = run_program({gaur_duckdb_program().string(), "--check", spec.path()});
  if (!output) return settings.problem(key, output.error().message);
  const std::vector<Problem> before = settings.problems();
  std::string_view rest = output->text;
  bool printed = false;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (line.empty()) continue;
    printed = true;
    Problem problem = problem_of_duckdb(settings, pool, line);
    if (!is_reported(before, problem)) settings.problem(std::move(problem));
  }
  if (output->exit_code != 0 && !printed)
    settings.problem(key, fmt::format("gaur-duckdb --check failed with exit code {}", output->exit_code));
}

}  // namespace gaur::app
