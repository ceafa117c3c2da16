#pragma once
// One opened DuckDB with its fences up: limits, own spill folder, no way to files outside the configured
// ones, and the configuration locked. The order of the steps was tried and matters (instance.cpp).
#include <filesystem>
#include <memory>
#include <string>

#include "duckdb/handles.hpp"
#include "duckdb/rows_table.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

struct InstanceOptions {
  std::size_t threads = 1;
  std::uint64_t grant = 0;      ///< bytes that the run may use in all; DuckDB's own limit is 0.6 of it
  std::filesystem::path spill;  ///< an empty folder of its own
  std::filesystem::path out;    ///< where results are written; empty: nowhere
};

/// Runs one or more statements whose rows do not matter.
Run<Unit> execute(const Api& api, duckdb_connection connection, const std::string& sql);

/// Thread-safety: confined to the thread that runs jobs.
class Instance {
 public:
  /// Errors: what DuckDB says about the file, a setting, an extension or a setup statement, with code.
  static Run<std::unique_ptr<Instance>> open(const Api& api, const Spec& spec, InstanceOptions options);
  ~Instance();

  /// A fresh connection: what a job leaves behind in it (temporary tables, variables) ends with it.
  Run<Connection> connect();
  /// The limits of the next run. Errors: out_of_memory when more is held than the new limit; then reopen.
  Run<Unit> resize(std::size_t threads, std::uint64_t grant);
  /// Gives freed memory back: DuckDB's to its allocator, the allocator's to the system.
  void trim();
  /// Through which rows that were fetched already go into a COPY.
  RowsTable& rows() { return *rows_; }
  /// Through which rows go whose columns are cast first.
  RowsTable& foreign_rows() { return *foreign_rows_; }
  const InstanceOptions& options() const { return options_; }

 private:
  Instance(const Api& api, InstanceOptions options);
  Run<Unit> set_up(const Spec& spec);

  const Api& api_;
  InstanceOptions options_;
  std::unique_ptr<RowsTable> rows_;  // the database calls into both: they must end after it
  std::unique_ptr<RowsTable> foreign_rows_;
  Database database_;
  Connection control_;
};

/// DuckDB's memory_limit for a grant: its buffers are not all that a query uses.
std::string memory_limit(std::uint64_t grant);

}  // namespace gaur::duckdb
