#pragma once
// A result too large to stand in the job: written to a file below the runner's out folder, under a name with
// ".part" until it is whole. The rows come from the stream that is already running; the query is not run
// again.
#include <filesystem>
#include <string>

#include "duckdb/encoder.hpp"
#include "duckdb/instance.hpp"
#include "duckdb/run_control.hpp"

namespace gaur::duckdb {

struct WrittenFile {
  std::string name;  ///< below the out folder
  std::size_t rows = 0;
  std::uint64_t bytes = 0;
  bool truncated = false;
};

struct ResultFileOptions {
  std::filesystem::path folder;
  std::string name;  ///< without ending
  FileFormat format = FileFormat::kParquet;
  bool csv_bom = false;
};

/// Writes all rows of `source`. On failure nothing is left of the file. NDJSON is written by `encoder` (which
/// must fit the source's columns), Parquet and CSV by DuckDB's COPY on a connection of its own. Errors: those
/// of the query itself, io, not_implemented (a type that the format cannot hold).
Run<WrittenFile> write_result_file(const Api& api, Instance& instance, RunControl& control,
                                   RowsSource& source, RowEncoder& encoder, const ResultFileOptions& options);

/// The type with which a column goes into Parquet without loss: its own, or what stands for it (HUGEINT:
/// DECIMAL(38,0)).
std::string parquet_type(const Api& api, duckdb_logical_type type);

}  // namespace gaur::duckdb
