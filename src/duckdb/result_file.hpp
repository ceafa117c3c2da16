#pragma once
// Writes a result that is too large for the job to a file in the runner's out folder, with the extension
// ".part" until it is complete. The rows come from the running query; it does not run again.
#include <filesystem>
#include <string>

#include "duckdb/encoder.hpp"
#include "duckdb/instance.hpp"
#include "duckdb/run_control.hpp"

namespace gaur::duckdb {

struct WrittenFile {
  /// Below the out folder.
  std::string name;
  std::size_t rows = 0;
  std::uint64_t bytes = 0;
  bool truncated = false;
};

struct ResultFileOptions {
  std::filesystem::path folder;
  /// Without extension.
  std::string name;
  FileFormat format = FileFormat::kParquet;
  bool csv_bom = false;
};

/// Writes all rows of `source`. On failure the file is removed. NDJSON is written by `encoder` (which
/// must fit the source's columns), Parquet and CSV by DuckDB's COPY on a connection of its own. Errors: those
/// of the query itself, io, not_implemented (a type that the format cannot hold).
Run<WrittenFile> write_result_file(const Api& api, Instance& instance, RunControl& control,
                                   RowsSource& source, RowEncoder& encoder, const ResultFileOptions& options);

/// The type of the column in Parquet without loss: its own, or a replacement (HUGEINT: DECIMAL(38,0)).
std::string parquet_type(const Api& api, duckdb_logical_type type);

}  // namespace gaur::duckdb
