#include "app/commands/store_commands.hpp"

#include <fmt/format.h>

#include "app/host/opened_store.hpp"
#include "app/host/run_host.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {

DataFolder data_folder_for(std::string_view subcommand, const Arguments& arguments, const std::string& data) {
  if (!data.empty()) return {std::filesystem::absolute(data).lexically_normal(), std::nullopt};
  const Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return {{}, print_configuration_problems(loaded.settings)};
  if (loaded.config.redis) {
    return {{},
            exit_with_error(
                subcommand,
                "the configured store is in Redis; this command works on embedded stores (name one with "
                "--data DIR)",
                kExitProblem)};
  }
  return {loaded.config.data_folder, std::nullopt};
}

std::string describe(const embedded::StoreCheck& check) {
  return fmt::format("{} job{} in {} queue{}", check.jobs, check.jobs == 1 ? "" : "s", check.queues.size(),
                     check.queues.size() == 1 ? "" : "s");
}

int exit_with_store_error(std::string_view subcommand, const Error& error) {
  return exit_with_error(subcommand, error.message, is_store_error(error.code) ? kExitStore : kExitProblem);
}

}  // namespace gaur::app
