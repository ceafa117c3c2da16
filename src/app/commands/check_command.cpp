// `gaur check`: prints the effective configuration, the origin of each value, how the number of slots was
// computed, and every problem.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "app/commands/arguments.hpp"
#include "app/config/units.hpp"
#include "app/host/disk_watch.hpp"
#include "app/host/duckdb_check.hpp"
#include "app/host/host_warnings.hpp"
#include "app/host/preflight.hpp"
#include "app/host/runner_isolation.hpp"
#include "app/subcommands.hpp"
#include "app/text/text_width.hpp"
#include "app/version.hpp"
#include "base/system_env.hpp"

namespace gaur::app {
namespace {

std::string section_of(const KeyPath& path, bool named) {
  return named ? "[" + to_string(KeyPath{path[0], path[1]}) + "]" : "[" + path[0] + "]";
}

void print_settings(const Settings& settings, bool brief) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  constexpr std::size_t kWidestValue = 44;
  std::vector<EffectiveSetting> all = settings.effective();
  if (brief)
    std::erase_if(all, [](const EffectiveSetting& s) { return s.origin.kind == Origin::Kind::kDefault; });
  const auto named = [](const EffectiveSetting& s) { return split(s.row->path)[1] == "*"; };
  const auto key = [&](const EffectiveSetting& s) {
    return to_string(KeyPath(s.path.begin() + (named(s) ? 2 : 1), s.path.end()));
  };
  for (const EffectiveSetting& setting : all) {
    key_width = std::max(key_width, display_width(key(setting)));
    value_width = std::max(value_width, std::min(kWidestValue, display_width(setting.shown)));
  }
  std::string section;
  for (const EffectiveSetting& setting : all) {
    if (setting.shown.empty()) continue;
    if (const std::string now = section_of(setting.path, named(setting)); now != section) {
      section = now;
      fmt::print("\n{}\n", section);
    }
    fmt::print("  {} = {}  {}\n", padded(key(setting), key_width), padded(setting.shown, value_width),
               to_string(setting.origin));
  }
}

/// A server would not start with a key of another certificate.
void check_certificate(Settings& settings, const Config& config) {
  if (!config.tls.on() || !settings.problems().empty()) return;
  if (const Status usable = http::check_tls_files(config.tls); !usable)
    settings.problem({"server", "tls_certificate"}, usable.error().message);
}

void print_machine(const Config& config) {
  fmt::print("\nmachine  {} ({}), {} ({})\n", human_cores(config.machine.cores), config.machine.cores_from,
             human_bytes(config.machine.memory_bytes), config.machine.memory_from);
  fmt::print("slots    {}\n", config.slots.text);
  const double share = config.slots.share.cores * 100;
  fmt::print("sum      {} x {:.0f} % CPU = {:.0f} % of the machine's {:.0f} %\n", config.slots.slots, share,
             share * config.slots.slots, config.machine.cores * 100);
  if (config.producer_only)
    fmt::print("role     producer only: {}; jobs are added here and run elsewhere\n",
               config.producer_only_why);
  if (config.redis) {
    fmt::print(
        "recovery unlocked jobs of other workers are requeued after {}; orphans: started over {} before this "
        "host\n",
        format_duration(config.recovery.grace), format_duration(config.recovery.orphan_age));
  }
  fmt::print("worker   {}\n", config.worker_name);
}

int print_problems(std::vector<Problem> problems) {
  if (problems.empty()) {
    fmt::print("\nno problems\n");
    return kExitOk;
  }
  sort(problems);
  fmt::print("\n{} {}:\n", problems.size(), problems.size() == 1 ? "problem" : "problems");
  for (const Problem& problem : problems) fmt::print("{}\n", to_string(problem));
  return kExitProblem;
}

}  // namespace

int check_command(int argc, char** argv) {
  bool brief = false;
  bool offline = false;
  const Arguments arguments = read_arguments(
      argc, argv, "Prints the effective configuration, the origin of each value, and every problem",
      {{kExitOk, "no problems"}, {kExitProblem, "there are problems"}, {kExitUsage, "wrong arguments"}},
      {{"--slots", "machine.slots", "Number of concurrent runs; 0: a producer only"}},
      {{"--brief", &brief, "Print only keys that are set, not the defaults"},
       {"--offline", &offline, "Do not connect to Redis"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  fmt::print("gaur {}\n", kVersion);
  print_settings(loaded.settings, brief);
  print_machine(loaded.config);
  print_isolation(loaded.config);
  for (const auto& [name, pool] : loaded.config.pools) {
    if (pool.duckdb) check_duckdb_pool(loaded.settings, loaded.config, name);
  }
  for (const std::string& warning :
       host_warnings(loaded.config, !loaded.config.producer_only, SystemClock().wall()))
    fmt::print("\nwarning: {}\n", warning);
  for (const std::string& warning : disk_warnings(loaded.config, measure_disk_use(loaded.config)))
    fmt::print("\nwarning: {}\n", warning);
  check_certificate(loaded.settings, loaded.config);
  check_needs(loaded.settings, loaded.config);
  check_commands(loaded.settings, loaded.config);
  check_isolation(loaded.settings, loaded.config);
  if (!offline) check_redis_store(loaded.settings, loaded.config);
  return print_problems(loaded.settings.problems());
}

}  // namespace gaur::app
