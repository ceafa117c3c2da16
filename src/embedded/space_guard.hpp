#pragma once
// Disk room for finishes on a full disk: blocks of the data file are allocated ahead of their use, and adds
// are refused while what is left of them is less than the reserve. Pages that LMDB frees are used again
// without it. Thread-safety: confined to the writer.
#include <cstdint>

#include "embedded/lmdb_env.hpp"

namespace gaur::embedded {

class SpaceGuard {
 public:
  SpaceGuard(const LmdbEnv& env, std::uint64_t reserve_bytes) : env_(env), reserve_(reserve_bytes) {}

  /// Before each transaction: forgets what the last one was promised.
  void new_transaction() { promised_ = 0; }
  /// Ok if an add that writes about `bytes` leaves the reserve untouched; allocates more of the disk if it
  /// must. Errors: kStoreFull.
  Status room_for(std::uint64_t bytes);

 private:
  bool allocate_until(std::uint64_t end);
  bool allocate(std::uint64_t from, std::uint64_t bytes);

  const LmdbEnv& env_;
  const std::uint64_t reserve_;
  std::uint64_t allocated_ = 0;  ///< blocks of the file are there up to this offset
  std::uint64_t promised_ = 0;   ///< to adds of the open transaction
  bool can_allocate_ = true;     ///< false: the file system cannot; free room is asked for instead
};

}  // namespace gaur::embedded
