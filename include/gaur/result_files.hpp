#pragma once
// Results that are files: a job's result is then {"file":{"url":...,"format":...,"bytes":...}} and the bytes
// lie in the data folder until they expire or the job is removed.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "gaur/queue.hpp"
#include "gaur/result.hpp"

namespace gaur {

struct ResultFile {
  std::filesystem::path path;
  /// "parquet", "csv", "ndjson", ...
  std::string format;
  std::uint64_t bytes = 0;
  /// As the runner reported; 0 if it did not.
  std::uint64_t rows = 0;
  /// find() fails from this time on.
  Time expires_at{};
};

/// Thread-safety: any thread.
class ResultFiles {
 public:
  virtual ~ResultFiles() = default;
  /// The result file of this job. Blocks for one read of the file system. Errors: kNotFound (none, or
  /// expired), kIo.
  virtual Result<ResultFile> find(const JobRef& job) const = 0;
};

/// Verifies the signature and expiry of a link to this job's file. Errors: kPermission (another signature),
/// kTimeout (expired). Thread-safety: any thread.
using LinkCheck =
    std::function<Status(const JobRef& job, const std::string& expires, const std::string& signature)>;

}  // namespace gaur
