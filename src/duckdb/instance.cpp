#include "duckdb/instance.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include "duckdb/sql_error.hpp"
#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {
namespace {

/// Settings that connect() and resize() change after the lock. A job's SQL is SELECT or EXPLAIN, so it cannot
/// change them.
constexpr std::string_view kOpenSettings =
    "['threads','memory_limit','max_memory','errors_as_json','enable_progress_bar','enable_progress_bar_"
    "print',"
    "'progress_bar_time','enable_profiling','profiling_mode','custom_profiling_settings']";

constexpr std::string_view kConnectionSettings =
    "SET errors_as_json=true; SET enable_progress_bar=true; SET enable_progress_bar_print=false; SET "
    "progress_bar_time=0;"
    "SET enable_profiling='no_output';"
    "SET custom_profiling_settings='{\"CUMULATIVE_ROWS_SCANNED\":\"true\",\"TOTAL_BYTES_READ\":\"true\"}'";

RunFailure failure_of(std::string_view text) {
  return to_failure(read_sql_error(text), "", std::nullopt);
}

std::string list_literal(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> quoted;
  for (const auto& path : paths) quoted.push_back(quote_literal(path.string()));
  return fmt::format("[{}]", fmt::join(quoted, ","));
}

}  // namespace

std::string memory_limit(std::uint64_t grant) {
  return fmt::format("{}KiB", grant / 1024 * 6 / 10);
}

Run<Unit> execute(const Api& api, duckdb_connection connection, const std::string& sql) {
  QueryResult result(api);
  if (api.query(connection, sql.c_str(), result.get()) == DuckDBSuccess) return Unit{};
  const char* text = api.result_error(result.get());
  return fail(failure_of(text == nullptr ? "unknown error" : text));
}

Instance::Instance(const Api& api, InstanceOptions options)
    : api_(api), options_(std::move(options)), database_(api.close), control_(api.disconnect) {}

Instance::~Instance() = default;

Run<std::unique_ptr<Instance>> Instance::open(const Api& api, const Spec& spec, InstanceOptions options) {
  std::unique_ptr<Instance> instance(new Instance(api, std::move(options)));
  Owned<duckdb_config> config(api.destroy_config);
  if (api.create_config(config.out()) != DuckDBSuccess)
    return fail({"internal", "DuckDB gave no configuration", false, {}});
  const std::pair<const char*, std::string> settings[] = {
      {"access_mode", spec.database.empty() ? "automatic" : "read_only"},
      {"threads", std::to_string(instance->options_.threads)},
      {"memory_limit", memory_limit(instance->options_.grant)},
      {"temp_directory", instance->options_.spill.string()},
      {"scheduler_process_partial", "true"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"allow_unsigned_extensions", "false"},
  };
  for (const auto& [key, value] : settings) {
    if (api.set_config(config.get(), key, value.c_str()) != DuckDBSuccess) {
      return fail({"invalid_input",
                   fmt::format("DuckDB {} refuses the setting {} = {}", api.version, key, value),
                   true,
                   {}});
    }
  }
  char* error = nullptr;
  const auto path = spec.database.string();
  if (api.open_ext(spec.database.empty() ? nullptr : path.c_str(), instance->database_.out(), config.get(),
                   &error) != DuckDBSuccess) {
    auto failure = failure_of(take_text(api, error));
    failure.message =
        fmt::format("cannot open {}: {}", path.empty() ? "a database in memory" : path, failure.message);
    return fail(std::move(failure));
  }
  if (auto done = instance->set_up(spec); !done) return fail(std::move(done).error());
  for (const auto& [table, name] :
       {std::pair(&instance->rows_, kRowsTable), std::pair(&instance->foreign_rows_, kForeignRowsTable)}) {
    auto made = RowsTable::make(api, instance->control_.get(), name);
    if (!made) return fail(std::move(made).error());
    *table = *std::move(made);
  }
  return instance;
}

Run<Unit> Instance::set_up(const Spec& spec) {
  if (api_.connect(database_.get(), control_.out()) != DuckDBSuccess)
    return fail({"internal", "DuckDB gave no connection", false, {}});
  const auto step = [&](const std::string& what, const std::string& sql) -> Run<Unit> {
    auto done = execute(api_, control_.get(), sql);
    if (!done) {
      auto failure = std::move(done).error();
      failure.message = fmt::format("{}: {}", what, failure.message);
      failure.details["step"] = what;
      return fail(std::move(failure));
    }
    return Unit{};
  };
  // 1. Load what needs access to files.
  for (const auto& extension : spec.extensions) {
    if (auto done = step("extension " + extension, "LOAD " + quote_literal(extension)); !done) return done;
  }
  if (auto done = step("timezone", "SET GLOBAL TimeZone=" + quote_literal(spec.timezone)); !done) return done;
  for (const auto& [name, value] : spec.settings) {
    if (auto done = step("settings." + name, fmt::format("SET GLOBAL {}={}", name, quote_literal(value)));
        !done)
      return done;
  }
  // here, because DuckDB drops what was configured before it opened the folder
  if (spec.max_spill > 0 && !spec.settings.contains("max_temp_directory_size")) {
    const auto most = fmt::format("SET max_temp_directory_size='{}B'", spec.max_spill);
    if (auto done = step("max_spill", most); !done) return done;
  }
  // 2. Allow the configured files, and no others.
  std::vector<std::filesystem::path> folders;
  std::vector<std::filesystem::path> files;
  for (const auto& path : spec.data) (std::filesystem::is_directory(path) ? folders : files).push_back(path);
  if (!options_.out.empty()) folders.push_back(options_.out);
  if (auto done = step("data", "SET allowed_directories=" + list_literal(folders)); !done) return done;
  if (!files.empty()) {
    if (auto done = step("data", "SET allowed_paths=" + list_literal(files)); !done) return done;
  }
  if (auto done = step("sandbox", "SET enable_external_access=false"); !done) return done;
  // 3. Create the user's views and macros, with these restrictions.
  for (std::size_t i = 0; i < spec.setup.size(); ++i) {
    if (auto done = step(fmt::format("setup.{}", i), spec.setup[i]); !done) return done;
  }
  // 4. Lock the configuration.
  if (auto done = step("sandbox", fmt::format("SET allowed_configs={}", kOpenSettings)); !done) return done;
  return step("sandbox", "SET lock_configuration=true");
}

Run<Connection> Instance::connect() {
  Connection connection(api_.disconnect);
  if (api_.connect(database_.get(), connection.out()) != DuckDBSuccess) {
    return fail({"internal", "DuckDB gave no connection", false, {}, true});
  }
  if (auto done = execute(api_, connection.get(), std::string(kConnectionSettings)); !done)
    return fail(std::move(done).error());
  return connection;
}

Run<Unit> Instance::resize(std::size_t threads, std::uint64_t grant) {
  if (threads != options_.threads) {
    if (auto done = execute(api_, control_.get(), fmt::format("SET threads={}", threads)); !done) return done;
    options_.threads = threads;
  }
  if (grant != options_.grant) {
    if (auto done = execute(api_, control_.get(), "SET memory_limit=" + quote_literal(memory_limit(grant)));
        !done)
      return done;
    options_.grant = grant;
  }
  return Unit{};
}

void Instance::trim() {
  // DuckDB frees unused memory when the limit is set again; glibc frees it on malloc_trim()
  if (auto done =
          execute(api_, control_.get(), "SET memory_limit=" + quote_literal(memory_limit(options_.grant)));
      !done)
    return;
  malloc_trim(0);
}

}  // namespace gaur::duckdb
