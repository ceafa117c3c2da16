#pragma once
// From an environment file and a pm2 app to a commented gaur.toml, and what could not be taken over. Pure:
// nothing is read or written here. Thread-safety: pure functions.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/layers.hpp"
#include "app/init/pm2.hpp"
#include "gaur/names.hpp"

namespace gaur::app {

/// A function that `gaur look` found among the kept and the waiting jobs.
struct FoundFunction {
  std::string name;
  std::uint64_t runs = 0;
  std::optional<Duration> longest_run{};
  std::uint64_t waiting = 0;
  /// Whose jobs call it, the one with most jobs first.
  std::vector<std::string> queues{};
};

/// What the reader of the new file has to know.
struct InitNote {
  enum class Kind : std::uint8_t {
    /// Has to be filled in or decided.
    kTodo,
    /// Was not copied.
    kSecret,
    /// Was given, and Gaur does it differently.
    kChanges,
    /// Was given and has no counterpart.
    kNone,
    /// pm2 does not know it either.
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
  /// Of the environment file, in its order.
  std::vector<Variable> variables;
  /// As shown: ".env"; "" if there is none.
  std::string env_file;
  /// Its path as seen from the new gaur.toml's folder; "": as shown.
  std::string env_file_from_toml;
  std::optional<Pm2App> app;
  /// As shown: "run.json".
  std::string pm2_file;
  /// NAME of `env_NAME`, or "".
  std::string pm2_env;
  /// Given or found; empty: a placeholder is written.
  std::vector<std::string> queues;
  /// How they are known: "--queue", "found under the prefix".
  std::string queues_from;
  /// Of found queues with jobs: `name` or `data.func`.
  std::map<std::string, std::string> function_places;
  std::vector<FoundFunction> functions;
  std::vector<InitNote> found_notes{};
  /// Of this machine, for pm2's `instances: max`.
  std::uint32_t cores = 1;
};

struct InitDraft {
  std::string toml;
  std::vector<InitNote> notes;
  /// What the environment says and cannot be meant: not to be written.
  std::vector<Problem> problems;
};
InitDraft draft_configuration(const InitInputs& inputs);

/// Whether a variable's value must not be shown: by its name, or because it is a URL with a password.
bool is_secret(std::string_view name, std::string_view value);

}  // namespace gaur::app
