#pragma once
// The files by which `gaur quiet` and `gaur leave` find the host of a data folder: host.json, and host-id for
// the name of its worker. The folder's lock, not host.json, shows whether a host runs.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "app/config/config.hpp"
#include "base/fd.hpp"

namespace gaur::app {

struct HostFile {
  std::int64_t pid = 0;
  /// "http://127.0.0.1:8378".
  std::string url;
  std::string version;
  /// Of the worker.
  std::string name;
  /// "": no token, or it is in the environment.
  std::string token_file;
  std::int64_t started_ms = 0;
};

/// Thread-safety: any thread. The write is atomic.
Status write_host_file(const std::filesystem::path& data_folder, const HostFile& host);
/// Errors: kNotFound, kCorrupt (not a host file), kIo.
Result<HostFile> read_host_file(const std::filesystem::path& data_folder);
void remove_host_file(const std::filesystem::path& data_folder);

/// Creates the data folder and locks it: while it is locked, no other process uses the folder's worker name.
/// Errors: kBusy (names the process), kIo.
Result<Fd> lock_data_folder(const std::filesystem::path& data_folder);

/// The worker's name on a Redis store if none is configured: the machine's name and a random number, which
/// the data folder keeps. It is unique even if machines are cloned with their names and paths. Errors: kIo.
Result<std::string> worker_name_of(const Config& config, const std::string& host);

}  // namespace gaur::app
