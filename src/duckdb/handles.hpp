#pragma once
// RAII handles of DuckDB, and the failure of a step of a run.
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/json.hpp"
#include "duckdb/library.hpp"

namespace gaur::duckdb {

/// Owns one DuckDB handle. `destroy` is the library's function for this kind; it is called once, with a
/// non-null handle. Thread-safety: a value.
template <class T>
class Owned {
 public:
  using Destroy = void (*)(T*);
  explicit Owned(Destroy destroy, T handle = nullptr) : destroy_(destroy), handle_(handle) {}
  Owned(Owned&& other) noexcept : destroy_(other.destroy_), handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(destroy_, other.destroy_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { reset(); }

  T get() const { return handle_; }
  T* out() { return &handle_; }
  explicit operator bool() const { return handle_ != nullptr; }
  void reset() {
    if (handle_ != nullptr) destroy_(&handle_);
    handle_ = nullptr;
  }

 private:
  Destroy destroy_;
  T handle_;
};

using Database = Owned<duckdb_database>;
using Connection = Owned<duckdb_connection>;
using Prepared = Owned<duckdb_prepared_statement>;
using Chunk = Owned<duckdb_data_chunk>;
using LogicalType = Owned<duckdb_logical_type>;
using Value = Owned<duckdb_value>;

/// A duckdb_result, which is a struct. Thread-safety: confined.
class QueryResult {
 public:
  explicit QueryResult(const Api& api) : api_(&api) {}
  QueryResult(QueryResult&& other) noexcept : api_(other.api_), result_(std::exchange(other.result_, {})) {}
  QueryResult& operator=(QueryResult&& other) noexcept {
    std::swap(result_, other.result_);
    return *this;
  }
  QueryResult(const QueryResult&) = delete;
  QueryResult& operator=(const QueryResult&) = delete;
  ~QueryResult() { api_->destroy_result(&result_); }
  duckdb_result* get() { return &result_; }

 private:
  const Api* api_;
  duckdb_result result_{};
};

/// Copies and frees a text that DuckDB allocated; "" for null.
inline std::string take_text(const Api& api, char* text) {
  std::string copy = text == nullptr ? "" : text;
  if (text != nullptr) api.free(text);
  return copy;
}

/// Why a run failed, as in the `failed` frame.
struct RunFailure {
  /// "parameter", "syntax", "out_of_memory", ...: docs/reference/duckdb.md lists them.
  std::string code;
  /// For people; one line.
  std::string message;
  /// Another attempt fails in the same way.
  bool final = true;
  /// Position, candidates, parameter, ...
  json::Object details;
  /// The process must be renewed before the next run.
  bool unhealthy = false;
};

template <class T>
using Run = tl::expected<T, RunFailure>;
inline tl::unexpected<RunFailure> fail(RunFailure failure) {
  return tl::make_unexpected(std::move(failure));
}

}  // namespace gaur::duckdb
