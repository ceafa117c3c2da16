#pragma once
// One open DuckDB instance with its limits, its own spill folder, access only to configured files, and a
// locked configuration. The order of the steps matters (instance.cpp).
#include <filesystem>
#include <memory>
#include <string>

#include "duckdb/handles.hpp"
#include "duckdb/rows_table.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

struct InstanceOptions {
  std::size_t threads = 1;
  /// Bytes that the run may use in all; DuckDB's memory_limit is 0.6 of it.
  std::uint64_t grant = 0;
  /// An empty folder for this instance.
  std::filesystem::path spill;
  /// Folder of result files; empty: none.
  std::filesystem::path out;
};

/// Runs one or more statements and drops their rows.
Run<Unit> execute(const Api& api, duckdb_connection connection, const std::string& sql);

/// Thread-safety: confined to the thread that runs jobs.
class Instance {
 public:
  /// Errors: DuckDB's, about the file, a setting, an extension or a setup statement, with a code.
  static Run<std::unique_ptr<Instance>> open(const Api& api, const Spec& spec, InstanceOptions options);
  ~Instance();

  /// A new connection. Temporary tables and variables of a job end with it.
  Run<Connection> connect();
  /// Sets the limits of the next run. Errors: out_of_memory (more memory is in use than the new limit):
  /// reopen the instance.
  Run<Unit> resize(std::size_t threads, std::uint64_t grant);
  /// Returns freed memory from DuckDB to its allocator, and from the allocator to the system.
  void trim();
  /// Passes rows that were fetched before to a COPY.
  RowsTable& rows() { return *rows_; }
  /// Passes rows to the query that casts their columns.
  RowsTable& foreign_rows() { return *foreign_rows_; }
  const InstanceOptions& options() const { return options_; }

 private:
  Instance(const Api& api, InstanceOptions options);
  Run<Unit> set_up(const Spec& spec);

  const Api& api_;
  InstanceOptions options_;
  std::unique_ptr<RowsTable> rows_;  // the database calls both: they must outlive it
  std::unique_ptr<RowsTable> foreign_rows_;
  Database database_;
  Connection control_;
};

/// DuckDB's memory_limit for a grant. It is lower, because a query uses more than DuckDB's buffers.
std::string memory_limit(std::uint64_t grant);

}  // namespace gaur::duckdb
