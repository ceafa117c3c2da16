#include "embedded/space_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.hpp"

namespace gaur::embedded {

namespace {
// Data and index pages of an added job, and the copies of the pages that a transaction changes.
constexpr std::uint64_t kFactor = 3;
constexpr std::uint64_t kTransactionBytes = 256 << 10;
/// Of one run beside its result and logs: usage, events, and copies of index pages at its start and end.
constexpr std::uint64_t kRunBytes = 128 << 10;
constexpr std::uint64_t kMaxStep = 64ULL << 20;
constexpr std::uint64_t kPageBytes = 4096;

std::uint64_t free_disk_bytes(int fd) {
  struct statvfs disk {};
  if (::fstatvfs(fd, &disk) != 0) return 0;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

/// With the part that only root may use.
std::uint64_t free_blocks(int fd) {
  struct statvfs disk {};
  if (::fstatvfs(fd, &disk) != 0) return UINT64_MAX;
  return std::uint64_t{disk.f_bfree} * disk.f_frsize;
}

std::uint64_t file_size_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

/// The pages of one record of LMDB's list of free pages (their number, then the page numbers, descending)
/// that are in runs of at least `least` pages.
std::uint64_t pages_in_runs(std::string_view record, std::uint64_t least) {
  const std::size_t count = record.size() / sizeof(std::size_t);
  const auto at = [&](std::size_t i) {
    std::size_t page = 0;  // the record may not be aligned
    std::memcpy(&page, record.data() + i * sizeof page, sizeof page);
    return page;
  };
  std::uint64_t pages = 0;
  for (std::size_t i = 1; i < count;) {
    std::size_t next = i + 1;
    while (next < count && at(next) + 1 == at(next - 1)) ++next;
    if (next - i >= least) pages += next - i;
    i = next;
  }
  return pages;
}
}  // namespace

std::uint64_t bytes_of_run(const JobOptions& options, std::uint64_t result_bytes) {
  const Limits limits;
  const std::uint64_t traces = std::min(options.stack_trace_limit, std::max(options.attempts, 1U));
  const std::uint64_t failure = (2 + traces) * limits.failure_bytes;
  const std::uint64_t logs = std::min(kReservedLogBytes, options.keep_logs * (limits.log_line_bytes + 64));
  return std::max(result_bytes, failure) + logs + kRunBytes;
}

Status allocate_lock_file(const std::filesystem::path& folder) {
  constexpr off_t kBytes = 8 << 10;
  const std::string path = (folder / "lock.mdb").string();
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return errno_error(fmt::format("cannot open {}", path), errno);
  if (::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, kBytes) == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
    return ok();
  return errno_error(fmt::format("cannot allocate {}", path), errno);
}

SpaceGuard::SpaceGuard(const LmdbEnv& env, std::uint64_t reserve_bytes, std::uint64_t max_bytes)
    : env_(env), reserve_(reserve_bytes), max_bytes_(max_bytes) {}

void SpaceGuard::new_transaction(std::uint64_t reserved_for_runs) {
  used_ = env_.used_bytes();
  limit_ = std::min(max_bytes_, file_size_limit());
  if (!can_allocate_) allocated_ = used_ + free_disk_bytes(env_.data_fd());
  booked_ = 0;
  runs_ = reserved_for_runs;
  full_ = !has(runs_ + reserve_, 0);
  if (!full_) starts_blocked_ = false;
}

Status SpaceGuard::book(std::uint64_t bytes) {
  booked_ += bytes * kFactor;
  if (has(booked_ + runs_ + reserve_, bytes)) return ok();
  booked_ -= bytes * kFactor;
  return Error{
      Errc::kStoreFull,
      fmt::format("the disk has no space for more jobs (the store has {} MiB; {} MiB are reserved for "
                  "finishing jobs); "
                  "free some space: running jobs continue, and adds succeed again once there is space",
                  used_ >> 20, (reserve_ + runs_) >> 20)};
}

bool SpaceGuard::book_run(std::uint64_t bytes, std::uint64_t largest) {
  starts_blocked_ = !has(booked_ + runs_ + bytes, largest);
  if (starts_blocked_) return false;
  runs_ += bytes;
  return true;
}

void SpaceGuard::end_run(std::uint64_t reserved, std::uint64_t written) {
  const std::uint64_t kept = std::min(reserved, written + kRunBytes);
  runs_ -= std::min(runs_, reserved - kept);
}

Error SpaceGuard::explain(const Error& failed_commit, std::uint64_t more) {
  if (failed_commit.code != Errc::kIo) return failed_commit;
  const std::uint64_t tried = booked_ + runs_ + more;
  new_transaction(0);
  if (has(tried, 0) && free_disk_bytes(env_.data_fd()) >= kPageBytes) return failed_commit;
  return {Errc::kStoreFull, "the disk is full: " + failed_commit.message};
}

/// Whether the open transaction and `bytes` more can be written. `largest` is the largest record of them:
/// LMDB stores it on consecutive pages.
bool SpaceGuard::has(std::uint64_t bytes, std::uint64_t largest) {
  const std::uint64_t end = used_ + kTransactionBytes + bytes;
  if (end <= end_of_space() || allocate_until(end)) return true;
  const std::uint64_t missing = end - std::min(end, end_of_space());
  return reusable_bytes(largest, missing) >= missing;
}

std::uint64_t SpaceGuard::end_of_space() const {
  return std::min(allocated_, limit_);
}

bool SpaceGuard::allocate_until(std::uint64_t end) {
  if (end > limit_ || !can_allocate_) return false;
  if (allocated_ == 0) update_allocated();
  if (end <= allocated_) return true;
  if (end - allocated_ > free_blocks(env_.data_fd())) return false;  // spares a full disk the attempt
  // Tries a larger step first, to allocate rarely, then the minimum.
  const std::uint64_t step = std::min({kMaxStep, std::max(end / 8, reserve_), limit_ - end});
  for (const std::uint64_t target : {end + step, end}) {
    if (target <= allocated_ || allocate(target)) return true;
    if (!can_allocate_) {
      allocated_ = used_ + free_disk_bytes(env_.data_fd());
      return end <= allocated_;
    }
  }
  update_allocated();  // a failed fallocate() may have allocated a part
  return end <= allocated_;
}

bool SpaceGuard::allocate(std::uint64_t target) {
  if (::fallocate(env_.data_fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(allocated_),
                  static_cast<off_t>(target - allocated_)) == 0) {
    allocated_ = target;
    return true;
  }
  can_allocate_ = errno != EOPNOTSUPP && errno != ENOSYS;
  return false;
}

/// Finds the blocks that an earlier process, or a failed call, has allocated. A file with holes counts from
/// its beginning, so that the next allocation fills them.
void SpaceGuard::update_allocated() {
  struct stat file {};
  if (::fstat(env_.data_fd(), &file) != 0) return;
  const std::uint64_t blocks = static_cast<std::uint64_t>(file.st_blocks) * 512;
  if (blocks >= static_cast<std::uint64_t>(file.st_size)) allocated_ = std::max(allocated_, blocks);
}

/// Bytes inside the file that LMDB can use again for records up to `largest`; reads its list of free pages
/// until `wanted` are found. Pages that a reader of the moment holds count as well.
std::uint64_t SpaceGuard::reusable_bytes(std::uint64_t largest, std::uint64_t wanted) const {
  constexpr MDB_dbi kFreePages = 0;
  const std::uint64_t least = std::max<std::uint64_t>(1, (largest + kPageBytes - 1) / kPageBytes);
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  if (mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &txn) != 0) return 0;
  std::uint64_t bytes = 0;
  if (mdb_cursor_open(txn, kFreePages, &cursor) == 0) {
    MDB_val key{}, value{};
    while (bytes < wanted && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
      bytes += pages_in_runs(to_view(value), least) * kPageBytes;
    mdb_cursor_close(cursor);
  }
  mdb_txn_abort(txn);
  return bytes;
}

}  // namespace gaur::embedded
