#pragma once
// Reserves disk space, so that jobs can finish on a full disk. It allocates blocks of the data file ahead of
// their use and rejects adds once fewer than the reserve remain. Pages that LMDB frees are reused without it.
// Thread-safety: confined to the writer.
#include <cstdint>

#include "embedded/lmdb_env.hpp"

namespace gaur::embedded {

class SpaceGuard {
 public:
  SpaceGuard(const LmdbEnv& env, std::uint64_t reserve_bytes) : env_(env), reserve_(reserve_bytes) {}

  /// Call it before each transaction.
  void new_transaction() { booked_ = 0; }
  /// Books space for an add of about `bytes`; allocates more disk space if necessary. Errors: kStoreFull if
  /// the add would use the reserve.
  Status book(std::uint64_t bytes);

 private:
  bool allocate_until(std::uint64_t end);
  bool allocate(std::uint64_t from, std::uint64_t bytes);

  const LmdbEnv& env_;
  const std::uint64_t reserve_;
  /// The file's blocks are allocated up to this offset.
  std::uint64_t allocated_ = 0;
  /// By adds of the open transaction.
  std::uint64_t booked_ = 0;
  /// false: the file system lacks fallocate(); statvfs() is used instead.
  bool can_allocate_ = true;
};

}  // namespace gaur::embedded
