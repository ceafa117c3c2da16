#pragma once
// One byte for each job, allocated before the first measurement: whether its add was acknowledged, and its
// outcomes. Job ids are numbers from 1. Thread-safety: every method from any thread.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace gaur::test {

class Outcomes {
 public:
  explicit Outcomes(std::uint64_t jobs)
      : jobs_(jobs), each_(std::make_unique<std::atomic<std::uint8_t>[]>(jobs + 1)) {
    for (std::uint64_t i = 0; i <= jobs; ++i) each_[i] = 0;  // touches every page
  }

  void added(const std::string& id) { record(id, kAdded); }
  /// Completed or failed; `expected`: as this job must end.
  void ended(const std::string& id, bool expected) {
    record(id, 1);
    ++ended_;
    if (!expected) ++unexpected_;
  }
  std::uint64_t ended() const { return ended_; }
  std::uint64_t unexpected() const { return unexpected_; }
  /// Reports about ids that were never given, or of more outcomes than one byte counts.
  std::uint64_t unknown() const { return unknown_; }
  /// Jobs that were added and have another number of outcomes than one.
  std::uint64_t not_once() const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 1; i <= jobs_; ++i) count += each_[i] == (kAdded | 1) ? 0 : 1;
    return count;
  }

 private:
  static constexpr std::uint8_t kAdded = 0x80;

  void record(const std::string& id, std::uint8_t what) {
    const std::uint64_t number = std::strtoull(id.c_str(), nullptr, 10);
    if (number == 0 || number > jobs_ || (each_[number] & 0x7F) == 0x7F) {
      ++unknown_;
      return;
    }
    each_[number].fetch_add(what);
  }

  const std::uint64_t jobs_;
  const std::unique_ptr<std::atomic<std::uint8_t>[]> each_;
  std::atomic<std::uint64_t> ended_{0}, unexpected_{0}, unknown_{0};
};

}  // namespace gaur::test
