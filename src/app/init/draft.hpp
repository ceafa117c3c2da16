#pragma once
// Drafts a commented gaur.toml from an environment file and a pm2 app, and reports the settings that it
// cannot convert. Reads and writes no files. Thread-safety: pure functions.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/layers.hpp"
#include "app/init/pm2.hpp"
#include "gaur/names.hpp"

namespace gaur::app {

/// A function of the finished and waiting jobs that `gaur look` found.
struct FoundFunction {
  std::string name;
  std::uint64_t runs = 0;
  std::optional<Duration> longest_run{};
  std::uint64_t waiting = 0;
  /// The queues whose jobs call it, the one with most jobs first.
  std::vector<std::string> queues{};
};

/// A remark for the user of the new file.
struct InitNote {
  enum class Kind : std::uint8_t {
    /// The user must fill it in or decide.
    kTodo,
    /// Was not copied.
    kSecret,
    /// Gaur does it differently.
    kChanges,
    /// Has no counterpart.
    kNone,
    /// Not a setting of pm2.
    kUnknown,
  };
  Kind kind = Kind::kTodo;
  /// "run.json: watch", ".env:3 REDIS_PASSWORD".
  std::string where;
  std::string text;
  bool operator==(const InitNote&) const = default;
};
std::string_view to_string(InitNote::Kind kind);

struct InitInputs {
  /// The variables of the environment file, in its order.
  std::vector<Variable> variables;
  /// The file's name in messages, such as ".env"; "" if there is no file.
  std::string env_file;
  /// Its path relative to the folder of the new gaur.toml; "" means `env_file`.
  std::string env_file_from_toml;
  std::optional<Pm2App> app;
  /// The file's name in messages, such as "run.json".
  std::string pm2_file;
  /// The NAME of `env_NAME`, or "".
  std::string pm2_env;
  /// If empty, the draft contains a placeholder.
  std::vector<std::string> queues;
  /// The source of `queues`: "--queue", "found under the prefix".
  std::string queues_from;
  /// `name` or `data.func`, by queue; only queues with jobs.
  std::map<std::string, std::string> function_places;
  std::vector<FoundFunction> functions;
  std::vector<InitNote> found_notes{};
  /// The cores of this machine, for pm2's `instances: max`.
  std::uint32_t cores = 1;
};

struct InitDraft {
  std::string toml;
  std::vector<InitNote> notes;
  /// Errors in the environment. If there are any, `toml` must not be written.
  std::vector<Problem> problems;
};
InitDraft draft_configuration(const InitInputs& inputs);

/// Whether the value of a variable must not be shown, because of its name or because it is a URL with a
/// password.
bool is_secret(std::string_view name, std::string_view value);

}  // namespace gaur::app
