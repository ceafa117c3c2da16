#pragma once
// What a running host leaves in its data folder, so that `gaur quiet` and `gaur leave` find it: host.json,
// and the name under which it holds jobs. Whether a host runs is told by the folder's lock, never by
// host.json.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "app/config/config.hpp"
#include "base/fd.hpp"

namespace gaur::app {

struct HostFile {
  std::int64_t pid = 0;
  std::string url;  ///< "http://127.0.0.1:8378"
  std::string version;
  std::string name;        ///< of its worker
  std::string token_file;  ///< "": none, or the token is in the environment
  std::int64_t started_ms = 0;
};

/// Thread-safety: any thread; the file is the state. Written whole or not at all.
Status write_host_file(const std::filesystem::path& data_folder, const HostFile& host);
/// Nothing: no such file, or none that can be read.
std::optional<HostFile> read_host_file(const std::filesystem::path& data_folder);
void remove_host_file(const std::filesystem::path& data_folder);

/// Makes the data folder and locks it for this process: while it is held, nobody else carries the folder's
/// worker name. Errors: kBusy (names the process), kIo.
Result<Fd> lock_data_folder(const std::filesystem::path& data_folder);

/// On a Redis store the worker's name must be no other host's, also where machines were cloned with name and
/// paths: without a configured one it is made of the host's name and a random number that stays in the data
/// folder. Errors: kIo.
Result<std::string> worker_name_of(const Config& config, const std::string& host);

}  // namespace gaur::app
