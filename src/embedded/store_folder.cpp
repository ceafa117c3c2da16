#include "embedded/store_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/files.hpp"
#include "base/number_rule.hpp"
#include "base/try.hpp"
#include "embedded/space_guard.hpp"

namespace gaur::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kLargestMarker = 4 << 10;

fs::path marker_path(const fs::path& folder) {
  return folder / "store-id";
}

constexpr std::string_view kRestoreAdvice = "restore a backup with `gaur restore FILE --replace`";

Error incomplete(const fs::path& folder, std::string_view what, std::string_view advice) {
  return {Errc::kCorrupt,
          fmt::format("cannot open the store {}: {}; {}", store_path(folder).string(), what, advice)};
}

/// Reads "name value" in the given base.
std::optional<std::uint64_t> value_in(std::string_view line, std::string_view name, int base) {
  if (!line.starts_with(name) || line.size() <= name.size() + 1 || line[name.size()] != ' ')
    return std::nullopt;
  return whole_number(line.substr(name.size() + 1), base);
}

/// What is missing if the folder must contain a store; nothing if it is new.
std::optional<std::string> sign_of_lost_store(const fs::path& folder, bool has_marker) {
  std::error_code ignored;
  if (has_marker) {
    return fmt::format("{} names a store, but {} is missing (to begin with an empty store, delete {})",
                       marker_path(folder).string(), data_file(store_path(folder)).string(),
                       marker_path(folder).string());
  }
  if (!fs::is_empty(store_path(folder), ignored) && !ignored)
    return fmt::format("{} is missing", data_file(store_path(folder)).string());
  return std::nullopt;
}

Status create_store(const fs::path& folder, LmdbOptions options, const Semantics& semantics, Now now) {
  const fs::path made = new_store_path(folder);
  std::error_code problem;
  fs::remove_all(made, problem);
  GAUR_CHECK(make_folders(made, 0750));
  options.folder = made;
  options.create = true;
  {
    GAUR_CHECK(allocate_lock_file(made));
    GAUR_TRY(const auto env, LmdbEnv::open(options));
    GAUR_TRY(const auto engine, Engine::open(*env, semantics, now));
    if (const int code = mdb_env_sync(env->get(), 1); code != 0)
      return lmdb_error("cannot sync the store", code);
  }
  GAUR_CHECK(sync_folder(made));
  return rename_durably(made, store_path(folder));
}

/// A restore skips the job ids that the newer store may have given.
std::string use_nevertheless(const fs::path& folder) {
  return fmt::format("put the right file back, or use this one with `gaur restore {} --data {} --replace`",
                     data_file(store_path(folder)).string(), folder.string());
}

Status check_marker(const fs::path& folder, const std::optional<StoreMarker>& marker,
                    const StoreCheck& check) {
  if (check.format && check.format->backup) {
    return incomplete(folder, "the data file is a backup, and jobs that were added after it are not in it",
                      use_nevertheless(folder));
  }
  if (!marker || !check.format || check.format->version < 4) return ok();
  if (std::ranges::find(marker->ids, check.format->store_id) == marker->ids.end()) {
    return incomplete(folder,
                      fmt::format("the data file is of another store: its id is {:016x}, and {} says {:016x}",
                                  check.format->store_id, marker_path(folder).string(), marker->ids.front()),
                      use_nevertheless(folder));
  }
  if (check.transaction >= marker->transaction) return ok();
  return incomplete(
      folder,
      fmt::format("the data file is an old copy: its last transaction is {}, and {} was on disk already, so "
                  "that jobs which were added since are not in it",
                  check.transaction, marker->transaction),
      use_nevertheless(folder));
}

}  // namespace

fs::path store_path(const fs::path& folder) {
  return folder / "store";
}
fs::path new_store_path(const fs::path& folder) {
  return folder / "store.new";
}
fs::path data_file(const fs::path& store) {
  return store / "data.mdb";
}

Result<std::optional<StoreMarker>> read_marker(const fs::path& folder) {
  std::error_code error;
  const fs::path path = marker_path(folder);
  if (!fs::exists(path, error) && !error) return std::optional<StoreMarker>();
  GAUR_TRY(const std::string text, read_file(path, kLargestMarker));
  StoreMarker marker;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (const auto id = value_in(line, "id", 16)) marker.ids.push_back(*id);
    if (const auto last = value_in(line, "transaction", 10)) marker.transaction = *last;
  }
  if (marker.ids.empty()) {
    return Error{Errc::kCorrupt,
                 fmt::format("{} is damaged: it contains no id; delete it to open the store without it",
                             path.string())};
  }
  return std::optional(std::move(marker));
}

Status write_marker(const fs::path& folder, const StoreMarker& marker) {
  std::string text;
  for (const std::uint64_t id : marker.ids) text += fmt::format("id {:016x}\n", id);
  text += fmt::format("transaction {}\n", marker.transaction);
  return write_file(marker_path(folder), text, 0640);
}

Result<Fd> lock_data_file(const fs::path& file, DataLock mode) {
  const bool shared = mode == DataLock::kShared;
  Fd fd(::open(file.c_str(), (shared ? O_RDONLY : O_RDWR) | O_CLOEXEC));
  if (!fd) return errno_error(fmt::format("cannot open {}", file.string()), errno);
  struct flock lock {};
  lock.l_type = shared ? F_RDLCK : F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) return fd;
  if (errno != EAGAIN && errno != EACCES)
    return errno_error(fmt::format("cannot lock {}", file.string()), errno);
  return Error{
      Errc::kBusy,
      fmt::format("the data file {} is in use by another process: gaur backup, gaur doctor, or a host whose "
                  "gaur.lock was deleted; wait for it or stop it, or choose another folder",
                  file.string())};
}

Result<FoundStore> find_or_create_store(const fs::path& folder, const LmdbOptions& options,
                                        const Semantics& semantics, Now now,
                                        const std::function<bool()>& go_on) {
  GAUR_TRY(const auto marker, read_marker(folder));
  const fs::path data = data_file(store_path(folder));
  std::error_code error;
  FoundStore found;
  if (!fs::exists(data, error)) {
    if (error) return Error{Errc::kIo, fmt::format("cannot read {}: {}", data.string(), error.message())};
    if (const auto sign = sign_of_lost_store(folder, marker.has_value()))
      return incomplete(folder, *sign, kRestoreAdvice);
    GAUR_CHECK(create_store(folder, options, semantics, now));
    found.created = true;
  }
  GAUR_TRY(found.lock, lock_data_file(data, DataLock::kExclusive));
  const PageFile file(found.lock.get());
  auto check = check_store(file, {.go_on = go_on});
  if (!check) {
    if (check.error().code != Errc::kCorrupt)
      return check.error().in("cannot open the store " + store_path(folder).string());
    return incomplete(folder, check.error().message,
                      file.bytes() == 0 ? std::string(kRestoreAdvice) : damage_advice());
  }
  if (!check->structure.empty()) return incomplete(folder, check->structure.summary(), damage_advice());
  GAUR_CHECK(check_marker(folder, marker, *check));
  found.check = *std::move(check);
  fs::remove_all(new_store_path(folder), error);  // of a restore that was interrupted
  return found;
}

Status mark_store(const fs::path& folder, const LmdbEnv& env, std::uint64_t store_id) {
  GAUR_CHECK(env.check_place());
  const std::uint64_t transaction = env.last_transaction();
  if (const int code = mdb_env_sync(env.get(), 1); code != 0)
    return lmdb_error("cannot sync the store", code);
  return write_marker(folder, {{store_id}, transaction});
}

}  // namespace gaur::embedded
