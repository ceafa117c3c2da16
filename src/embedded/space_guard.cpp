#include "embedded/space_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

namespace gaur::embedded {

namespace {
// Data and index pages of a job, and the copies of the pages that a transaction changes.
constexpr std::uint64_t kFactor = 3;
constexpr std::uint64_t kTransactionBytes = 256 << 10;
constexpr std::uint64_t kMaxStep = 64ULL << 20;
}  // namespace

Status SpaceGuard::book(std::uint64_t bytes) {
  booked_ += bytes * kFactor;
  const std::uint64_t needed = env_.used_bytes() + kTransactionBytes + booked_ + reserve_;
  if (needed <= allocated_ || allocate_until(needed)) return ok();
  booked_ -= bytes * kFactor;
  return Error{
      Errc::kStoreFull,
      fmt::format("the disk has no space for more jobs (the store has {} MiB; {} MiB are reserved for "
                  "finishing jobs); "
                  "free some space: running jobs continue, and adds succeed again once there is space",
                  env_.used_bytes() >> 20, reserve_ >> 20)};
}

bool SpaceGuard::allocate_until(std::uint64_t end) {
  // Tries a larger step first, to allocate rarely, then the minimum.
  const std::uint64_t step = std::min(kMaxStep, std::max(end / 8, reserve_));
  for (const std::uint64_t target : {end + step, end}) {
    if (!allocate(allocated_, target - allocated_)) continue;
    allocated_ = target;
    return true;
  }
  return false;
}

bool SpaceGuard::allocate(std::uint64_t from, std::uint64_t bytes) {
  if (can_allocate_) {
    if (::fallocate(env_.data_fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                    static_cast<off_t>(bytes)) == 0)
      return true;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    can_allocate_ = false;
  }
  struct statvfs disk {};
  if (::fstatvfs(env_.data_fd(), &disk) != 0) return false;
  // Free space is not allocated: check it again before each step.
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  return free >= bytes && free >= reserve_ * 2;
}

}  // namespace gaur::embedded
