#include "base/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"
#include "base/try.hpp"

namespace gaur {

namespace {

constexpr std::size_t kMostBytes = 64 << 10;

/// Also reads pipes, such as those of a shell's <(command).
Result<std::string> read_bounded(const std::filesystem::path& file) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return errno_error("cannot read " + file.string(), errno);
  return read_all(opened.get(), file.string(), kMostBytes);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace

Result<std::vector<std::string>> read_secret_file(const std::filesystem::path& file) {
  GAUR_TRY(const std::string text, read_bounded(file));
  const auto bad = [&](std::string_view what) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{} {}; write the secret alone on the first line", file.string(), what)};
  };
  if (text.find('\0') != std::string::npos) return bad("has a NUL byte");
  std::vector<std::string> lines = lines_of(text);
  if (lines.empty()) return bad("is empty");
  const auto blank = [](unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  if (std::ranges::all_of(lines.front(), blank)) return bad("has an empty first line");
  return lines;
}

}  // namespace gaur
