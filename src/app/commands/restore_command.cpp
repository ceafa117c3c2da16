// `gaur restore`: puts a backup into a data folder.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/commands/store_commands.hpp"
#include "app/subcommands.hpp"
#include "base/system_env.hpp"
#include "embedded/backup.hpp"

namespace gaur::app {

int restore_command(int argc, char** argv) {
  std::string data;
  embedded::RestoreOptions options;
  CommandLine line(
      "restore", "Puts a backup into a data folder, after checking it", CommandLine::Configuration::kLayers,
      {{kExitOk, "the store is restored"},
       {kExitProblem, "the configuration has problems, or the folder contains a store"},
       {kExitUsage, "wrong arguments"},
       {kExitStore, "the backup is damaged, a host uses the folder, or a file cannot be written"}});
  line.options().add_option("backup", options.backup, "File that gaur backup wrote")->required();
  line.options().add_option("--data", data, "Data folder (default: that of the configured store)");
  line.options().add_flag("--replace", options.replace,
                          "Replace the store in the folder; it is kept as store.replaced");
  line.add_number(
      "--skip-ids", options.skip_ids, 0, embedded::kMostSkippedIds,
      "Job ids to skip in each queue: the lost store may have given them to jobs after the backup");
  const Arguments arguments = line.parse(argc, argv);
  if (arguments.exit) return *arguments.exit;
  const DataFolder folder = data_folder_for("restore", arguments, data);
  if (folder.exit) return *folder.exit;
  options.folder = folder.path;
  const SystemClock clock;
  const auto report = embedded::restore(options, {clock.wall(), clock.now()});
  if (!report) return exit_with_store_error("restore", report.error());
  fmt::print("{}: restored {}; new job ids begin {} higher\n", folder.path.string(), describe(report->check),
             options.skip_ids);
  if (!report->replaced.empty()) fmt::print("the previous store is in {}\n", report->replaced.string());
  return kExitOk;
}

}  // namespace gaur::app
