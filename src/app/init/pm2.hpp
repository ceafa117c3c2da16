#pragma once
// Reads pm2 ecosystem files like pm2 7, and lists the counterpart of each setting. `gaur init` uses this
// table; a test compares it with docs/how-to/migrating.md. Thread-safety: pure functions.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace gaur::app {

/// How Gaur treats a setting of pm2.
enum class Pm2Fate : std::uint8_t {
  /// Its value is copied to gaur.toml, under the counterpart's name.
  kCopied,
  /// Gaur does it by itself; the counterpart is the key that controls it, if any.
  kBuiltIn,
  /// Another program does it, such as systemd or a log collector; the counterpart names it.
  kElsewhere,
  /// Has no counterpart; `why` gives the reason.
  kNone,
};

struct Pm2Row {
  std::string_view name;
  /// Other names that pm2 accepts, such as "user, uid"; may be "".
  std::string_view aliases;
  Pm2Fate fate = Pm2Fate::kNone;
  /// "" for kNone.
  std::string_view counterpart;
  std::string_view why;
};

/// Every setting of pm2 7.0, in the order of the page.
std::span<const Pm2Row> pm2_rows();
/// Finds a row by name, alias or `env_NAME`; nullptr if pm2 has no such setting.
const Pm2Row* find_pm2_row(std::string_view setting);
/// The Markdown table of docs/how-to/migrating.md.
std::string pm2_table();

/// A value that was not used as written, and the reason.
struct Pm2Unused {
  std::string setting, text;
};

struct Pm2App {
  /// Its position in the file, from 1.
  std::size_t number = 1;
  /// As configured, else the script's file name without its extension, as in pm2.
  std::string name;
  std::string script;
  /// As written.
  std::string cwd;
  /// "" if pm2 chooses.
  std::string interpreter;
  std::vector<std::string> args, node_args;
  /// 0 or "max": one per core; -N: N fewer than cores.
  std::optional<std::int64_t> instances;
  bool cluster = false;
  /// The variables of `env`.
  std::map<std::string, std::string> env;
  /// The variables of `env_NAME`, by NAME.
  std::map<std::string, std::map<std::string, std::string>> env_of;
  std::optional<std::uint64_t> max_memory_bytes;
  std::optional<std::int64_t> kill_timeout_ms, listen_timeout_ms, min_uptime_ms, max_restarts;
  bool wait_ready = false;
  /// Every key of the app as written, sorted.
  std::vector<std::string> settings;
  std::vector<Pm2Unused> unused;

  /// The number of processes that pm2 starts on a machine with `cores`.
  std::uint32_t processes(std::uint32_t cores) const;
  /// `env` overridden by `env_NAME`, as in `pm2 start --env NAME`.
  std::map<std::string, std::string> environment(const std::string& name) const;
};

/// `text` is JSON with comments and trailing commas, as in pm2: `{"apps": [...]}`, `{"apps": {...}}`, a list
/// of apps or a single app. Errors: kInvalidArgument with line and rule, or with the problems of all apps,
/// separated by "; ".
Result<std::vector<Pm2App>> parse_pm2(std::string_view text);

/// Whether the file's name has an extension of JavaScript or YAML, which pm2 also reads.
bool is_other_pm2_form(const std::string& file);
/// The shell command that converts such a file, or a .json file that contains JavaScript, to JSON.
std::string pm2_conversion(const std::string& file, std::string_view text);

/// The app with the name or number `wanted`. If that is "": the only app, or the only app that is a consumer
/// by its BULL_COUNT, its name or its script ("worker", "runner", "consumer"). Errors: kNotFound and
/// kInvalidArgument with the names of the apps.
Result<Pm2App> choose_pm2_app(const std::vector<Pm2App>& apps, const std::string& wanted);

}  // namespace gaur::app
