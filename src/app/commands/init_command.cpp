// `gaur init`: writes a gaur.toml from the files of a Bull deployment and lists the settings that have no
// counterpart.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "app/commands/arguments.hpp"
#include "app/host/options_from_config.hpp"
#include "app/host/redis_access.hpp"
#include "app/init/found.hpp"
#include "app/look/gather.hpp"
#include "app/subcommands.hpp"
#include "app/text/text_width.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestPm2File = 4 << 20;

struct InitArguments {
  std::string env, from, out = "gaur.toml", app, pm2_env;
  std::vector<std::string> queues;
  bool force = false, look = false;
};

Result<std::vector<Pm2App>> read_apps(const std::string& file) {
  GAUR_TRY(const std::string text, read_file(file, kLargestPm2File));
  if (is_other_pm2_form(file)) {
    return Error{Errc::kUnsupported,
                 fmt::format("{} is not JSON; convert it and pass the result to --from:\n  {}", file,
                             pm2_conversion(file, text))};
  }
  auto apps = parse_pm2(text);
  if (apps) return apps;
  if (json::parse(text)) return apps.error().in(file);
  return Error{
      apps.error().code,
      fmt::format(
          "{}: {}\n  pm2 reads it as JavaScript; convert it to JSON and pass the result to --from:\n  {}",
          file, apps.error().message, pm2_conversion(file, text))};
}

/// Reads every readable input; adds one line to `problems` for each that is not.
InitInputs read_inputs(const InitArguments& arguments, std::vector<std::string>& problems) {
  InitInputs inputs;
  inputs.cores = static_cast<std::uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  inputs.queues = arguments.queues;
  inputs.queues_from = "--queue";
  inputs.pm2_env = arguments.pm2_env;
  for (const std::string& queue : arguments.queues) {
    if (const Status good = validate_queue_name(queue); !good)
      problems.push_back("--queue: " + good.error().message);
  }
  if (!arguments.env.empty()) {
    std::vector<Problem> of_file;
    inputs.env_file = arguments.env;
    const fs::path out = arguments.out == "-" ? fs::path("gaur.toml") : fs::path(arguments.out);
    inputs.env_file_from_toml =
        fs::absolute(arguments.env).lexically_proximate(fs::absolute(out).parent_path()).string();
    inputs.variables = read_dotenv(arguments.env, arguments.env, of_file);
    for (const Problem& problem : of_file) problems.push_back(to_string(problem));
  }
  if (!arguments.from.empty()) {
    const auto apps = read_apps(arguments.from);
    auto app = apps ? choose_pm2_app(*apps, arguments.app) : Result<Pm2App>(apps.error());
    if (app) {
      inputs.app = *std::move(app);
      inputs.pm2_file = fs::path(arguments.from).filename().string();
    } else {
      problems.push_back(apps ? app.error().in(arguments.from).message : app.error().message);
    }
  }
  return inputs;
}

/// Adds the queues and functions that are in Redis now. Reads only.
Status add_found_in_redis(const InitArguments& arguments, InitInputs& inputs) {
  Arguments shared;
  if (!arguments.env.empty()) shared.env_file = arguments.env;
  const Loaded loaded = load_configuration(shared);
  if (!loaded.config.redis)
    return Error{Errc::kInvalidArgument,
                 "--look needs the address of Redis: set REDIS_HOST or REDIS_URL in the environment file"};
  GAUR_TRY(auto access, RedisAccess::open(loaded.settings, *loaded.config.redis));
  GAUR_TRY(const LookFacts facts, gather_facts(access->client(), {.url = access->url(),
                                                                  .prefix = access->prefix(),
                                                                  .db = loaded.config.redis->endpoint.db,
                                                                  .queues = arguments.queues}));
  inputs.queues_from = "found under the prefix";
  std::vector<QueueJobs> found;
  const auto report_skipped = [](const QueueName& queue, const Error& why) {
    fmt::print(stderr, "gaur: queue {} is skipped: {}\n", queue.value, why.message);
  };
  for (const RefusedFacts& refused : facts.refused) report_skipped(refused.queue, refused.error);
  for (const QueueFacts& queue : facts.queues) {
    if (const Status usable = bull::may_be_used_as_bull(queue.look.queue, queue.look.evidence); !usable) {
      report_skipped(queue.look.queue, usable.error());
      continue;
    }
    QueueJobs& jobs = found.emplace_back(QueueJobs{queue.look.queue.value, queue.kept});
    jobs.jobs.insert(jobs.jobs.end(), queue.waiting.begin(), queue.waiting.end());
  }
  put_found(inputs, found);
  return ok();
}

void print_notes(std::FILE* out, const std::vector<InitNote>& notes) {
  for (const auto kind : {InitNote::Kind::kTodo, InitNote::Kind::kSecret, InitNote::Kind::kChanges,
                          InitNote::Kind::kNone, InitNote::Kind::kUnknown}) {
    bool first = true;
    for (const InitNote& note : notes) {
      if (note.kind != kind) continue;
      if (first) fmt::print(out, "\n{}:\n", to_string(kind));
      first = false;
      fmt::print(out, "  {}: {}\n", note.where, note.text);
    }
  }
}

Status write_draft(const InitArguments& arguments, const std::string& toml) {
  std::error_code ignored;
  if (fs::exists(arguments.out, ignored) && !arguments.force) {
    return Error{Errc::kAlreadyExists,
                 fmt::format("{} exists already; use --force to replace it, --out FILE to write another "
                             "file, or --out - to print",
                             arguments.out)};
  }
  return write_file(arguments.out, toml);
}

}  // namespace

int init_command(int argc, char** argv) {
  CommandLine line("init",
                   "Writes a commented gaur.toml from an environment file and a pm2 file, and lists settings "
                   "without a counterpart",
                   CommandLine::Configuration::kNone,
                   {{kExitOk, "the file was written, or printed with --out -"},
                    {kExitProblem, "a file cannot be read or written, or exists already"},
                    {kExitUsage, "wrong arguments"},
                    {kExitStore, "--look: Redis cannot be reached"}});
  CLI::App& cli = line.options();
  InitArguments arguments;
  cli.add_option("--env", arguments.env, "Environment file of the old deployment (.env)");
  cli.add_option("--from", arguments.from, "pm2's ecosystem file, as JSON (run.json)");
  cli.add_option("--app", arguments.app,
                 "The app of the pm2 file that is the query worker: its name or its number in the file");
  cli.add_option("--pm2-env", arguments.pm2_env,
                 "Use the app's env_NAME over its env, as `pm2 start --env NAME` does");
  cli.add_option("--queue", arguments.queues, "A queue under the prefix; may be repeated")
      ->allow_extra_args(false);
  cli.add_flag("--look", arguments.look, "Find queues and functions in Redis; reads only");
  cli.add_option("--out", arguments.out, "File to write; -: standard output")->capture_default_str();
  cli.add_flag("--force", arguments.force, "Replace the file if it exists");
  if (const Arguments parsed = line.parse(argc, argv); parsed.exit) return *parsed.exit;
  if (arguments.env.empty() && arguments.from.empty())
    return exit_with_error("init", "needs --env FILE, --from FILE or both", kExitUsage);
  std::vector<std::string> problems;
  InitInputs inputs = read_inputs(arguments, problems);
  for (const Problem& problem : draft_configuration(inputs).problems) problems.push_back(to_string(problem));
  for (const std::string& problem : problems) fmt::print(stderr, "gaur init: {}\n", problem);
  if (!problems.empty()) return kExitProblem;
  if (arguments.look) {
    const Status found = add_found_in_redis(arguments, inputs);
    if (!found)
      return exit_with_error("init", found.error().message,
                             found.error().code == Errc::kInvalidArgument ? kExitUsage : kExitStore);
  }
  const InitDraft draft = draft_configuration(inputs);
  if (arguments.out == "-") {
    fmt::print("{}", draft.toml);
    print_notes(stderr, draft.notes);
    return kExitOk;
  }
  if (const Status written = write_draft(arguments, draft.toml); !written)
    return exit_with_error("init", written.error().message, kExitProblem);
  fmt::print("wrote {}; `gaur check --config {}` prints the resulting configuration\n", arguments.out,
             arguments.out);
  print_notes(stdout, draft.notes);
  return kExitOk;
}

}  // namespace gaur::app
