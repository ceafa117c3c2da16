#include "runner/result_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <set>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/name_text.hpp"
#include "base/time_text.hpp"
#include "base/try.hpp"

namespace gaur {

namespace fs = std::filesystem;

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string base64url(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kDigits[(bits >> (count - 6)) & 63];
  }
  if (count > 0) out += kDigits[(bits << (6 - count)) & 63];
  return out;
}

Status check_offer(const OfferedFile& offered) {
  const auto wrong = [](std::string message) { return Error{Errc::kInvalidArgument, std::move(message)}; };
  const std::string shown = json::quote(offered.name);
  if (offered.name.empty() || offered.name == "." || offered.name == ".." || offered.name.size() > 255 ||
      offered.name.find('/') != std::string::npos || offered.name.find('\0') != std::string::npos) {
    return wrong(fmt::format("the result file {} must be a plain file name in GAUR_OUT", shown));
  }
  const bool fine = !offered.format.empty() && offered.format.size() <= 16 &&
                    std::all_of(offered.format.begin(), offered.format.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  // "json" is the ending of the notes.
  if (!fine || offered.format == "json") {
    return wrong(fmt::format("the format {} of the result file must be 1 to 16 of a-z and 0-9, not \"json\"",
                             json::quote(offered.format)));
  }
  return ok();
}

/// Looked at by descriptor and without following links: what the name meant a moment ago counts for nothing.
Result<std::uint64_t> size_of_regular(const fs::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT)
    return Error{Errc::kNotFound, fmt::format("the runner wrote no file {}", path.filename().string())};
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{Errc::kInvalidArgument, fmt::format("{} is no regular file", path.filename().string())};
  }
  return static_cast<std::uint64_t>(status.st_size);
}

/// A file without its note may be one that another host that shares the folder is just putting there.
constexpr std::time_t kYoung = 300;  // seconds
bool is_young(const fs::path& file, Time now) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  return to_ms(now) / 1000 - status.st_ctim.tv_sec < kYoung;
}

struct Note {
  std::string format;
  std::uint64_t rows = 0;
  Time expires_at{};
};

std::optional<Note> read_note(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto object = json::parse_object(text);
  if (!object) return std::nullopt;
  Note note;
  note.format = json::text_or(*object, "format", "");
  note.rows = static_cast<std::uint64_t>(json::integer(*object, "rows").value_or(0));
  note.expires_at = from_ms(json::integer(*object, "expires_ms").value_or(0));
  if (note.format.empty()) return std::nullopt;
  return note;
}

Status write_note(const fs::path& path, const Note& note) {
  const std::string text = json::object([&](json::ObjectWriter& out) {
    out.text("format", note.format).number("rows", note.rows).number("expires_ms", to_ms(note.expires_at));
  });
  return write_file(path, text + "\n", 0600);
}

}  // namespace

struct ResultFolder::Place {
  fs::path folder;
  std::string stem;
  fs::path note() const { return folder / (stem + ".json"); }
  fs::path file(const std::string& format) const { return folder / (stem + "." + format); }
};

ResultFolder::ResultFolder(Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {}

ResultFolder::Place ResultFolder::place_of(const JobRef& job) const {
  return {options_.folder / file_name_of(job.queue.value), file_name_of(job.id.value)};
}

/// Files are promised until they expire, so a new one is rejected rather than an old one removed.
Status ResultFolder::check_room(std::uint64_t bytes) {
  if (options_.max_bytes == 0 || used_ + bytes <= options_.max_bytes) return ok();
  return Error{
      Errc::kStoreFull,
      fmt::format("the result file of {} bytes does not fit: result files take {} of {} bytes "
                  "(results.max_size); raise it, lower results.ttl, or remove jobs whose files nobody needs",
                  bytes, used_.load(), options_.max_bytes)};
}

Result<ResultFile> ResultFolder::adopt(const JobRef& job, const fs::path& out, const OfferedFile& offered,
                                       const Abandoned& abandoned) {
  GAUR_CHECK(check_offer(offered));
  GAUR_TRY(const std::uint64_t bytes, size_of_regular(out / offered.name));
  GAUR_CHECK(check_room(bytes));
  const Place place = place_of(job);
  GAUR_CHECK(make_folders(place.folder));
  const auto before = read_note(place.note());
  const Note note{offered.format, offered.rows, clock_.wall() + options_.keep};
  // The file first: a note without its file would promise what is not there. Writing the note syncs the
  // folder, and with it both names.
  const fs::path target = place.file(offered.format);
  GAUR_CHECK(options_.move(out / offered.name, target, abandoned));
  GAUR_CHECK(write_note(place.note(), note));
  std::error_code ignored;
  if (before && before->format != note.format) fs::remove(place.file(before->format), ignored);
  used_ += bytes;
  return ResultFile{target, note.format, bytes, note.rows, note.expires_at};
}

Result<ResultFile> ResultFolder::find(const JobRef& job) const {
  const Place place = place_of(job);
  const Error none{Errc::kNotFound, fmt::format("job {} of queue {} has no result file, or it has expired",
                                                job.id.value, job.queue.value)};
  const auto note = read_note(place.note());
  if (!note || note->expires_at <= clock_.wall()) return none;
  const auto bytes = size_of_regular(place.file(note->format));
  if (!bytes) return none;
  return ResultFile{place.file(note->format), note->format, *bytes, note->rows, note->expires_at};
}

Status ResultFolder::remove(const JobRef& job) {
  const Place place = place_of(job);
  const auto note = read_note(place.note());
  std::error_code problem;
  fs::remove(place.note(), problem);
  if (note) {
    std::error_code unknown;
    const auto bytes = fs::file_size(place.file(note->format), unknown);
    if (fs::remove(place.file(note->format), problem) && !unknown)
      used_ -= std::min<std::uint64_t>(bytes, used_);
  }
  if (problem) return Error{Errc::kIo, fmt::format("remove the result file: {}", problem.message())};
  return ok();
}

/// Removes a note that has expired or lost its file. In a shared folder another host may write a new note at
/// this very moment, so the old one is moved aside and read again before it goes.
bool ResultFolder::remove_dead_note(const fs::path& note) {
  std::error_code ignored;
  if (!options_.shared) return fs::remove(note, ignored);
  const fs::path aside = note.string() + ".old";
  if (::rename(note.c_str(), aside.c_str()) != 0) return false;
  const auto moved = read_note(aside);
  const bool fresh = moved && moved->expires_at > clock_.wall();
  if (fresh && ::link(aside.c_str(), note.c_str()) != 0 && errno != EEXIST) return false;
  ::unlink(aside.c_str());
  return !fresh;
}

ResultFolder::Swept ResultFolder::sweep() {
  Swept swept;
  std::error_code ignored;
  for (const fs::path& queue : entries_of(options_.folder, ignored)) sweep_queue(queue, swept);
  used_ = swept.bytes;
  return swept;
}

void ResultFolder::sweep_queue(const fs::path& queue, Swept& swept) {
  std::set<fs::path> current;  // files that a live note speaks of
  std::vector<fs::path> files;
  std::error_code problem;
  for (const fs::path& entry : entries_of(queue, problem)) {
    if (entry.extension() != ".json") {
      files.push_back(entry);
      continue;
    }
    const auto note = read_note(entry);
    fs::path file = entry;
    if (note) file.replace_extension(note->format);
    if (note && note->expires_at > clock_.wall() && fs::exists(file, problem)) {
      current.insert(std::move(file));
    } else if (!remove_dead_note(entry)) {
      current.insert(std::move(file));  // it was renewed meanwhile
    }
  }
  for (const fs::path& file : files) {
    const auto size = fs::file_size(file, problem);
    const std::uint64_t bytes = problem ? 0 : size;
    // A file without its note was moved here by a server that was killed before it could say so.
    if (current.contains(file)) {
      ++swept.files;
      swept.bytes += bytes;
    } else if (!(options_.shared && is_young(file, clock_.wall())) && fs::remove(file, problem)) {
      ++swept.removed_files;
      swept.removed_bytes += bytes;
    }
  }
}

std::string result_url(const JobRef& job) {
  return fmt::format("/v1/queues/{}/jobs/{}/result", percent_encode(job.queue.value),
                     percent_encode(job.id.value));
}

std::string with_file_member(const std::string& result, const JobRef& job, const ResultFile& file,
                             const std::string& base) {
  const std::string member =
      fmt::format(R"("file":{{"url":{},"format":{},"bytes":{},"rows":{},"expires_at":"{}"}})",
                  json::quote(base + result_url(job)), json::quote(file.format), file.bytes, file.rows,
                  iso_time_seconds(file.expires_at));
  const std::size_t close = result.rfind('}');
  const std::size_t last = result.find_last_not_of(" \t", close == 0 ? 0 : close - 1);
  const bool empty = last != std::string::npos && result[last] == '{';
  return result.substr(0, close) + (empty ? "" : ",") + member + "}";
}

std::string file_name_of(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), is_plain);
  constexpr std::size_t kLongest = 200;  // a file's name has at most 255 bytes
  return plain ? name : shortened_name("~" + base64url(name), kLongest);
}

}  // namespace gaur
