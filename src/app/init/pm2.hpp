#pragma once
// A pm2 ecosystem file as pm2 7 reads it: its apps, and what each of its settings becomes here. The table of
// settings is read by `gaur init` and held against docs/how-to/migrating.md by a test. Thread-safety: pure
// functions.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace gaur::app {

/// What becomes of one of pm2's settings.
enum class Pm2Fate : std::uint8_t {
  /// Its value stands in gaur.toml, under the counterpart's name.
  kCopied,
  /// Gaur does it by itself; the counterpart says which setting steers it, if any.
  kBuiltIn,
  /// Systemd's or the log collector's affair: the counterpart says whose.
  kElsewhere,
  /// Has no counterpart, and why none is needed.
  kNone,
};

struct Pm2Row {
  std::string_view name;
  /// "user, uid" as pm2 takes them; "" if there are none.
  std::string_view aliases;
  Pm2Fate fate = Pm2Fate::kNone;
  /// "" for kNone.
  std::string_view counterpart;
  std::string_view why;
};

/// Every setting that pm2 7.0 knows, in the order of the page.
std::span<const Pm2Row> pm2_rows();
/// By name or alias, also `env_production` and the like; nullptr for what pm2 does not know.
const Pm2Row* find_pm2_row(std::string_view setting);
/// The Markdown table of docs/how-to/migrating.md.
std::string pm2_table();

/// A value that was not taken as it was written, and why.
struct Pm2Unused {
  std::string setting, text;
};

struct Pm2App {
  /// Its place in the file, from 1.
  std::size_t number = 1;
  /// Its own, else the script's file name without its ending, as pm2 names it.
  std::string name;
  std::string script;
  /// As written.
  std::string cwd;
  /// "" where pm2 chooses.
  std::string interpreter;
  std::vector<std::string> args, node_args;
  /// 0 or "max": as many as cores; negative: cores less so many.
  std::optional<std::int64_t> instances;
  bool cluster = false;
  /// Of `env`.
  std::map<std::string, std::string> env;
  /// Of `env_NAME`, by NAME.
  std::map<std::string, std::map<std::string, std::string>> env_of;
  std::optional<std::uint64_t> max_memory_bytes;
  std::optional<std::int64_t> kill_timeout_ms, listen_timeout_ms, min_uptime_ms, max_restarts;
  bool wait_ready = false;
  /// Every key that it sets, sorted, as written.
  std::vector<std::string> settings;
  std::vector<Pm2Unused> unused;

  /// How many processes pm2 starts on a machine of so many cores.
  std::uint32_t processes(std::uint32_t cores) const;
  /// `env` with `env_NAME` over it, as `pm2 start --env NAME` does.
  std::map<std::string, std::string> environment(const std::string& name) const;
};

/// `text` is JSON as pm2 takes it: with comments and trailing commas. `{"apps": [...]}`, `{"apps": {...}}`, a
/// list of apps and a single app are all files. Errors: kInvalidArgument with line and rule, or what is wrong
/// with which apps, "; " between them.
Result<std::vector<Pm2App>> parse_pm2(std::string_view text);

/// Whether the file's name says that it is JavaScript or YAML, which pm2 reads as well.
bool is_other_pm2_form(const std::string& file);
/// The command that makes JSON of such a file, or of one of JSON's name with JavaScript in it, which pm2
/// evaluates.
std::string pm2_conversion(const std::string& file, std::string_view text);

/// The app that runs the query worker: `wanted`, a name that one app has or an app's number, if given; else
/// the only one; else the only one that is a consumer by its BULL_COUNT or by its name or script ("worker",
/// "runner", "consumer"). Errors: kNotFound and kInvalidArgument with the names to choose from.
Result<Pm2App> choose_pm2_app(const std::vector<Pm2App>& apps, const std::string& wanted);

}  // namespace gaur::app
