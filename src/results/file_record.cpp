#include "results/file_record.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/name_text.hpp"

namespace gaur::results {
namespace {

constexpr std::uintmax_t kLargestRecord = 64 << 10;

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

}  // namespace

Result<FileRecord> read_record(const std::filesystem::path& path) {
  const Error corrupt{Errc::kCorrupt, path.string() + " is not the record of a result file"};
  constexpr int kOwnParts = 2;  // the folder of the queue, the record
  const auto file = open_own(path, kOwnParts, O_RDONLY | O_NONBLOCK);
  if (!file) return file.error();
  const auto text = read_all(file->get(), path.string(), kLargestRecord);
  if (!text) {
    const Errc code = text.error().code;
    return code == Errc::kIo || code == Errc::kNotFound ? text.error() : corrupt;
  }
  const auto object = json::parse_object(*text);
  if (!object) return corrupt;
  FileRecord record;
  record.format = json::text_or(*object, "format", "");
  record.rows = static_cast<std::uint64_t>(json::integer(*object, "rows").value_or(0));
  record.expires_at = from_ms(json::integer(*object, "expires_ms").value_or(0));
  if (record.format.empty()) return corrupt;
  return record;
}

Status write_record(const std::filesystem::path& path, const FileRecord& record) {
  const std::string text = json::object([&](json::ObjectWriter& out) {
    out.text("format", record.format)
        .number("rows", record.rows)
        .number("expires_ms", to_ms(record.expires_at));
  });
  return write_file(path, text + "\n", 0600);
}

std::string file_name_of(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), is_plain);
  constexpr std::size_t kLongest = 200;  // a file name has at most 255 bytes
  return plain ? name : shortened_name("~" + base64url(name), kLongest);
}

}  // namespace gaur::results
