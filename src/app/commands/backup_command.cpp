// `gaur backup`: copies an embedded store, also while a host uses it, and checks the copy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/commands/store_commands.hpp"
#include "app/config/units.hpp"
#include "app/subcommands.hpp"
#include "base/system_env.hpp"
#include "base/time_text.hpp"
#include "embedded/backup.hpp"

namespace gaur::app {
namespace {

/// A folder gets a file named by the time, such as gaur-20261128T173000Z.mdb.
std::filesystem::path backup_file(const std::string& target) {
  std::error_code ignored;
  if (!target.ends_with('/') && !std::filesystem::is_directory(target, ignored)) return target;
  std::string time = iso_time_seconds(SystemClock().wall());
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return std::filesystem::path(target) / fmt::format("gaur-{}.mdb", time);
}

}  // namespace

int backup_command(int argc, char** argv) {
  std::string target, data;
  CommandLine line("backup",
                   "Copies an embedded store to a file, also while a host uses it, and checks the copy",
                   CommandLine::Configuration::kLayers,
                   {{kExitOk, "the backup is complete and was checked"},
                    {kExitProblem, "the configuration has problems, there is no store, or the file exists"},
                    {kExitUsage, "wrong arguments"},
                    {kExitStore, "the store is damaged or cannot be read, or the file cannot be written"}});
  line.options()
      .add_option("target", target, "File to write, or a folder: it gets gaur-TIME.mdb")
      ->required();
  line.options().add_option("--data", data, "Data folder (default: that of the configured store)");
  const Arguments arguments = line.parse(argc, argv);
  if (arguments.exit) return *arguments.exit;
  const DataFolder folder = data_folder_for("backup", arguments, data);
  if (folder.exit) return *folder.exit;
  const std::filesystem::path file = backup_file(target);
  const auto report = embedded::back_up(folder.path, file);
  if (!report) return exit_with_store_error("backup", report.error());
  fmt::print("{}: {}, {}; checked\n", file.string(), describe(report->check), human_bytes(report->bytes));
  return kExitOk;
}

}  // namespace gaur::app
