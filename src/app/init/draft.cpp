#include "app/init/draft.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "app/config/deployment.hpp"
#include "app/config/units.hpp"
#include "app/init/toml_writer.hpp"
#include "base/suggest.hpp"

namespace gaur::app {
namespace {

using NoteKind = InitNote::Kind;

class Draft {
 public:
  explicit Draft(const InitInputs& inputs) : in_(inputs) {
    std::vector<Variable> variables = in_.variables;
    if (in_.app) {
      // pm2 sets its variables before the program reads .env, and dotenv does not replace variables.
      for (const auto& [name, value] : in_.app->environment(in_.pm2_env)) {
        const Origin origin{Origin::Kind::kEnvironment, fmt::format("{} env.{}", in_.pm2_file, name), 0, 0,
                            ""};
        variables.push_back({name, value, origin});
        note_other_value(name, value);
      }
    }
    from_ = read_deployment(variables);
  }

  InitDraft make() {
    notes_ = in_.found_notes;
    head();
    store();
    server();
    worker();
    queues();
    if (in_.app) {
      pool();
    } else if (!in_.functions.empty()) {
      placeholder_pool();
    }
    functions();
    left_over_settings();
    left_over_variables();
    without_counterpart();
    return {toml_.take(), std::move(notes_), std::move(from_.problems)};
  }

 private:
  /// Adds a note if the environment file has another value, which `gaur work --env` would use.
  void note_other_value(const std::string& name, const std::string& value) {
    if (!is_deployment_name(name)) return;
    const auto other = std::ranges::find_if(in_.variables.rbegin(), in_.variables.rend(),
                                            [&](const Variable& v) { return v.name == name; });
    if (other == in_.variables.rend() || other->value == value) return;
    note(NoteKind::kTodo, fmt::format("{} {}", to_string(other->origin), name),
         fmt::format(
             "differs from {} env.{}, which the old process used and gaur.toml has; start gaur without "
             "--env or correct the file",
             in_.pm2_file, name));
  }
  void line(std::string_view text = "") { toml_.line(text); }
  void comment(std::string_view text) { toml_.comment(text); }
  void set(std::string_view key, const std::string& value, const std::string& from) {
    toml_.set(key, value, from);
  }
  void note(NoteKind kind, std::string where, std::string text) {
    notes_.push_back({kind, std::move(where), std::move(text)});
  }

  void head() {
    std::vector<std::string> sources;
    if (!in_.env_file.empty()) sources.push_back(in_.env_file);
    if (in_.app) sources.push_back(fmt::format("{} (app {})", in_.pm2_file, in_.app->name));
    comment(fmt::format(
        "Written by `gaur init` from {}. Each value has its source.",
        sources.empty() ? "nothing but defaults" : fmt::format("{}", fmt::join(sources, " and "))));
    comment("Keys that are not set have their defaults; `gaur check` prints all values.");
    line();
  }

  void store() {
    line("[store]");
    store_url();
    password();
    const auto prefix = from_.prefix;
    if (prefix) {
      set("prefix", toml_text(prefix->value), prefix->from + ": the key prefix; queues are found below it");
    } else if (from_.url && from_.url->prefix) {
      set("prefix", toml_text(*from_.url->prefix),
          from_.url_from + ": keyPrefix, which Bull takes as its prefix");
    } else {
      set("prefix", toml_text("bull"), "Bull's default; BULL_QUEUE_NAME is not set");
    }
    set("dialect", toml_text("bull"), "Bull 4; a queue of BullMQ is rejected");
    line();
  }

  void store_url() {
    redis::StoreUrl url = from_.url.value_or(redis::StoreUrl{});
    url.endpoint.password.clear();
    url.prefix.reset();
    if (!url.said.host) {
      note(NoteKind::kTodo, "store.url",
           "neither REDIS_HOST nor REDIS_URL is set, so localhost is used as the Redis server");
    }
    set("url", toml_text(redis::to_url(url)), from_.url_from);
    for (const Problem& remark : from_.notes)
      note(NoteKind::kNone, fmt::format("{} {}", to_string(remark.origin), remark.key), remark.message);
  }

  void password() {
    if (from_.password_file) {
      set("password_file", toml_text(from_.password_file->value), from_.password_file->from);
      return;
    }
    const bool in_url = from_.url && from_.url->said.password;
    if (!from_.password && !in_url) return;
    const std::string where = from_.password ? from_.password->from : from_.url_from;
    const Origin& origin = from_.password ? from_.password->origin : from_.url_origin;
    if (origin.kind == Origin::Kind::kDotEnv) {
      set("env_file", toml_text(in_.env_file_from_toml.empty() ? in_.env_file : in_.env_file_from_toml),
          where + ": Gaur reads the password from this file at each start");
      note(NoteKind::kSecret, where,
           "is not copied; store.env_file names the file that contains it (store.password_file names a file "
           "that contains only the password)");
    } else {
      comment(
          fmt::format("The password is not copied ({}): set REDIS_PASSWORD, or name a file here:", where));
      line("# password_file = \"redis-password\"");
      note(NoteKind::kSecret, where,
           "is not copied; set REDIS_PASSWORD, or write it into a file of mode 0600 and name that in "
           "store.password_file");
    }
  }

  void server() {
    if (!in_.app || !in_.app->kill_timeout_ms) return;
    const std::int64_t given = *in_.app->kill_timeout_ms;
    constexpr std::int64_t kDefault = 30'000;
    line("[server]");
    if (given > kDefault) {
      set("stop_timeout", toml_text(format_duration(std::min(Duration(given), kLongestDuration))),
          fmt::format("{} kill_timeout", in_.pm2_file));
    } else {
      comment(fmt::format(
          "{} kill_timeout is {} ms. Gaur waits 30 s for running jobs, then requeues them, uncounted.",
          in_.pm2_file, given));
      line("# stop_timeout = \"30s\"");
    }
    line();
  }

  /// BULL_COUNT and the number of processes; `gaur check` shows their product.
  void worker() {
    const auto& given = from_.count;
    line("[worker]");
    if (given) {
      std::uint32_t count = 1;
      const char* end = given->value.data() + given->value.size();
      const auto read = std::from_chars(given->value.data(), end, count);
      if (read.ec != std::errc() || read.ptr != end) {
        note(NoteKind::kTodo, given->from,
             fmt::format("is not a whole number: \"{}\"; 1 is used", given->value));
        count = 1;
      }
      set("count", std::to_string(count),
          given->from + (count == 0 ? ": a producer only; it takes no jobs" : ""));
    }
    if (in_.app) {
      const bool by_cores = in_.app->instances.value_or(1) <= 0;
      set("instances", std::to_string(in_.app->processes(in_.cores)),
          fmt::format("{} instances{}", in_.pm2_file,
                      by_cores ? fmt::format(" ({} on {} cores)", *in_.app->instances, in_.cores) : ""));
      comment("slots = count x instances. Without `instances`, slots follow from cores and memory.");
    } else {
      comment(
          "instances = 4   # how many processes pm2 runs here; without it, slots follow from cores and "
          "memory");
    }
    line();
  }

  void queues() {
    const bool placeholder = in_.queues.empty();
    std::set<std::string> written;
    for (const std::string& queue : placeholder ? std::vector<std::string>{"query"} : in_.queues) {
      if (!written.insert(queue).second) continue;
      line(fmt::format("[queues.{}]{}", key_of(queue), placeholder ? "" : "  # " + in_.queues_from));
      set("order", toml_text("fifo"), "the order of Bull; \"backfill\" lets small jobs pass a blocked head");
      function_place(queue);
      line();
    }
    if (placeholder) {
      note(NoteKind::kTodo, "[queues.query]",
           "no queue was given; use --queue NAME with the name in `new Queue(NAME)` or "
           "registerQueue({ name })");
    }
  }

  void function_place(const std::string& queue) {
    const auto place = in_.function_places.find(queue);
    const bool by_name = place != in_.function_places.end() && place->second == "name";
    set("function", toml_text(by_name ? "name" : "data.func"),
        by_name ? "the job's name is its function: all jobs that were read have a name"
                : "the field of the job's data that names its function; without it, the job's name");
  }

  void pool() {
    const Pm2App& app = *in_.app;
    line("[pools.node]");
    set("kind", toml_text("command"), "");
    std::vector<std::string> command{app.interpreter.empty() ? "node" : app.interpreter};
    command.insert(command.end(), app.node_args.begin(), app.node_args.end());
    command.emplace_back("dist/runner.js");
    comment(fmt::format("Replaces {}: the use cases without the loop around them (docs/how-to/migrating.md).",
                        app.script));
    set("command", list_of(command), app.node_args.empty() ? "" : in_.pm2_file + " node_args");
    note(NoteKind::kTodo, "pools.node.command",
         fmt::format("{} takes jobs itself; write dist/runner.js, which passes its use cases to @gaur/runner",
                     app.script));
    if (!app.cwd.empty()) set("folder", toml_text(app.cwd), in_.pm2_file + " cwd");
    if (app.max_memory_bytes) {
      set("max_rss", toml_text(format_size(*app.max_memory_bytes)),
          in_.pm2_file + " max_memory_restart; checked between jobs, never during one");
    }
    if (app.listen_timeout_ms) {
      set("start_timeout",
          toml_text(format_duration(std::min(Duration(*app.listen_timeout_ms), kLongestDuration))),
          in_.pm2_file + " listen_timeout");
    }
    line();
    pool_environment();
  }

  /// For functions that were found without a pm2 file that contains their command.
  void placeholder_pool() {
    line("[pools.node]");
    set("kind", toml_text("command"), "");
    set("command", list_of({"node", "dist/runner.js"}), "no pm2 file was given");
    note(NoteKind::kTodo, "pools.node.command",
         "no pm2 file was given; write dist/runner.js, which passes the use cases to @gaur/runner, or set "
         "another command");
    line();
  }

  void pool_environment() {
    std::vector<std::pair<std::string, std::string>> kept;
    for (const auto& [name, value] : in_.app->environment(in_.pm2_env)) {
      const std::string where = fmt::format("{} env.{}", in_.pm2_file, name);
      if (is_deployment_name(name)) continue;
      if (is_secret(name, value)) {
        note(NoteKind::kSecret, where,
             "is not copied; add it to the environment file that the use cases read");
      } else {
        kept.emplace_back(name, value);
      }
    }
    if (kept.empty()) return;
    line("[pools.node.env]");
    for (const auto& [name, value] : kept) set(key_of(name), toml_text(value), in_.pm2_file + " env");
    line();
  }

  void functions() {
    if (in_.functions.empty()) {
      comment("One table per function, named by `function` of its queue, with the pool that runs it.");
      comment("[functions.rank]");
      if (in_.queues.size() > 1) comment(fmt::format("queue = {}", toml_text(in_.queues.front())));
      comment("pool = \"node\"");
      comment("timeout = \"10m\"");
      return;
    }
    for (const FoundFunction& function : in_.functions) {
      comment(
          fmt::format("{} kept runs{}{}", function.runs,
                      function.longest_run ? ", the longest " + format_duration(*function.longest_run) : "",
                      function.runs == 0 ? fmt::format(", {} {} waiting", function.waiting,
                                                       function.waiting == 1 ? "job is" : "jobs are")
                                         : ""));
      line(fmt::format("[functions.{}]", key_of(function.name)));
      if (in_.queues.size() > 1 && !function.queues.empty()) queue_of(function);
      set("pool", toml_text("node"), "");
      if (function.longest_run) {
        const Duration longest = std::min(*function.longest_run, kLongestDuration / 3);
        const auto generous = std::max(Duration(600'000), longest * 3);
        const auto minutes = std::chrono::ceil<std::chrono::minutes>(generous);
        set("timeout", toml_text(format_duration(minutes)), "three times the longest, at least 10 min");
      }
      line();
    }
  }

  void queue_of(const FoundFunction& function) {
    const std::vector<std::string> others(function.queues.begin() + 1, function.queues.end());
    set("queue", toml_text(function.queues.front()),
        "of `POST /v1/functions/NAME`" +
            (others.empty() ? ""
                            : fmt::format("; jobs of {} {} call it as well",
                                          others.size() == 1 ? "queue" : "queues", fmt::join(others, ", "))));
  }

  /// Notes about the settings of the pm2 file that the draft does not contain.
  void left_over_settings() {
    if (!in_.app) return;
    for (const Pm2Unused& value : in_.app->unused)
      note(NoteKind::kTodo, fmt::format("{}: {}", in_.pm2_file, value.setting), value.text);
    for (const std::string& setting : in_.app->settings) {
      const std::string where = fmt::format("{}: {}", in_.pm2_file, setting);
      const Pm2Row* row = find_pm2_row(setting);
      if (row == nullptr) {
        note(NoteKind::kUnknown, where, "is not a setting of pm2 7" + nearest_setting(setting));
      } else if (row->fate == Pm2Fate::kNone) {
        note(NoteKind::kNone, where, std::string(row->why));
      } else if (row->fate == Pm2Fate::kElsewhere) {
        note(NoteKind::kChanges, where, joined(*row));
      } else if (row->fate == Pm2Fate::kBuiltIn && row->name != "script") {
        note(NoteKind::kChanges, where, joined(*row));
      }
    }
    for (const auto& [name, variables] : in_.app->env_of) {
      if (name != in_.pm2_env) {
        note(NoteKind::kTodo, fmt::format("{}: env_{}", in_.pm2_file, name),
             fmt::format("was not used; --pm2-env {} uses it", name));
      }
    }
  }
  static std::string joined(const Pm2Row& row) {
    if (row.counterpart.empty()) return std::string(row.why);
    if (row.why.empty()) return std::string(row.counterpart);
    return fmt::format("{}: {}", row.counterpart, row.why);
  }
  static std::string nearest_setting(const std::string& setting) {
    std::vector<std::string> known;
    for (const Pm2Row& row : pm2_rows()) known.emplace_back(row.name);
    const auto near = nearest(setting, known);
    return near ? fmt::format("; did you mean {}?", *near) : "";
  }

  void left_over_variables() {
    std::vector<std::string> others;
    std::set<std::string> reported;
    for (const Variable& variable : in_.variables) {
      if (!is_deployment_name(variable.name) && reported.insert(variable.name).second &&
          !variable.name.starts_with("GAUR_")) {
        others.push_back(variable.name);
      }
    }
    if (others.empty()) return;
    note(
        NoteKind::kTodo, in_.env_file,
        fmt::format(
            "{} {} not read by Gaur; runners see them only if they load {} themselves (as dotenv does) or if "
            "pools.NAME.env contains them",
            fmt::join(others, ", "), others.size() == 1 ? "is" : "are", in_.env_file));
  }

  void without_counterpart() {
    const auto has_no_counterpart = [](const InitNote& n) {
      return n.kind == NoteKind::kNone || n.kind == NoteKind::kUnknown;
    };
    if (std::ranges::none_of(notes_, has_no_counterpart)) return;
    line();
    comment("Settings without a counterpart:");
    for (const InitNote& n : notes_) {
      if (has_no_counterpart(n)) comment(fmt::format("  {}: {}", n.where, n.text));
    }
  }

  const InitInputs& in_;
  Deployment from_;
  TomlWriter toml_;
  std::vector<InitNote> notes_;
};

}  // namespace

InitDraft draft_configuration(const InitInputs& inputs) {
  return Draft(inputs).make();
}

}  // namespace gaur::app
