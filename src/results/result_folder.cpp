#include "results/result_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/try.hpp"
#include "results/file_record.hpp"

namespace gaur::results {

namespace fs = std::filesystem;

namespace {

/// The extension of records.
constexpr std::string_view kRecord = ".json";
/// In a shared folder another host may be writing the record of a file that is younger. Seconds.
constexpr std::time_t kGraceOfNewFiles = 300;
/// Of the path of a result file, in a runner's folder as well: folder, folder, name.
constexpr int kOwnParts = 3;

Status check_file(const RunnerFile& file) {
  const auto invalid = [](std::string message) { return Error{Errc::kInvalidArgument, std::move(message)}; };
  const std::string& name = file.name;
  const std::string& format = file.format;
  if (name.empty() || name == "." || name == ".." || name.size() > 255 ||
      name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    return invalid(
        fmt::format("the result file {} must be a plain file name in GAUR_OUT", json::quote(name)));
  }
  const bool valid = !format.empty() && format.size() <= 16 &&
                     std::all_of(format.begin(), format.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (!valid || "." + format == kRecord) {
    return invalid(
        fmt::format("the format {} of the result file must be 1 to 16 of a-z and 0-9, not \"json\"",
                    json::quote(format)));
  }
  return ok();
}

/// Opens the file without following links and reads the size from the descriptor: the name may change
/// meanwhile.
Result<std::uint64_t> size_of_regular(const fs::path& path) {
  const auto file = open_own(path, kOwnParts, O_RDONLY | O_NONBLOCK);
  if (!file && file.error().code == Errc::kNotFound)
    return Error{Errc::kNotFound, fmt::format("the runner wrote no file {}", path.filename().string())};
  struct stat status {};
  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{Errc::kInvalidArgument, fmt::format("{} is not a regular file", path.filename().string())};
  }
  return static_cast<std::uint64_t>(status.st_size);
}

/// False while it is unknown.
bool is_missing(const fs::path& file) {
  std::error_code problem;
  return !fs::exists(file, problem) && !problem;
}

/// A full disk is not the file's fault: kBusy. kStoreFull is the quota.
Error retryable(Error error) {
  if (error.code == Errc::kStoreFull) error.code = Errc::kBusy;
  return error;
}

/// The mode of a runner's file depends on the runner.
Status hide_from_others(const fs::path& path) {
  GAUR_TRY(const Fd file, open_own(path, 2, O_RDONLY | O_NONBLOCK));
  if (::fchmod(file.get(), 0640) != 0) return errno_error("cannot set the mode of " + path.string(), errno);
  return ok();
}

bool is_new(const fs::path& file, Time now) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  return to_ms(now) / 1000 - status.st_ctim.tv_sec < kGraceOfNewFiles;
}

}  // namespace

struct ResultFolder::Place {
  fs::path folder;
  std::string stem;
  fs::path record() const { return folder / (stem + std::string(kRecord)); }
  fs::path file(const std::string& format) const { return folder / (stem + "." + format); }
};

ResultFolder::ResultFolder(Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {}

ResultFolder::Place ResultFolder::place_of(const JobRef& job) const {
  return {options_.folder / file_name_of(job.queue.value), file_name_of(job.id.value)};
}

/// A file is guaranteed until it expires, so the quota rejects a new file instead of removing an old one.
Status ResultFolder::check_quota(std::uint64_t bytes) const {
  if (options_.max_bytes == 0 || used_ + bytes <= options_.max_bytes) return ok();
  return Error{
      Errc::kStoreFull,
      fmt::format("the result file of {} bytes does not fit: result files take {} of {} bytes "
                  "(results.max_size); raise it, lower results.ttl, or remove jobs whose files nobody needs",
                  bytes, used_.load(), options_.max_bytes)};
}

Result<ResultFile> ResultFolder::save(const JobRef& job, const fs::path& out, const RunnerFile& file,
                                      const CancelFlag& cancelled, std::uint64_t max_bytes) {
  GAUR_CHECK(check_file(file));
  GAUR_TRY(const std::uint64_t bytes, size_of_regular(out / file.name));
  if (max_bytes > 0 && bytes > max_bytes)
    return Error{Errc::kTooLarge,
                 fmt::format("the result file has {} bytes, at most {} are allowed", bytes, max_bytes)};
  GAUR_CHECK(check_quota(bytes));
  const Place place = place_of(job);
  GAUR_CHECK(make_folders(place.folder, options_.shared ? 0777 : 0750));
  GAUR_CHECK(open_own(place.folder, 1, O_PATH | O_DIRECTORY));
  const auto previous = read_record(place.record());
  const FileRecord record{file.format, file.rows, clock_.wall() + options_.ttl};
  // The file comes first: a record must not name a missing file. Writing the record syncs the folder, and
  // with it both names.
  const fs::path target = place.file(file.format);
  if (Status moved = options_.move(out / file.name, target, cancelled); !moved)
    return retryable(moved.error());
  if (!options_.shared) GAUR_CHECK(hide_from_others(target));
  if (Status recorded = write_record(place.record(), record); !recorded) {
    const CancelFlag never{false};
    GAUR_CHECK(options_.move(target, out / file.name, never));  // so that it can be saved again
    return retryable(recorded.error());
  }
  std::error_code ignored;
  if (previous && previous->format != record.format) fs::remove(place.file(previous->format), ignored);
  used_ += bytes;
  return ResultFile{target, record.format, bytes, record.rows, record.expires_at};
}

Result<ResultFile> ResultFolder::find(const JobRef& job) const {
  const Place place = place_of(job);
  const Error none{Errc::kNotFound, fmt::format("job {} of queue {} has no result file, or it has expired",
                                                job.id.value, job.queue.value)};
  const auto record = read_record(place.record());
  if (!record && record.error().code == Errc::kIo) return record.error();
  if (!record || record->expires_at <= clock_.wall()) return none;
  const auto bytes = size_of_regular(place.file(record->format));
  if (!bytes) return none;
  return ResultFile{place.file(record->format), record->format, *bytes, record->rows, record->expires_at};
}

Status ResultFolder::remove(const JobRef& job) {
  const Place place = place_of(job);
  const auto record = read_record(place.record());
  std::error_code problem;
  fs::remove(place.record(), problem);
  if (record) {
    std::error_code unknown;
    const auto bytes = fs::file_size(place.file(record->format), unknown);
    if (fs::remove(place.file(record->format), problem) && !unknown)
      used_ -= std::min<std::uint64_t>(bytes, used_);
  }
  if (problem) return Error{Errc::kIo, fmt::format("cannot remove the result file: {}", problem.message())};
  return ok();
}

/// Removes a record that has expired, is damaged or lost its file. Returns false if another host wrote a new
/// record meanwhile: in a shared folder the old one is renamed and read again before it is removed.
bool ResultFolder::remove_record(const fs::path& record) {
  std::error_code ignored;
  if (!options_.shared) return fs::remove(record, ignored);
  const fs::path renamed = record.string() + ".old";
  if (::rename(record.c_str(), renamed.c_str()) != 0) return false;
  const auto content = read_record(renamed);
  const bool current = content ? content->expires_at > clock_.wall() : content.error().code == Errc::kIo;
  if (current && ::link(renamed.c_str(), record.c_str()) != 0 && errno != EEXIST) return false;
  ::unlink(renamed.c_str());
  return !current;
}

ResultFolder::Cleanup ResultFolder::remove_expired() {
  Cleanup cleanup;
  std::error_code ignored;
  for (const fs::path& queue : entries_of(options_.folder, ignored)) {
    if (!fs::is_symlink(queue, ignored)) clean_queue(queue, cleanup);
  }
  used_ = cleanup.bytes;
  return cleanup;
}

void ResultFolder::clean_queue(const fs::path& queue, Cleanup& cleanup) {
  std::set<fs::path> current;  // files with a record that has not expired
  std::set<fs::path> unknown;  // without extension: files whose record cannot be read now
  std::vector<fs::path> files;
  std::error_code incomplete;
  for (const fs::path& entry : entries_of(queue, incomplete)) {
    if (entry.extension() != kRecord) {
      files.push_back(entry);
      continue;
    }
    const auto record = read_record(entry);
    fs::path file = entry;
    if (record) file.replace_extension(record->format);
    if (!record && record.error().code == Errc::kIo) {
      unknown.insert(file.replace_extension());
    } else if ((record && record->expires_at > clock_.wall() && !is_missing(file)) || !remove_record(entry)) {
      current.insert(std::move(file));
    }
  }
  for (const fs::path& file : files) {
    std::error_code problem;
    const auto size = fs::file_size(file, problem);
    const std::uint64_t bytes = problem ? 0 : size;
    if (incomplete || current.contains(file) || unknown.contains(fs::path(file).replace_extension())) {
      ++cleanup.files;
      cleanup.bytes += bytes;
      continue;
    }
    // A file without a record: its host was killed between the move and the record.
    const bool in_grace = options_.shared && is_new(file, clock_.wall());
    if (!in_grace && fs::remove(file, problem)) {
      ++cleanup.removed_files;
      cleanup.removed_bytes += bytes;
    }
  }
}

}  // namespace gaur::results
