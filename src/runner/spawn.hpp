#pragma once
// Starts a keeper and returns the server's ends of its pipes.
#include <sys/types.h>

#include <filesystem>

#include "base/fd.hpp"
#include "runner/keeper.hpp"
#include "runner/process_host.hpp"

namespace gaur {

/// The server's ends; all but the pidfd are non-blocking. Closing `commands` ends the process tree.
struct Spawned {
  /// Pidfd.
  Fd keeper;
  /// To the runner's 3.
  Fd frames_in;
  /// From its 4.
  Fd frames_out;
  Fd output, errors;
  Fd reports, commands;
};

/// Call it from a thread that lives as long as the server: the kernel signals the keeper when the thread
/// ends. Errors: kIo.
Result<Spawned> spawn_keeper(const std::filesystem::path& program, const SpawnSpec& spec);

/// The part of `environment` ("NAME=value" strings) that runners inherit: names in `pass`, where a last '*'
/// matches any ending.
std::map<std::string, std::string> passed_environment(const std::vector<std::string>& pass,
                                                      const char* const* environment);

}  // namespace gaur
