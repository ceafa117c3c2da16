#include "duckdb/service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "duckdb/scalar.hpp"
#include "duckdb/sql_error.hpp"
#include "duckdb/text_forms.hpp"
#include "duckdb/usage.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::size_t kMostSql = 1 << 20;
constexpr std::size_t kMostSqlShown = 4000;   // bytes of a plan's text in its failure
constexpr std::int64_t kTrimFrom = 16 << 20;  // bytes of growth
// Gaur's deadline comes first and names the timeout; this one applies if the cancel frame does not arrive.
constexpr std::chrono::milliseconds kDeadlineSlack{150};

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::int64_t whole(const json::Object& frame, std::string_view key) {
  return json::integer(frame, key).value_or(0);
}

RunFailure out_of_memory() {
  return {"out_of_memory",
          "the run needed more memory than its grant: the system gave no more to this process",
          false,
          {},
          true};
}

void write_usage(json::ObjectWriter& out, const UsageMeter& meter) {
  out.number("cpu_us", meter.cpu_us()).number("peak_rss_bytes", UsageMeter::peak_rss_bytes());
}

std::string failed_frame(const std::string& run, const RunFailure& failure, const UsageMeter& meter) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "failed").text("run", run).text("message", failure.message).text("code", failure.code);
    frame.flag("final", failure.final);
    if (!failure.details.empty()) frame.raw("details", json::serialize(failure.details));
    frame.object("usage", [&](json::ObjectWriter& usage) { write_usage(usage, meter); });
  });
}

}  // namespace

struct Service::Call {
  std::string run;
  std::string function;
  json::RawValue data;
  std::size_t threads;
  std::uint64_t memory;
};

Service::Service(const Api& api, const Spec& spec, ServiceOptions options, RunControl& control)
    : api_(api),
      spec_(spec),
      options_(std::move(options)),
      control_(control),
      policy_(api, spec_),
      sources_(spec, options_.renewed) {}

Service::~Service() {
  close_instance(instance_);
}

Run<std::unique_ptr<Instance>> Service::open_instance(const Call& call) {
  InstanceOptions options;
  options.threads = call.threads;
  options.grant = call.memory;
  options.out = options_.out;
  options.spill = options_.scratch / fmt::format("spill-{}", ++opened_);
  std::error_code error;
  std::filesystem::create_directories(options.spill, error);
  if (error)
    return fail(
        {"io", fmt::format("cannot make {}: {}", options.spill.string(), error.message()), false, {}});
  std::filesystem::permissions(options.spill, std::filesystem::perms::owner_all, error);
  return Instance::open(api_, spec_, std::move(options));
}

void Service::close_instance(std::unique_ptr<Instance>& instance) {
  if (!instance) return;
  const auto spill = instance->options().spill;
  if (instance == instance_) sources_.closed();
  instance.reset();
  std::error_code ignored;
  std::filesystem::remove_all(spill, ignored);
}

Run<Instance*> Service::instance_for(const Call& call) {
  if (instance_ && !instance_->resize(call.threads, call.memory))
    close_instance(instance_);  // it uses too much memory: open a new one
  if (!instance_) {
    auto opened = open_instance(call);
    if (!opened) return fail(std::move(opened).error());
    instance_ = *std::move(opened);
    sources_.opened(spec_);
  }
  return instance_.get();
}

Run<Unit> Service::warm_up() {
  const Call call{"", "", {}, options_.threads, options_.memory != 0 ? options_.memory : machine_memory()};
  auto opened = instance_for(call);
  if (!opened) return fail(std::move(opened).error());
  return Unit{};
}

void Service::abandon() {
  std::error_code ignored;
  for (std::uint64_t i = 1; i <= opened_; ++i)
    std::filesystem::remove_all(options_.scratch / fmt::format("spill-{}", i), ignored);
}

void Service::tidy_up() {
  std::error_code ignored;
  if (instance_ && !std::filesystem::is_empty(instance_->options().spill, ignored) && !ignored) {
    close_instance(
        instance_);  // an open instance keeps the files of its spill: the next run starts without them
  }
  if (UsageMeter::rss_bytes() < rss_after_trim_ + kTrimFrom)
    return;  // trimming costs more than a small query
  if (instance_) {
    instance_->trim();
  } else {
    malloc_trim(0);
  }
  rss_after_trim_ = UsageMeter::rss_bytes();
}

Service::Reply Service::leave(const std::string& run, const std::string& lost) {
  fmt::print(stderr, "gaur-duckdb: data source replaced, a new runner has to read it path={}\n", lost);
  std::string snooze = json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "snooze").text("run", run).number("delay_ms", 0);
    frame.text("message", fmt::format("{} was replaced: a new runner is started to read it", lost));
    frame.flag("last", true);
  });
  return {.frame = std::move(snooze), .leave = true};
}

Service::Reply Service::run(const Frame& frame) {
  const json::Object& head = frame.head;
  Call call;
  call.run = json::text_or(head, "run", "");
  call.function = json::text_or(head, "function", json::text_or(head, "name", ""));
  call.data = frame.data;
  const auto threads = whole(head, "threads");
  const auto memory = whole(head, "memory");
  call.threads = threads > 0 ? static_cast<std::size_t>(threads) : options_.threads;
  call.memory = memory > 0 ? static_cast<std::uint64_t>(memory) : options_.memory;
  if (call.memory == 0) call.memory = machine_memory();

  auto refreshed = refresh_sources();
  if (const auto lost = sources_.out_of_reach(spec_); !lost.empty()) return leave(call.run, lost);
  const auto timeout = std::chrono::milliseconds(whole(head, "timeout_ms"));
  control_.begin(call.run, timeout.count() > 0 ? timeout + kDeadlineSlack : Duration::zero());
  const UsageMeter meter;
  Run<Output> output = fail(out_of_memory());
  try {
    output = refreshed ? answer(call) : fail(std::move(refreshed).error());
  } catch (const std::bad_alloc&) {
    output = fail(out_of_memory());
  } catch (const std::exception& error) {
    output = fail({"internal", fmt::format("the runner broke: {}", error.what()), false, {}, true});
  }
  if (auto ended = control_.interrupted(); !output && ended) {
    ended->unhealthy = output.error().unhealthy;
    output = fail(*std::move(ended));
  }
  control_.end();
  Reply reply;
  if (output) {
    output->details["duckdb"] = api_.version;
    reply.frame = json::object([&](json::ObjectWriter& out) {
      out.text("type", "completed").text("run", call.run).raw("result", output->result);
      if (!output->file.empty()) out.raw("file", output->file);
      out.object("usage", [&](json::ObjectWriter& usage) {
        write_usage(usage, meter);
        usage.raw("details", json::serialize(output->details));
      });
    });
  } else {
    reply.renew = output.error().unhealthy;
    reply.frame = failed_frame(call.run, output.error(), meter);
  }
  if (!reply.renew) tidy_up();
  reply.renew = reply.renew || address_space_fragmented();
  return reply;
}

Run<Unit> Service::refresh_sources() {
  const auto path = sources_.changed(spec_);
  if (path.empty() && !sources_stale_) return Unit{};
  close_instance(instance_);
  sources_stale_ = true;
  if (!path.empty()) fmt::print(stderr, "gaur-duckdb: data source changed, opening it again path={}\n", path);
  std::vector<Problem> problems;
  resolve_paths(spec_, problems);
  if (!problems.empty())
    return fail({"io", fmt::format("cannot read the data: {}", problems[0].message), false, {}});
  sources_.resolved(spec_);
  sources_stale_ = false;
  return Unit{};
}

Run<Service::Output> Service::answer(const Call& call) {
  const auto function = spec_.functions.find(call.function);
  if (function == spec_.functions.end()) {
    std::vector<std::string_view> names;
    for (const auto& each : spec_.functions) names.emplace_back(each.first);
    return fail({"unknown_function",
                 fmt::format("there is no function {}; there are {}", call.function, fmt::join(names, ", ")),
                 true,
                 {}});
  }
  if (function->second.plan) return answer_planned(function->second, call);
  if (function->second.ad_hoc) return answer_ad_hoc(function->second, call);
  return answer_named(function->second, call);
}

Run<Unit> Service::match_patterns(const Function& function, const Given& given,
                                  duckdb_connection connection) {
  const Parameter text;
  for (const auto& [name, value] : given) {
    const auto& parameter = function.parameters.find(name)->second;
    if (parameter.pattern.empty()) continue;
    const json::RawValue pattern(json::quote(parameter.pattern));
    const auto items = parameter.type.list ? value.items() : std::vector{value};
    for (const auto& item : items) {
      auto statement =
          Statement::prepare(api_, connection, {"SELECT regexp_full_match($text, $pattern)", {}}, "");
      if (!statement) return fail(std::move(statement).error());
      if (auto done = statement->bind("text", to_duckdb(api_, text, &item)); !done) return done;
      if (auto done = statement->bind("pattern", to_duckdb(api_, text, &pattern)); !done) return done;
      if (auto done = statement->start(); !done) return done;
      auto chunk = statement->next(control_);
      if (!chunk) return fail(std::move(chunk).error());
      if (!*static_cast<bool*>(api_.vector_get_data(api_.data_chunk_get_vector(chunk->get(), 0)))) {
        return fail(parameter_failure(
            name, fmt::format("must match the pattern {}, got {}", parameter.pattern, shown(item))));
      }
    }
  }
  return Unit{};
}

Run<Service::Output> Service::answer_named(const Function& function, const Call& call) {
  auto given = take_parameters(function, call.data);
  if (!given) return fail(std::move(given).error());
  auto instance = instance_for(call);
  if (!instance) return fail(std::move(instance).error());
  auto connection = (*instance)->connect();
  if (!connection) return fail(std::move(connection).error());
  const Attached attached(control_, connection->get());
  if (auto done = match_patterns(function, *given, connection->get()); !done)
    return fail(std::move(done).error());
  auto sql = function.sql->render([&](std::string_view name) -> std::optional<std::string> {
    const auto value = given->find(name);
    return value == given->end() ? std::nullopt : std::optional(template_text(value->second));
  });
  auto statement = Statement::prepare(api_, connection->get(), std::move(sql), function.sql->text());
  if (!statement) return fail(std::move(statement).error());
  for (const auto& [name, parameter] : function.parameters) {
    const auto value = given->find(name);
    auto done =
        statement->bind(name, to_duckdb(api_, parameter, value == given->end() ? nullptr : &value->second));
    if (!done) return fail(std::move(done).error());
  }
  return answer_query(**instance, function, *connection, *statement);
}

/// SQL that the job contains, and its parameters.
struct Service::AdHocSql {
  std::string sql;
  std::map<std::string, Untyped, std::less<>> given;
  std::vector<std::string> setup;
};

Run<Service::AdHocSql> Service::read_ad_hoc_sql(const std::optional<json::RawValue>& body) {
  const auto sql = body ? body->member("sql") : std::nullopt;
  if (!sql || !sql->is_string()) return fail(parameter_failure("sql", "is required (a text) and missing"));
  AdHocSql query{sql->string(), {}, {}};
  if (query.sql.size() > kMostSql)
    return fail(parameter_failure("sql", fmt::format("must have at most {} bytes", kMostSql)));
  auto given = take_untyped(body->member("params").value_or(json::RawValue()));
  if (!given) return fail(std::move(given).error());
  query.given = *std::move(given);
  const auto setup = body->member("setup");
  if (!setup || setup->is_null()) return query;
  const auto statements = setup->items();
  const auto is_text = [](const json::RawValue& each) { return each.is_string(); };
  if (!setup->is_array() || !std::all_of(statements.begin(), statements.end(), is_text))
    return fail(parameter_failure("setup", "must be a list of statements"));
  for (const auto& each : statements) query.setup.push_back(each.string());
  return query;
}

Run<Service::Output> Service::answer_ad_hoc_sql(Instance& instance, const Function& function,
                                                const AdHocSql& query) {
  auto connection = instance.connect();
  if (!connection) return fail(std::move(connection).error());
  const Attached attached(control_, connection->get());
  auto sql = policy_.check_query(connection->get(), query.sql);
  if (!sql) return fail(std::move(sql).error());
  for (const auto& each : query.setup) {
    if (auto done = policy_.check_setup(connection->get(), each); !done) return fail(std::move(done).error());
  }
  for (const auto& each : query.setup) {
    if (auto ended = control_.interrupted()) return fail(*std::move(ended));
    if (auto done = execute(api_, connection->get(), each); !done) return fail(std::move(done).error());
  }
  auto statement = Statement::prepare(api_, connection->get(), {*std::move(sql), {{0, 0, true}}}, query.sql);
  if (!statement) return fail(std::move(statement).error());
  for (const auto& name : statement->parameter_names()) {
    const auto value = query.given.find(name);
    if (value == query.given.end())
      return fail(parameter_failure(name, "is used by the SQL and missing in params"));
    if (auto done = statement->bind(name, to_duckdb(api_, value->second)); !done)
      return fail(std::move(done).error());
  }
  return answer_query(instance, function, *connection, *statement);
}

Run<Service::Output> Service::run_isolated(const Function& function, const Call& call,
                                           const AdHocSql& query) {
  close_instance(instance_);  // its memory is needed for the separate instance
  auto opened = open_instance(call);
  if (!opened) return fail(std::move(opened).error());
  auto instance = *std::move(opened);
  const auto close = [this](std::unique_ptr<Instance>* each) { close_instance(*each); };
  const std::unique_ptr<std::unique_ptr<Instance>, decltype(close)> closing(&instance, close);
  return answer_ad_hoc_sql(*instance, function, query);
}

Run<Service::Output> Service::answer_ad_hoc(const Function& function, const Call& call) {
  auto query = read_ad_hoc_sql(call.data.find(function.params_path));
  if (!query) return fail(std::move(query).error());
  query->setup.clear();  // callers may not send setup statements
  return run_isolated(function, call, *query);
}

/// The operator trusts the planner, so its SELECT shares the instance of named functions. A plan with setup
/// statements runs in a separate instance.
Run<Service::Output> Service::answer_planned(const Function& function, const Call& call) {
  auto query = read_ad_hoc_sql(call.data);
  if (!query) return fail(std::move(query).error());
  if (!query->setup.empty() && !function.plan_setup) {
    return fail({"permission",
                 "the plan has `setup` statements, which needs plan_setup = true of the function",
                 true,
                 {}});
  }
  const auto run_plan = [&]() -> Run<Output> {
    if (!query->setup.empty()) return run_isolated(function, call, *query);
    auto instance = instance_for(call);
    if (!instance) return fail(std::move(instance).error());
    return answer_ad_hoc_sql(**instance, function, *query);
  };
  auto output = run_plan();
  if (output) return output;
  RunFailure failure = std::move(output).error();
  // The text is generated: without it the error cannot be understood.
  failure.details["sql"] = shortened(query->sql, kMostSqlShown);
  return fail(std::move(failure));
}

}  // namespace gaur::duckdb
