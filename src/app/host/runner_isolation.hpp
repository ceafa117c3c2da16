#pragma once
// What separates the runners of each pool from the server, from the configuration and from what this machine
// can do.
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "runner/isolation.hpp"

namespace gaur::app {

/// The name of the user that runners get if it exists and `runners.user` is "auto".
inline constexpr const char* kRunnerUser = "gaur-runner";

/// The isolation of one pool's runners. Errors: kNotFound, kPermission (runners.user).
Result<Isolation> isolation_of(const Config& config, const PoolConfig& pool);

/// Whether the runners of a pool with confined files would get a file of the host. Errors: kInvalidArgument,
/// with the key and what to do.
Status check_paths(const Config& config, const std::string& pool);

/// Lets the runners' user pass through the data folder, and read the spec of gaur-duckdb, without listing
/// either. Errors: kIo; kPermission if it cannot reach the data folder.
Status let_runners_in(const Config& config, const UserIds& user);
/// Lets the user's primary group read the file.
Status let_read(const std::filesystem::path& file, const UserIds& user);

/// Problems of runners.user (no such user, not permitted, or folders that it cannot reach), and paths of
/// confined pools that contain files of the host.
void check_isolation(Settings& settings, const Config& config);

/// Sentences for the log and `gaur check`: a server of root without separated runners.
std::vector<std::string> isolation_warnings(const Config& config);

/// One line for each protection of each pool.
void print_isolation(const Config& config);

}  // namespace gaur::app
