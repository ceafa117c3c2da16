#pragma once
// How many bytes of a result remain for the rows beside the schema, and the failures of results that are too
// large. A type can be large: an ENUM lists all of its values.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "duckdb/encoder.hpp"
#include "duckdb/handles.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// Thread-safety: immutable.
class ResultBudget {
 public:
  ResultBudget(const Function& function, const std::vector<Column>& columns);
  /// From names and types alone, before the query is started.
  ResultBudget(const Function& function, const std::vector<std::pair<std::string, std::string>>& columns);

  /// Bytes left for rows, with or without a schema.
  std::size_t rows(bool with_schema) const;
  /// Errors: too_large, naming the column whose type takes most, if the schema alone does not fit.
  Run<Unit> check_schema() const;
  /// `most`: the bytes that the rows may take, `count`: rows after which they took more.
  RunFailure rows_too_large(const Function& function, std::size_t most, std::size_t count) const;

 private:
  void add(const std::string& name, const std::string& type);
  std::string schema_in_words() const;

  std::size_t limit_;
  std::size_t schema_ = 0;
  std::string largest_;  // column
  std::size_t largest_bytes_ = 0;
  std::string largest_kind_;  // "ENUM"
};

}  // namespace gaur::duckdb
