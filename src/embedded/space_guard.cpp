#include "embedded/space_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

namespace gaur::embedded {

namespace {
// Data and index pages of a job, and the copies that a transaction makes of the pages it touches.
constexpr std::uint64_t kFactor = 3;
constexpr std::uint64_t kTransactionBytes = 256 << 10;
constexpr std::uint64_t kStepAtMost = 64ULL << 20;
}  // namespace

Status SpaceGuard::room_for(std::uint64_t bytes) {
  promised_ += bytes * kFactor;
  const std::uint64_t needed = env_.used_bytes() + kTransactionBytes + promised_ + reserve_;
  if (needed <= allocated_ || allocate_until(needed)) return ok();
  promised_ -= bytes * kFactor;
  return Error{
      Errc::kStoreFull,
      fmt::format(
          "the disk has no room for more jobs (at {} MiB of the store, {} MiB are kept for finishing); "
          "running jobs go on, adds work again when there is room",
          env_.used_bytes() >> 20, reserve_ >> 20)};
}

bool SpaceGuard::allocate_until(std::uint64_t end) {
  // A generous step first, so that this is rare; then only what is needed.
  const std::uint64_t step = std::min(kStepAtMost, std::max(end / 8, reserve_));
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
  // Not allocated, only seen to be free: look again before each step.
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  return free >= bytes && free >= reserve_ * 2;
}

}  // namespace gaur::embedded
