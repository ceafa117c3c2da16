// Service, second part: the rows of a started query as a result, inline or in a file.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>

#include "base/json_writer.hpp"
#include "duckdb/foreign_columns.hpp"
#include "duckdb/result_budget.hpp"
#include "duckdb/service.hpp"

namespace gaur::duckdb {
namespace {

std::size_t most_rows(const Function& function) {
  return function.max_rows == 0 ? std::numeric_limits<std::size_t>::max() : function.max_rows;
}

/// What DuckDB counted while the query ran.
json::Object profile(const Api& api, duckdb_connection connection) {
  json::Object counts;
  const auto info = api.get_profiling_info(connection);
  if (info == nullptr) return counts;
  const Value metrics(api.destroy_value, api.profiling_info_get_metrics(info));
  if (!metrics) return counts;
  for (idx_t i = 0; i < api.get_map_size(metrics.get()); ++i) {
    const Value key(api.destroy_value, api.get_map_key(metrics.get(), i));
    const Value value(api.destroy_value, api.get_map_value(metrics.get(), i));
    const auto name = take_text(api, api.get_varchar(key.get()));
    const auto text = take_text(api, api.get_varchar(value.get()));
    if (name == "CUMULATIVE_ROWS_SCANNED") counts["rows_scanned"] = std::strtoll(text.c_str(), nullptr, 10);
    if (name == "TOTAL_BYTES_READ") counts["bytes_read"] = std::strtoll(text.c_str(), nullptr, 10);
  }
  return counts;
}

}  // namespace

/// The encoded rows up to the limit, and their chunks, which may become the beginning of a file.
struct Service::Gathered {
  std::deque<Chunk> kept;
  std::string rows = "[";
  std::size_t count = 0;
  bool truncated = false;  // max_rows dropped some
  bool large = false;      // more than inline_bytes: not all rows are here
};

Run<Service::Gathered> Service::gather(const Function& function, const ResultBudget& budget,
                                       const NextChunk& next, RowEncoder& encoder) {
  const std::size_t most = std::min(function.inline_bytes, budget.rows(function.envelope));
  Gathered gathered;
  while (!gathered.large && !gathered.truncated) {
    auto chunk = next();
    if (!chunk) return fail(std::move(chunk).error());
    if (!*chunk) break;
    encoder.bind(chunk->get());
    const auto size = api_.data_chunk_get_size(chunk->get());
    for (idx_t row = 0; row < size && !gathered.large; ++row) {
      if (gathered.count == most_rows(function)) {
        gathered.truncated = true;
        break;
      }
      if (gathered.count > 0) gathered.rows += ',';
      encoder.append_row(gathered.rows, row);
      ++gathered.count;
      gathered.large = gathered.rows.size() + 1 > most;
    }
    gathered.kept.push_back(*std::move(chunk));
  }
  gathered.rows += ']';
  gathered.large = gathered.large || function.inline_bytes == 0;
  if (!gathered.large) return gathered;
  if (!function.large_to_file) return fail(budget.rows_too_large(function, most, gathered.count));
  if (auto done = budget.check_schema(); !done) return fail(std::move(done).error());
  return gathered;
}

Run<WrittenFile> Service::write_file(Instance& instance, const Function& function, const NextChunk& next,
                                     RowEncoder& encoder, Gathered& gathered,
                                     const std::vector<LogicalType>& types) {
  gathered.rows.clear();
  RowsSource source;
  for (const auto& column : encoder.columns()) source.names.push_back(column.name);
  source.types = &types;
  source.any = gathered.count > 0;
  source.rows_left = most_rows(function);
  source.next = [&]() -> Run<Chunk> {
    if (gathered.kept.empty()) return next();
    Chunk chunk = std::move(gathered.kept.front());
    gathered.kept.pop_front();
    return chunk;
  };
  return write_result_file(
      api_, instance, control_, source, encoder,
      {options_.out, fmt::format("result-{}", ++results_), function.format, function.csv_bom});
}

Run<Service::Output> Service::answer_query(Instance& instance, const Function& function,
                                           Connection& connection, Statement& statement) {
  if (function.envelope || function.inline_bytes == 0) {
    // as known before the query runs
    if (auto done = ResultBudget(function, statement.columns()).check_schema(); !done)
      return fail(std::move(done).error());
  }
  if (auto done = statement.start(); !done) return fail(std::move(done).error());
  auto types = statement.result_types();
  const auto is_foreign = [&](const LogicalType& type) { return has_foreign_type(api_, type.get()); };
  std::unique_ptr<ForeignColumns> foreign;
  if (std::any_of(types.begin(), types.end(), is_foreign)) {
    auto cast = ForeignColumns::cast(api_, instance, control_, std::move(statement));
    if (!cast) return fail(std::move(cast).error());
    foreign = *std::move(cast);
    types = foreign->result_types();
  }
  const NextChunk next = [&] { return foreign ? foreign->next(control_) : statement.next(control_); };
  for (const auto& type : types) {
    if (!has_foreign_type(api_, type.get())) continue;
    return fail({"not_implemented",
                 fmt::format("a column has the type {}, which has no JSON form: cast it in the SQL",
                             type_text(api_, type.get())),
                 true,
                 {}});
  }
  RowEncoder encoder(
      api_, distinct_names(foreign ? foreign->result_names() : statement.result_names()), types,
      {function.shape, function.bigint_number, function.decimal_number, function.nonfinite_text});
  const ResultBudget budget(function, encoder.columns());
  if (function.envelope) {
    if (auto done = budget.check_schema(); !done) return fail(std::move(done).error());
  }
  auto gathered = gather(function, budget, next, encoder);
  if (!gathered) return fail(std::move(gathered).error());
  Output output;
  WrittenFile written{"", gathered->count, gathered->rows.size(), gathered->truncated};
  if (gathered->large) {
    auto file = write_file(instance, function, next, encoder, *gathered, types);
    if (!file) return fail(std::move(file).error());
    written = *std::move(file);
    output.file = json::object([&](json::ObjectWriter& out) {
      out.text("name", written.name).text("format", to_string(function.format)).number("rows", written.rows);
    });
  }
  if (gathered->large || function.envelope) {
    output.result = json::object([&](json::ObjectWriter& out) {
      out.objects("schema", encoder.columns(), [](json::ObjectWriter& inner, const Column& column) {
        inner.text("name", column.name).text("type", column.type).text("json", column.json);
      });
      if (!gathered->large) out.raw("rows", gathered->rows);
      out.number("row_count", written.rows).flag("truncated", written.truncated);
      out.text("timezone", spec_.timezone);
    });
  } else {
    output.result = std::move(gathered->rows);
  }
  output.details = profile(api_, connection.get());
  output.details["rows"] = written.rows;
  output.details["result_bytes"] = written.bytes;
  return output;
}

}  // namespace gaur::duckdb
