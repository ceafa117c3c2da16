#pragma once
// Starts a keeper and hands over the server's ends of its pipes.
#include <sys/types.h>

#include <filesystem>

#include "base/fd.hpp"
#include "runner/keeper.hpp"
#include "runner/shell.hpp"

namespace gaur {

/// The server's ends; all but the pidfd non-blocking. Closing `commands` ends everything below.
struct Spawned {
  Fd keeper;      ///< pidfd
  Fd frames_in;   ///< to the runner's 3
  Fd frames_out;  ///< from its 4
  Fd output, errors;
  Fd reports, commands;
};

/// Call it from one thread that lives as long as the server: the keeper is told to end when that thread does.
/// Errors: kIo.
Result<Spawned> spawn_keeper(const std::filesystem::path& program, const SpawnSpec& spec);

/// What a runner gets to see of `environment` ("NAME=value" strings): names in `pass`, a last '*' standing
/// for any ending.
std::map<std::string, std::string> passed_environment(const std::vector<std::string>& pass,
                                                      const char* const* environment);

}  // namespace gaur
