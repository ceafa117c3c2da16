#pragma once
// What separates a runner from the server, from other runners and from the machine. The keeper applies it to
// the runner between fork and exec. docs/explanation/isolation.md.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/process_protection.hpp"

namespace gaur {

struct Isolation {
  enum class Level : std::uint8_t {
    /// no_new_privs, limits and its own process group only.
    kOff,
    /// Also no capabilities, a filter of system calls, no signals to processes outside.
    kBasic,
    /// Also no new namespaces, and only the files in `read`, `write`, the system's and its own scratch.
    kStrict,
  };
  Level level = Level::kBasic;
  /// Do not start a runner without the protections that this kernel lacks.
  bool required = false;
  /// kStrict: the keeper confines files. False for gaur-duckdb, which does so itself once libduckdb is
  /// loaded.
  bool confine_files = true;
  /// Sockets. False requires kBasic or more.
  bool network = true;
  /// Of its runners; nothing: the server's.
  std::optional<UserIds> user;
  /// kStrict, beside the system's paths: the program, its folder and its data.
  std::vector<std::filesystem::path> read;
  /// kStrict, beside the scratch folder.
  std::vector<std::filesystem::path> write;
};

const char* to_string(Isolation::Level level);

/// Which step failed.
enum class IsolationStep : std::uint32_t { kNone, kCgroup, kUser, kLandlock, kSeccomp, kProcesses };
struct IsolationFailure {
  IsolationStep step = IsolationStep::kNone;
  int error_number = 0;
};
/// "switch to the runners' user" and the like.
const char* to_string(IsolationStep step);

/// Applies `isolation` to the calling process, which has one thread. `scratch`: its own folder.
IsolationFailure isolate(const Isolation& isolation, const std::filesystem::path& scratch);

/// One protection, as `gaur check` prints it.
struct Protection {
  std::string name;
  /// "" if it is in force; else why not and what to do.
  std::string missing;
};
/// Of kStrict.
inline constexpr const char* kFilesProtection = "files: only its own";
/// What `isolation` gives on this machine.
std::vector<Protection> protections_of(const Isolation& isolation);

/// kStrict: what every runner reads: the system's programs, libraries and public settings.
std::vector<std::filesystem::path> paths_of_every_runner();

/// What a confined command reads beside its working folder: the program (searched in `path_list`), the
/// libraries of a program in a folder `bin`, and the files among its arguments.
std::vector<std::filesystem::path> paths_of_command(const std::vector<std::string>& command,
                                                    const std::filesystem::path& folder,
                                                    const char* path_list);

/// The keeper's arguments for it, and back. Unknown arguments are ignored.
std::vector<std::string> to_arguments(const Isolation& isolation);
void read_argument(Isolation& isolation, const std::string& name, const std::string& value);

}  // namespace gaur
