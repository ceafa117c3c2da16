#include "app/host/host_file.hpp"

#include <fmt/format.h>

#include "app/host/options_from_config.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"
#include "embedded/folder_lock.hpp"

namespace gaur::app {
namespace {

constexpr std::uintmax_t kLargest = 64 << 10;

}  // namespace

Status write_host_file(const std::filesystem::path& data_folder, const HostFile& host) {
  const std::string text = json::object([&](json::ObjectWriter& out) {
    out.number("pid", host.pid)
        .text("url", host.url)
        .text("version", host.version)
        .text("name", host.name)
        .text("token_file", host.token_file)
        .number("started_ms", host.started_ms);
  });
  return write_file(data_folder / "host.json", text + "\n");
}

Result<HostFile> read_host_file(const std::filesystem::path& data_folder) {
  const std::filesystem::path file = data_folder / "host.json";
  GAUR_TRY(const std::string text, read_file(file, kLargest));
  const Error corrupt{Errc::kCorrupt, file.string() + " is not the record of a host"};
  const auto object = json::parse_object(text);
  if (!object) return corrupt;
  HostFile host;
  host.pid = json::integer(*object, "pid").value_or(0);
  host.url = json::text_or(*object, "url", "");
  host.version = json::text_or(*object, "version", "");
  host.name = json::text_or(*object, "name", "");
  host.token_file = json::text_or(*object, "token_file", "");
  host.started_ms = json::integer(*object, "started_ms").value_or(0);
  if (host.url.empty()) return corrupt;
  return host;
}

void remove_host_file(const std::filesystem::path& data_folder) {
  std::error_code ignored;
  std::filesystem::remove(data_folder / "host.json", ignored);
}

Result<Fd> lock_data_folder(const std::filesystem::path& data_folder) {
  GAUR_CHECK(make_folders(data_folder, 0750));
  return embedded::lock_folder(data_folder);
}

Result<std::string> worker_name_of(const Config& config, const std::string& host) {
  const std::filesystem::path file = config.data_folder / "host-id";
  auto id = read_file(file, kLargest);
  // Another name would leave the active jobs of this worker's previous process locked until they expire.
  if (!id && id.error().code != Errc::kNotFound) return id.error();
  while (id && !id->empty() && id->back() == '\n') id->pop_back();
  const bool valid = id && id->size() == 8 && id->find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!valid) {
    SystemRandom random;
    id = fmt::format("{:08x}", random.next() >> 32);
    GAUR_CHECK(write_file(file, *id + "\n"));
  }
  return fmt::format("{}-{}", host, *id);
}

}  // namespace gaur::app
