// `gaur look`: reports the queues of a Bull deployment, their hazards and what to do about them. Reads only.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/commands/arguments.hpp"
#include "app/host/redis_access.hpp"
#include "app/look/gather.hpp"
#include "app/look/report.hpp"
#include "app/subcommands.hpp"

namespace gaur::app {
namespace {

struct LookArguments {
  Arguments shared;
  std::string url, prefix, function;
  std::vector<std::string> queues;
  std::uint32_t samples = 1'000;
  bool json = false;
};

LookArguments read_look_arguments(int argc, char** argv) {
  LookArguments arguments;
  CommandLine line(
      "look", "Looks at the queues of a Bull deployment without changing anything",
      CommandLine::Configuration::kLayers,
      {{kExitOk, "the report was printed"},
       {kExitProblem, "the configuration of the store has problems, or a named queue does not exist"},
       {kExitUsage, "wrong arguments, or no Redis is configured"},
       {kExitStore, "Redis cannot be reached or rejected a command"}});
  CLI::App& cli = line.options();
  cli.add_option("--url", arguments.url, "redis://HOST:PORT/DB, rediss://, redis+unix:///PATH");
  cli.add_option("--prefix", arguments.prefix, "Key prefix of Bull (default: BULL_QUEUE_NAME, or bull)");
  cli.add_option("--queue", arguments.queues, "Only this queue; may be repeated")->allow_extra_args(false);
  cli.add_option("--function", arguments.function,
                 "Where a job names its function: name or data.FIELD (default: its name, or data.func if it "
                 "has no name)");
  line.add_number("--samples", arguments.samples, 0, kMostJobs,
                  "Number of kept jobs to read from each queue and state");
  cli.add_flag("--json", arguments.json, "Print JSON");
  arguments.shared = line.parse(argc, argv);
  if (!arguments.url.empty()) arguments.shared.flags.push_back("--store.url=" + arguments.url);
  if (!arguments.prefix.empty()) arguments.shared.flags.push_back("--store.prefix=" + arguments.prefix);
  return arguments;
}

}  // namespace

int print_store_problems(const Settings& settings, std::string_view command) {
  int found = 0;
  for (const Problem& problem : settings.problems()) {
    if (!problem.key.empty() && !problem.key.starts_with("store"))
      continue;  // the command reads the keys of [store] only
    fmt::print(stderr, "gaur {}: {}\n", command, to_string(problem));
    ++found;
  }
  return found;
}

int look_command(int argc, char** argv) {
  const LookArguments arguments = read_look_arguments(argc, argv);
  if (arguments.shared.exit) return *arguments.shared.exit;
  const Loaded loaded = load_configuration(arguments.shared);
  if (print_store_problems(loaded.settings, "look") > 0) return kExitProblem;
  if (!loaded.config.redis)
    return exit_with_error(
        "look", "no Redis is configured: use --env FILE, --url redis://HOST:PORT or store.url in gaur.toml",
        kExitUsage);
  auto access = RedisAccess::open(loaded.settings, *loaded.config.redis);
  if (!access) return exit_with_error("look", access.error().message, kExitStore);
  const auto facts = gather_facts((*access)->client(), {.url = (*access)->url(),
                                                        .prefix = (*access)->prefix(),
                                                        .db = loaded.config.redis->endpoint.db,
                                                        .queues = arguments.queues,
                                                        .samples = arguments.samples});
  if (!facts)
    return exit_with_error("look", facts.error().message,
                           facts.error().code == Errc::kNotFound ? kExitProblem : kExitStore);
  const auto findings = findings_of(*facts, arguments.function);
  const LookReport report{*facts, findings, arguments.function};
  fmt::print("{}", arguments.json ? look_json(report) + "\n" : look_text(report));
  return kExitOk;
}

}  // namespace gaur::app
