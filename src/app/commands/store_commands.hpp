#pragma once
// What `gaur backup`, `gaur restore` and `gaur doctor` share: their command lines and the data folder they
// work on.
#include <filesystem>
#include <optional>
#include <string>

#include "app/commands/arguments.hpp"
#include "embedded/store_check.hpp"

namespace gaur::app {

/// The data folder: `data`, or the one of the configured embedded store. Reports an error and sets `exit` if
/// the store is in Redis or the configuration has problems; with `data` the configuration is not read.
struct DataFolder {
  std::filesystem::path path;
  std::optional<int> exit;
};
DataFolder data_folder_for(std::string_view subcommand, const Arguments& arguments, const std::string& data);

/// "12 jobs in 3 queues".
std::string describe(const embedded::StoreCheck& check);

/// Prints the error; the exit code is kExitStore for an error of the store, else kExitProblem.
int exit_with_store_error(std::string_view subcommand, const Error& error);

}  // namespace gaur::app
