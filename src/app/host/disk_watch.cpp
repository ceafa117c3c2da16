#include "app/host/disk_watch.hpp"

#include <fmt/format.h>

#include "app/config/disk_shares.hpp"
#include "app/config/units.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

constexpr Duration kMeasureEvery{15'000};

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;  // files may be removed concurrently
    if (!entry->is_regular_file(gone) || gone) continue;
    const auto size = entry->file_size(gone);
    if (!gone) sum += size;
  }
  return sum;
}

bool is_near(std::uint64_t used, std::uint64_t most) {
  return most > 0 && used >= most / 5 * 4;
}

}  // namespace

DiskUse measure_disk_use(const Config& config) {
  DiskUse use;
  use.spill_bytes = bytes_below(config.data_folder / "run");
  use.results_bytes = bytes_below(config.results.folder);
  const DiskSpace space = disk_space_of(config.data_folder);
  use.free_bytes = space.available;
  use.capacity = space.capacity;
  return use;
}

std::vector<std::string> disk_warnings(const Config& config, const DiskUse& use) {
  std::vector<std::string> warnings;
  if (is_near(use.spill_bytes, config.spill_bytes)) {
    warnings.push_back(
        fmt::format("spill files use {} of {} (machine.spill): queries that need more fail with spill_full",
                    human_bytes(use.spill_bytes), human_bytes(config.spill_bytes)));
  }
  if (is_near(use.spill_bytes, config.scratch_bytes)) {
    warnings.push_back(fmt::format(
        "scratch folders use {} of {} (machine.scratch): at the limit the run with the most fails with "
        "scratch_full",
        human_bytes(use.spill_bytes), human_bytes(config.scratch_bytes)));
  }
  if (is_near(use.results_bytes, config.results.max_bytes)) {
    warnings.push_back(fmt::format(
        "result files use {} of {} (results.max_size): at the limit new ones are rejected; raise it or lower "
        "results.ttl",
        human_bytes(use.results_bytes), human_bytes(config.results.max_bytes)));
  }
  if (use.capacity > 0 && use.free_bytes < use.capacity / 20) {
    warnings.push_back(fmt::format("the disk that contains {} has {} free of {}", config.data_folder.string(),
                                   human_bytes(use.free_bytes), human_bytes(use.capacity)));
  }
  return warnings;
}

DiskWatch::DiskWatch(const Config& config, Clock& clock, Logger log)
    : config_(config), clock_(clock), log_(std::move(log)) {
  loop_.post([this] { measure(); });
}

DiskUse DiskWatch::use() const {
  return {spill_, results_, free_, capacity_};
}

void DiskWatch::measure() {
  const DiskUse use = measure_disk_use(config_);
  spill_ = use.spill_bytes;
  results_ = use.results_bytes;
  free_ = use.free_bytes;
  capacity_ = use.capacity;
  const auto warnings = disk_warnings(config_, use);
  if (warnings.size() > warned_) {
    for (const auto& warning : warnings) log_.warn(warning);
  }
  warned_ = warnings.size();
  loop_.post_at(clock_.now() + kMeasureEvery, [this] { measure(); });
}

}  // namespace gaur::app
