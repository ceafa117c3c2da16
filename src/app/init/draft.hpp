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
  std::vector<std::string> queues{};  ///< whose jobs call it, the one with most jobs first
};

/// What the reader of the new file has to know.
struct InitNote {
  enum class Kind : std::uint8_t {
    kTodo,     ///< has to be filled in or decided
    kSecret,   ///< was not copied
    kChanges,  ///< was given, and Gaur does it differently
    kNone,     ///< was given and has no counterpart
    kUnknown,  ///< pm2 does not know it either
  };
  Kind kind = Kind::kTodo;
  std::string where;  ///< "run.json: watch", ".env:3 REDIS_PASSWORD"
  std::string text;
  bool operator==(const InitNote&) const = default;
};
std::string_view to_string(InitNote::Kind kind);

struct InitInputs {
  std::vector<Variable> variables;  ///< of the environment file, in its order
  std::string env_file;             ///< as shown: ".env"; "" if there is none
  std::string env_file_from_toml;   ///< its path as seen from the new gaur.toml's folder; "": as shown
  std::optional<Pm2App> app;
  std::string pm2_file;             ///< as shown: "run.json"
  std::string pm2_env;              ///< NAME of `env_NAME`, or ""
  std::vector<std::string> queues;  ///< given or found; empty: a placeholder is written
  std::string queues_from;          ///< how they are known: "--queue", "found under the prefix"
  std::map<std::string, std::string> function_places;  ///< of found queues with jobs: `name` or `data.func`
  std::vector<FoundFunction> functions;
  std::vector<InitNote> found_notes{};
  std::uint32_t cores = 1;  ///< of this machine, for pm2's `instances: max`
};

struct InitDraft {
  std::string toml;
  std::vector<InitNote> notes;
  std::vector<Problem> problems;  ///< what the environment says and cannot be meant: not to be written
};
InitDraft draft_configuration(const InitInputs& inputs);

/// Whether a variable's value must not be shown: by its name, or because it is a URL with a password.
bool is_secret(std::string_view name, std::string_view value);

}  // namespace gaur::app
