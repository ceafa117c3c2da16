// gaur-duckdb: SQL functions as a runner. docs/reference/duckdb.md.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/system_env.hpp"
#include "duckdb/check.hpp"
#include "duckdb/runner_loop.hpp"
#include "duckdb/sandbox.hpp"

namespace {

using namespace gaur::duckdb;

int report(const std::vector<Problem>& problems, FILE* to) {
  for (const auto& problem : problems) fmt::print(to, "{}\n", problem_line(problem));
  return problems.empty() ? 0 : 1;
}

int print_version(const std::string& library) {
  const auto api = load_library(library);
  if (!api) {
    fmt::print(stderr, "gaur-duckdb: {}\n", api.error().message);
    return 1;
  }
  fmt::print("gaur-duckdb, DuckDB {} from {}\n", (*api)->version, (*api)->path.string());
  return 0;
}

std::filesystem::path folder_from(const char* variable) {
  const char* folder = std::getenv(variable);
  return folder == nullptr ? "" : folder;
}

/// A renewed program is already confined, and the kernel limits the number of Landlock layers.
bool confine_process(const Spec& spec, const std::filesystem::path& file) {
  if (spec.sandbox == Spec::Sandbox::kOff || std::getenv(kRenewedVariable) != nullptr) return true;
  const auto confined = confine(spec, {file, {folder_from("GAUR_TMP"), folder_from("GAUR_OUT")}});
  if (confined) return true;
  fmt::print(stderr, "gaur-duckdb: not confined by Landlock: {}\n", confined.error().message);
  return spec.sandbox == Spec::Sandbox::kPrefer;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("gaur-duckdb: SQL functions as a runner", "gaur-duckdb");
  std::string spec;
  std::string check;
  std::string described;
  std::string library;
  bool version = false;
  app.add_option("--spec", spec,
                 "run, with this specification, speaking the runner protocol on descriptors 3 and 4");
  app.add_option("--check", check, "check a specification; problems as JSON lines, exit 1");
  app.add_option("--describe", described, "print the functions of a specification as JSON");
  app.add_option("--library", library, "path of libduckdb, for --version");
  app.add_flag("--version", version, "print the version of DuckDB that is found");
  CLI11_PARSE(app, argc, argv);

  if (version) return print_version(library);
  const auto& file = !spec.empty() ? spec : !check.empty() ? check : described;
  if (file.empty()) {
    fmt::print(stderr, "{}", app.help());
    return 2;
  }
  std::error_code no_folder;
  const auto started_in = std::filesystem::current_path(no_folder);
  std::vector<Problem> problems;
  const auto loaded = load(file, problems);
  if (!check.empty()) {
    if (loaded.api) check_functions(*loaded.api, loaded.spec, problems);
    return report(problems, stdout);
  }
  if (!problems.empty()) return report(problems, stderr);
  if (!described.empty()) {
    fmt::print("{}\n", describe(*loaded.api, loaded.spec));
    return 0;
  }
  if (!confine_process(loaded.spec, started_in / file)) return 1;
  std::signal(SIGPIPE, SIG_IGN);  // a write after the reader is gone returns an error
  gaur::SystemClock clock;
  const auto renew = [&] {
    std::error_code error;
    std::filesystem::current_path(started_in, error);
    setenv(kRenewedVariable, "1", 1);
    execv("/proc/self/exe", argv);
  };
  return run_runner(*loaded.api, loaded.spec, clock, renew);
}
