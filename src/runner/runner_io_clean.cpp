// RunnerIo, third part: what a job leaves behind ends with it, so that the runner's next job neither reads it
// nor is ended for its memory.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/process_info.hpp"
#include "runner/runner_io.hpp"

namespace gaur {

namespace {

/// Does not follow symbolic links: the runner owns the folder.
Fd open_tmp(const Child& child) {
  return Fd(::open((child.spec.scratch / "tmp").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::vector<std::string> names_in(const Fd& folder) {
  std::vector<std::string> names;
  const int copy = ::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0);
  DIR* const entries = copy < 0 ? nullptr : ::fdopendir(copy);
  if (entries == nullptr) return names;
  ::rewinddir(entries);
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(entries);
  return names;
}

}  // namespace

void RunnerIo::note_tmp(Child& child) {
  child.tmp_before.clear();
  if (child.spec.isolation.level == Isolation::Level::kOff) return;
  if (const Fd tmp = open_tmp(child)) {
    for (std::string& name : names_in(tmp)) child.tmp_before.insert(std::move(name));
  }
}

/// Renames them out of the runner's reach at once; another thread deletes them.
void RunnerIo::remove_new_files(Child& child) {
  // gaur-duckdb empties its folders itself, and may already have created those of its next job.
  if (!child.spec.isolation.confine_files) return;
  const Fd tmp = open_tmp(child);
  if (!tmp) return;
  for (const std::string& name : names_in(tmp)) {
    if (child.tmp_before.contains(name)) continue;
    const auto to = child.spec.scratch.parent_path() / fmt::format(".left-{}-{}", child.spec.id, ++removed_);
    if (::renameat(tmp.get(), name.c_str(), AT_FDCWD, to.c_str()) == 0) {
      remove(to);
    } else {
      options_.log.warn("file of an ended job not removed",
                        {{"pool", child.spec.pool}, {"name", name}, {"errno", errno}});
    }
  }
}

void RunnerIo::clean_after_run(Child& child) {
  const Isolation::Level level = child.spec.isolation.level;
  const bool strict = level == Isolation::Level::kStrict;
  if (level == Isolation::Level::kOff) return sample(child);
  const bool any_child = !child.meter.others().empty();
  // A browser or another helper that the runner keeps for its next jobs may use these files.
  if (strict || !any_child) remove_new_files(child);
  if (!(strict ? any_child : child.meter.has_orphans())) return sample(child);
  child.cleaning = true;
  command(child, strict ? keeper::Command::kEndOthers : keeper::Command::kEndOrphans);
}

void RunnerIo::on_cleaned(Child& child, const keeper::Report& report) {
  if (report.left > 0) {
    options_.log.warn("processes of an ended job survived SIGKILL",
                      {{"pool", child.spec.pool}, {"pid", child.pid}, {"left", report.left}});
  }
  child.cleaning = false;
  if (child.meter.attached()) {
    if (child.meter.others().empty()) remove_new_files(child);
    sample(child);
  }
  for (const auto& task : std::exchange(child.held, {})) task();
}

}  // namespace gaur
