// `gaur doctor`: checks a data file page by page, and saves what can be read of a damaged one into a new
// store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/commands/store_commands.hpp"
#include "app/subcommands.hpp"
#include "base/system_env.hpp"
#include "embedded/salvage.hpp"
#include "embedded/shared_env.hpp"
#include "embedded/store_folder.hpp"

namespace gaur::app {
namespace {

void print_damages(std::string_view what, const embedded::Damages& damages) {
  for (const std::string& text : damages.texts()) fmt::print("{}: {}\n", what, text);
  if (damages.count() > damages.texts().size())
    fmt::print("{}: and {} more\n", what, damages.count() - damages.texts().size());
}

int report(const std::filesystem::path& path, const Result<embedded::StoreCheck>& found) {
  if (!found && found.error().code != Errc::kCorrupt && found.error().code != Errc::kNewerFormat)
    return exit_with_error("doctor", found.error().message, kExitStore);
  if (!found) {
    fmt::print("{}: {}\n", path.string(), found.error().message);
    return kExitProblem;
  }
  if (found->sound()) {
    fmt::print("{}: sound; {}, {} pages checked\n", path.string(), describe(*found), found->pages_read);
    return kExitOk;
  }
  fmt::print("{}: damaged\n", path.string());
  print_damages("structure", found->structure);
  print_damages("record", found->records);
  fmt::print("{}\n", embedded::damage_advice());
  return kExitProblem;
}

/// Checks a snapshot.
int check_used_store(const std::filesystem::path& path) {
  const auto env = embedded::open_used_store(path.parent_path());
  if (!env) return report(path, env.error());
  fmt::print("a host uses {}: checking a snapshot\n", path.string());
  std::fflush(stdout);
  return report(path, embedded::check_snapshot(env->get(), {.large_values = true}));
}

int salvage(const embedded::PageFile& file, const std::filesystem::path& out) {
  const SystemClock clock;
  const auto report = embedded::salvage(file, out, {clock.wall(), clock.now()});
  if (!report) return exit_with_store_error("doctor", report.error());
  for (const std::string& loss : report->losses) fmt::print("{}\n", loss);
  if (report->missing > 0) fmt::print("{} jobs fewer than the damaged store counted\n", report->missing);
  if (report->may_contain_removed_jobs)
    fmt::print(
        "the list of free pages is damaged: jobs that had been removed may be in the new store again\n");
  if (report->may_contain_old_states)
    fmt::print(
        "some jobs may have an older state, or had been removed: a meta page is damaged, or the lists of "
        "jobs do not agree with the jobs\n");
  fmt::print("{}: {} jobs saved. To use it, stop the host and start it with this data folder\n", out.string(),
             report->jobs);
  return kExitOk;
}

}  // namespace

int doctor_command(int argc, char** argv) {
  std::string data, out;
  CommandLine line(
      "doctor", "Checks an embedded store page by page; saves what can be read of a damaged one",
      CommandLine::Configuration::kLayers,
      {{kExitOk, "the store is sound; with --salvage: a new store was written"},
       {kExitProblem, "the store is damaged or missing, or the configuration has problems"},
       {kExitUsage, "wrong arguments"},
       {kExitStore,
        "a host uses the store (--salvage), nothing can be saved, or a file cannot be read or written"}});
  line.options().add_option("--data", data,
                            "Data folder, or a data file such as a backup (default: the configured store)");
  line.options().add_option("--salvage", out, "New data folder for the jobs that can be read");
  const Arguments arguments = line.parse(argc, argv);
  if (arguments.exit) return *arguments.exit;
  const DataFolder folder = data_folder_for("doctor", arguments, data);
  if (folder.exit) return *folder.exit;
  std::error_code ignored;
  const bool is_file = std::filesystem::is_regular_file(folder.path, ignored);
  const std::filesystem::path path =
      is_file ? folder.path : embedded::data_file(embedded::store_path(folder.path));
  if (!std::filesystem::exists(path, ignored))
    return exit_with_error("doctor", fmt::format("there is no data file {}", path.string()), kExitProblem);
  // Kept until the end: the file must not change while it is read.
  const auto lock = embedded::lock_data_file(path, embedded::DataLock::kShared);
  if (!lock && lock.error().code == Errc::kBusy && !is_file) {
    if (out.empty()) return check_used_store(path);
    return exit_with_error("doctor", fmt::format("a host uses {}; stop it before a salvage", path.string()),
                           kExitStore);
  }
  if (!lock) return exit_with_error("doctor", lock.error().message, kExitStore);
  const embedded::PageFile file(lock->get());
  if (out.empty()) return report(path, embedded::check_store(file, {.large_values = true}));
  return salvage(file, std::filesystem::absolute(out).lexically_normal());
}

}  // namespace gaur::app
