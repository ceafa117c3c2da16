#include "duckdb/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/files.hpp"
#include "duckdb/check_instance.hpp"
#include "duckdb/encoder.hpp"
#include "duckdb/parameters.hpp"
#include "duckdb/sample_values.hpp"
#include "duckdb/sandbox.hpp"
#include "duckdb/statement.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::size_t kMostVariants = 64;
constexpr std::uintmax_t kLargestSpec = json::ParseLimits{}.max_bytes;

Problem problem_of(const std::string& path, const RunFailure& failure) {
  Problem problem{path, failure.message};
  problem.line = static_cast<std::size_t>(json::integer(failure.details, "line").value_or(0));
  problem.column = static_cast<std::size_t>(json::integer(failure.details, "column").value_or(0));
  const auto at = problem.message.rfind(" (line ");
  if (problem.line != 0 && at != std::string::npos) problem.message.resize(at);
  if (const auto list = problem.message.find("Candidate functions:"); list != std::string::npos) {
    problem.message.resize(problem.message.find_last_not_of(" \t", list - 1) + 1);
    return problem;
  }
  if (const auto candidates = json::text_or(failure.details, "candidates", "");
      !candidates.empty() && problem.message.find(candidates) == std::string::npos) {
    problem.message += "; did you mean " + candidates + "?";
  }
  return problem;
}

/// All combinations of the conditions; if there are too many: all, none, and each alone.
std::vector<std::vector<bool>> variants(std::size_t conditions) {
  std::vector<std::vector<bool>> all;
  if (conditions < 7 && (std::size_t{1} << conditions) <= kMostVariants) {
    for (std::size_t bits = 0; bits < (std::size_t{1} << conditions); ++bits) {
      auto& each = all.emplace_back(conditions);
      for (std::size_t i = 0; i < conditions; ++i) each[i] = ((bits >> i) & 1U) != 0;
    }
    return all;
  }
  all.emplace_back(conditions, true);
  all.emplace_back(conditions, false);
  for (std::size_t i = 0; i < conditions; ++i) all.emplace_back(conditions, false)[i] = true;
  return all;
}

/// How far a function's SQL can be checked.
enum class Depth : std::uint8_t {
  /// Without a database: only the parser's errors.
  kSyntax,
  /// The parameters have problems, so no values can be bound.
  kStatement,
  kAll,
};

class FunctionCheck {
 public:
  FunctionCheck(const Api& api, duckdb_connection connection, const std::string& path,
                const Function& function, Depth depth, std::vector<Problem>& problems)
      : api_(api),
        connection_(connection),
        path_(path),
        function_(function),
        depth_(depth),
        problems_(problems) {}

  void run() {
    const auto& conditions = function_.sql->conditions();
    for (const auto& variant : variants(conditions.size())) {
      const auto sql = function_.sql->render(
          [&](const Condition& condition) {
            return variant[static_cast<std::size_t>(
                std::find(conditions.begin(), conditions.end(), condition) - conditions.begin())];
          },
          [&](std::string_view name) { return first_allowed(name); });
      if (!check_variant(sql, variant)) return;  // the other variants would repeat the error
    }
    if (depth_ != Depth::kAll) return;
    for (const auto& [name, parameter] : function_.parameters) {
      if (!used_.contains(name) && !mentioned(name))
        add("params." + name, "is declared and never used by the SQL as $" + name);
    }
    check_patterns();
  }

 private:
  void add(const std::string& member, std::string message) {
    problems_.push_back({path_ + "." + member, std::move(message)});
  }

  bool mentioned(const std::string& name) const {
    const auto& conditions = function_.sql->conditions();
    return function_.sql->identifiers().contains(name) ||
           std::any_of(conditions.begin(), conditions.end(),
                       [&](const Condition& each) { return each.name == name; });
  }

  std::optional<std::string> first_allowed(std::string_view name) const {
    const auto found = function_.parameters.find(name);
    if (found == function_.parameters.end() || found->second.allowed.empty()) return std::nullopt;
    return template_text(found->second.allowed.front());
  }

  bool check_variant(const RenderedSql& sql, const std::vector<bool>& variant) {
    auto statement = Statement::prepare(api_, connection_, sql, function_.sql->text());
    if (!statement) {
      const std::string& code = statement.error().code;
      if (depth_ != Depth::kSyntax || code == "syntax" || code == "permission")
        problems_.push_back(problem_of(path_ + ".sql", statement.error()));
      return false;
    }
    if (depth_ != Depth::kAll) return true;
    bool good = true;
    for (const auto& name : statement->parameter_names()) {
      used_.insert(name);
      if (function_.parameters.contains(name)) continue;
      add("sql", fmt::format("uses ${}, which is not among params", name));
      good = false;
    }
    if (function_.shape == Shape::kObjects) {
      std::vector<std::string> names;
      for (const auto& column : statement->columns()) names.push_back(column.first);
      const auto distinct = distinct_names(names);
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == distinct[i]) continue;
        add("sql",
            fmt::format("has two columns named {}: name one of them with AS, or set result = \"arrays\"",
                        names[i]));
        good = false;
      }
    }
    return good && check_values(*statement, variant);
  }

  /// Plans the statement with every parameter given, then with all missing that may be: their NULLs have
  /// types, which choose overloads as values do, but a table function may take no NULL.
  bool check_values(Statement& statement, const std::vector<bool>& variant) {
    std::vector<std::string> missing;
    const auto given = plan_with(statement, variant, true, missing);
    if (!given && is_about_types(given.error())) {
      problems_.push_back(problem_of(path_ + ".sql", given.error()));
      return false;
    }
    const auto without = plan_with(statement, variant, false, missing);
    const bool by_value = !given && !without && given.error().code == without.error().code;
    if (without || missing.empty() || by_value) return true;
    auto problem = problem_of(path_ + ".sql", without.error());
    problem.message += fmt::format("; this happens without {}", fmt::join(missing, ", "));
    problems_.push_back(std::move(problem));
    return false;
  }

  /// Other errors may be those of the sample value: no file, no such column.
  static bool is_about_types(const RunFailure& failure) {
    return failure.code == "binder" &&
           (failure.message.find("No function matches") != std::string::npos ||
            failure.message.find("Could not choose a best candidate") != std::string::npos ||
            failure.message.find("Cannot compare") != std::string::npos ||
            failure.message.find("Cannot mix") != std::string::npos);
  }

  Run<Unit> plan_with(Statement& statement, const std::vector<bool>& variant, bool all,
                      std::vector<std::string>& missing) {
    missing.clear();
    for (const auto& name : statement.parameter_names()) {
      const auto& parameter = function_.parameters.find(name)->second;
      const bool always = parameter.required || parameter.default_value;
      const bool given = always || given_by(function_.sql->conditions(), variant, name).value_or(all);
      if (!given) missing.push_back("$" + name);
      const auto sample = sample_of(parameter);
      if (auto done = statement.bind(name, to_duckdb(api_, parameter, given ? &sample : nullptr)); !done)
        return done;
    }
    return statement.plan(connection_);
  }

  void check_patterns() {
    for (const auto& [name, parameter] : function_.parameters) {
      if (parameter.pattern.empty()) continue;
      const auto done = execute(api_, connection_,
                                "SELECT regexp_full_match('', " + quote_literal(parameter.pattern) + ")");
      if (!done) add("params." + name + ".pattern", done.error().message);
    }
  }

  const Api& api_;
  duckdb_connection connection_;
  std::string path_;
  const Function& function_;
  Depth depth_;
  std::vector<Problem>& problems_;
  std::set<std::string> used_;
};

}  // namespace

Loaded load(const std::filesystem::path& file, std::vector<Problem>& problems) {
  Loaded loaded;
  const auto text = read_file(file, kLargestSpec);
  if (!text) {
    problems.push_back({"", text.error().message});
    return loaded;
  }
  const auto object = json::parse_object(*text);
  if (!object) {
    problems.push_back({"", fmt::format("{}: {}", file.string(), object.error().message)});
    return loaded;
  }
  if (const auto number = json::inexact_number(*text)) {
    problems.push_back({"", fmt::format("{}: the number {} has more digits than are kept; write it in quotes",
                                        file.string(), *number)});
  }
  loaded.spec = read_spec(*object, problems);
  std::vector<std::filesystem::path> own;
  for (const char* variable : {"GAUR_OUT", "GAUR_TMP"}) {
    if (const char* folder = std::getenv(variable); folder != nullptr && *folder != '\0')
      own.emplace_back(folder);
  }
  check_paths(loaded.spec, own, problems);
  auto library = load_library(loaded.spec.library);
  if (library) {
    loaded.api = *std::move(library);
  } else {
    problems.push_back({"library", library.error().message});
  }
  std::error_code error;
  if (!loaded.spec.root.empty()) std::filesystem::current_path(loaded.spec.root, error);
  return loaded;
}

namespace {

bool any_at(const std::vector<Problem>& problems, const std::string& path) {
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
    return problem.path == path || problem.path.starts_with(path + ".");
  });
}

/// Nothing if the SQL's directives have errors: DuckDB would repeat them.
std::optional<Depth> depth_of(const std::string& path, Depth most, const std::vector<Problem>& problems) {
  if (any_at(problems, path + ".sql")) return std::nullopt;
  return any_at(problems, path + ".params") ? std::min(most, Depth::kStatement) : most;
}

/// Adds a problem if the database cannot be opened.
bool check_in(const ScratchFolder& scratch, const Api& api, const Spec& spec, Depth most,
              std::vector<Problem>& problems) {
  auto instance = open_for_check(api, spec, scratch);
  if (!instance) {
    const auto step = json::text_or(instance.error().details, "step", "database");
    problems.push_back({step, instance.error().message});
    return false;
  }
  auto connection = (*instance)->connect();
  if (!connection) {
    problems.push_back({"database", connection.error().message});
    return false;
  }
  for (const auto& [name, function] : spec.functions) {
    const std::string path = "functions." + name;
    const auto depth = depth_of(path, most, problems);
    if (function.sql && depth) FunctionCheck(api, connection->get(), path, function, *depth, problems).run();
  }
  return true;
}

bool is_of_pool(const Problem& problem) {
  return problem.path != "functions" && !problem.path.starts_with("functions.");
}

/// The functions of `spec` without its database, extensions and setup.
Spec functions_alone(const Spec& spec) {
  Spec alone;
  alone.library = spec.library;
  alone.root = spec.root;
  alone.timezone = "UTC";
  alone.functions = spec.functions;
  return alone;
}

}  // namespace

void check_functions(const Api& api, const Spec& spec, std::vector<Problem>& problems) {
  const ScratchFolder scratch;
  // Confined as the runner will be, so that what fails there fails here; on a thread of its own, because this
  // one has to remove the scratch folder.
  std::thread([&] {
    const bool as_configured = std::none_of(problems.begin(), problems.end(), is_of_pool);
    const bool wanted = spec.sandbox != Spec::Sandbox::kOff;
    const auto confined = wanted ? confine(spec, {"", {scratch.path()}}) : ok();
    if (!confined && as_configured && spec.sandbox == Spec::Sandbox::kRequire)
      problems.push_back({"sandbox", "cannot be required here: " + confined.error().message});
    if (as_configured && check_in(scratch, api, spec, Depth::kAll, problems)) return;
    check_in(scratch, api, functions_alone(spec), Depth::kSyntax, problems);
  }).join();
}

std::string problem_line(const Problem& problem) {
  json::Object line{{"path", problem.path}, {"message", problem.message}};
  if (problem.line != 0) {
    line["line"] = problem.line;
    line["column"] = problem.column;
  }
  return json::serialize(line);
}

}  // namespace gaur::duckdb
