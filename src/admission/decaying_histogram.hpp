#pragma once
// Quantiles of a measured value in which older values weigh less: a histogram over powers of two, each in
// four steps, so that a quantile is at most 19 % too high. Thread-safety: none; a value.
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

namespace gaur {

class DecayingHistogram {
 public:
  /// quantile() returns nothing before so many values.
  static constexpr std::uint64_t kLeastValues = 5;

  void add(double value) {
    // Each new value weighs a little more than the last one, instead of decreasing all weights: half of the
    // weight belongs to the last 200 values.
    constexpr double kGrowth = 1.003471748509503;  // 2^(1/200)
    weight_ *= kGrowth;
    if (weight_ > 1e12) {
      for (double& bucket : buckets_) bucket /= weight_;
      total_ /= weight_;
      weight_ = 1;
    }
    buckets_[bucket_of(value)] += weight_;
    total_ += weight_;
    ++count_;
  }

  std::uint64_t count() const { return count_; }

  /// The q-quantile, rounded up to its bucket; nothing before kLeastValues values.
  std::optional<double> quantile(double q) const {
    if (count_ < kLeastValues) return std::nullopt;
    double left = q * total_;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      left -= buckets_[i];
      if (left <= total_ * 1e-9) return std::exp2(static_cast<double>(i) / kSteps);
    }
    return std::exp2(static_cast<double>(buckets_.size() - 1) / kSteps);
  }

 private:
  static constexpr int kSteps = 4;
  static std::size_t bucket_of(double value) {
    if (!(value > 1)) return 0;
    const double step = std::ceil(std::log2(value) * kSteps - 1e-9);
    return static_cast<std::size_t>(std::min(step, static_cast<double>(kBuckets - 1)));
  }

  static constexpr std::size_t kBuckets = 192;  // up to 2^48: 281 TB, 8.9 years in microseconds
  std::array<double, kBuckets> buckets_{};
  double total_ = 0;
  double weight_ = 1;
  std::uint64_t count_ = 0;
};

}  // namespace gaur
