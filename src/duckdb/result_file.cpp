#include "duckdb/result_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::size_t kWriteAt = 1 << 20;

RunFailure io_failure(const std::string& what, int error) {
  return {"io", fmt::format("{}: {}", what, std::strerror(error)), false, {}};
}

/// Removes an incomplete file.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~PartFile() {
    if (!kept_) unlink(path_.c_str());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

  /// Syncs and renames the file; returns its size.
  Run<std::uint64_t> keep_as(const std::filesystem::path& name) {
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(io_failure("cannot open the result file", errno));
    struct stat about {};
    const bool good = fsync(file) == 0 && fstat(file, &about) == 0;
    const int error = errno;
    close(file);
    if (!good) return fail(io_failure("cannot sync the result file", error));
    if (rename(path_.c_str(), name.c_str()) != 0)
      return fail(io_failure("cannot name the result file", errno));
    kept_ = true;
    return static_cast<std::uint64_t>(about.st_size);
  }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

Run<Unit> write_all(int file, std::string& buffer) {
  for (std::size_t at = 0; at < buffer.size();) {
    const auto wrote = write(file, buffer.data() + at, buffer.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail(io_failure("cannot write the result file", errno));
    at += static_cast<std::size_t>(wrote);
  }
  buffer.clear();
  return Unit{};
}

Run<Unit> fill_ndjson(const Api& api, int file, RowsSource& source, RowEncoder& encoder) {
  std::string buffer;
  while (!source.truncated) {
    auto chunk = source.next();
    if (!chunk) return fail(std::move(chunk).error());
    if (!*chunk) break;
    encoder.bind(chunk->get());
    for (idx_t row = 0; row < api.data_chunk_get_size(chunk->get()); ++row) {
      if (source.rows_left == 0) {
        source.truncated = true;
        break;
      }
      encoder.append_row(buffer, row);
      buffer += '\n';
      ++source.rows;
      --source.rows_left;
      if (buffer.size() < kWriteAt) continue;
      if (auto done = write_all(file, buffer); !done) return done;
    }
  }
  return write_all(file, buffer);
}

Run<Unit> write_ndjson(const Api& api, const std::filesystem::path& path, RowsSource& source,
                       RowEncoder& encoder) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(io_failure("cannot make the result file", errno));
  auto done = fill_ndjson(api, file, source, encoder);
  if (close(file) != 0 && done) return fail(io_failure("cannot write the result file", errno));
  return done;
}

std::string csv_field(const std::string& text) {
  return text.find_first_of(",\"\r\n") == std::string::npos ? text : quote_identifier(text);
}

/// The head of the file is ours where a byte order mark must stand before it: DuckDB then writes the rows
/// only.
std::string csv_options(const RowsSource& source, bool bom) {
  if (!bom) return "FORMAT csv, HEADER true";
  std::string head = "\xEF\xBB\xBF";
  for (std::size_t i = 0; i < source.names.size(); ++i)
    head += (i == 0 ? "" : ",") + csv_field(source.names[i]);
  // line ends stand between what is written, not behind it: one ends the head where rows follow, one the file
  return fmt::format("FORMAT csv, HEADER false, PREFIX {}, SUFFIX {}",
                     quote_literal(source.any ? head + "\n" : head), quote_literal("\n"));
}

Run<Unit> write_by_copy(const Api& api, Instance& instance, RunControl& control, RowsSource& source,
                        const std::filesystem::path& path, const ResultFileOptions& options) {
  auto connection = instance.connect();
  if (!connection) return fail(std::move(connection).error());
  const Attached attached(control, connection->get());
  std::string list;
  for (std::size_t i = 0; i < source.names.size(); ++i) {
    const auto name = quote_identifier(source.names[i]);
    const auto type = (*source.types)[i].get();
    const auto held = options.format == FileFormat::kParquet ? parquet_type(api, type) : "";
    list += i == 0 ? "" : ", ";
    list += held.empty() || held == type_text(api, type)
                ? name
                : fmt::format("CAST({} AS {}) AS {}", name, held, name);
  }
  const auto copy =
      fmt::format("COPY (SELECT {} FROM {}()) TO {} ({})", list, kRowsTable, quote_literal(path.string()),
                  options.format == FileFormat::kParquet ? "FORMAT parquet, COMPRESSION zstd"
                                                         : csv_options(source, options.csv_bom));
  instance.rows().arm(source);
  auto done = execute(api, connection->get(), copy);
  instance.rows().disarm();
  if (source.failure) return fail(*source.failure);  // the query's failure, not COPY's message about it
  return done;
}

}  // namespace

Run<WrittenFile> write_result_file(const Api& api, Instance& instance, RunControl& control,
                                   RowsSource& source, RowEncoder& encoder,
                                   const ResultFileOptions& options) {
  WrittenFile written;
  written.name = fmt::format("{}.{}", options.name, to_string(options.format));
  const auto path = options.folder / written.name;
  PartFile part(path.string() + ".part");
  auto done = options.format == FileFormat::kNdjson
                  ? write_ndjson(api, part.path(), source, encoder)
                  : write_by_copy(api, instance, control, source, part.path(), options);
  if (!done) return fail(std::move(done).error());
  auto bytes = part.keep_as(path);
  if (!bytes) return fail(std::move(bytes).error());
  written.bytes = *bytes;
  written.rows = source.rows;
  written.truncated = source.truncated;
  return written;
}

}  // namespace gaur::duckdb
