// RunnerIo, third part: what a job leaves behind ends with it, so that the runner's next job neither reads it
// nor is ended for its memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <utility>

#include "base/remove_tree.hpp"
#include "runner/runner_io.hpp"

namespace gaur {

namespace {

/// Renaming more would delay the other runners: the cleaning thread removes them.
constexpr std::size_t kFewFiles = 64;
/// A runner whose job left more is replaced.
constexpr std::size_t kMostFiles = 20'000;

/// Does not follow symbolic links: the runner owns the folder.
Fd open_part(const Child& child, const char* part) {
  return Fd(::open((child.spec.scratch / part).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_off(const Child& child) {
  return child.spec.isolation.level == Isolation::Level::kOff;
}

}  // namespace

/// After a cleaning tmp/ has the noted names.
void RunnerIo::note_tmp(Child& child) {
  if (std::exchange(child.tmp_noted, true)) return;
  child.tmp_before.clear();
  if (is_off(child) || !child.spec.isolation.confine_files) return;
  if (const Fd tmp = open_part(child, "tmp")) {
    for (std::string& name : names_in(tmp.get(), kMostFiles)) child.tmp_before.insert(std::move(name));
  }
}

/// Renames the entries out of the runner's reach at once; another thread deletes them. Keeps those in `kept`.
void RunnerIo::remove_files(Child& child, const char* part, const std::set<std::string>& kept) {
  Fd folder = open_part(child, part);
  if (!folder) return;
  const std::size_t few = kFewFiles + kept.size();
  const std::vector<std::string> names = names_in(folder.get(), few);
  if (names.size() == few) return remove_many_files(child, std::move(folder), kept);
  for (const std::string& name : names) {
    if (kept.contains(name)) continue;
    const auto to = child.spec.scratch.parent_path() / fmt::format(".left-{}-{}", child.spec.id, ++removed_);
    open_folder_at(folder.get(), name);  // moving a folder needs the permission to write it
    if (::renameat(folder.get(), name.c_str(), AT_FDCWD, to.c_str()) == 0) {
      remove(to);
    } else if (errno != ENOENT) {
      report_unclean(child, fmt::format("file {} of an ended job was not removed: {}", name,
                                        errno_error("rename", errno).message));
      return;
    }
  }
}

/// The runner's next run waits for it.
void RunnerIo::remove_many_files(Child& child, Fd folder, const std::set<std::string>& kept) {
  ++child.cleaning;
  cleaner().post([this, id = child.spec.id, folder = std::make_shared<Fd>(std::move(folder)), kept] {
    const Status emptied = remove_entries(folder->get(), kept, kMostFiles);
    with(id, [this, emptied](Child& cleaned) {
      if (!emptied)
        report_unclean(cleaned, "files of an ended job were not removed: " + emptied.error().message);
      end_cleaning(cleaned);
    });
  });
}

void RunnerIo::end_cleaning(Child& child) {
  if (--child.cleaning > 0) return;
  for (const auto& task : std::exchange(child.held, {})) task();
}

void RunnerIo::remove_new_files(Child& child) {
  // gaur-duckdb empties its folder itself, and may already have created those of its next job.
  if (child.spec.isolation.confine_files) remove_files(child, "tmp", child.tmp_before);
}

void RunnerIo::empty_out(Child& child) {
  remove_files(child, "out", {});
}

/// The runner has sent the outcome of its run. `has_file`: the pool empties out/ when the file is saved.
void RunnerIo::clean_after_run(Child& child, bool has_file) {
  if (!has_file) empty_out(child);
  child.meter.find_others();
  if (is_off(child)) return sample_others(child);
  const bool strict = child.spec.isolation.level == Isolation::Level::kStrict;
  // A browser or another helper that the runner keeps for its next jobs may use these files.
  child.tmp_noted = strict || !child.meter.has_others();
  if (child.tmp_noted) remove_new_files(child);
  if (!child.meter.has_others() || !(strict || child.meter.has_orphans())) return sample_others(child);
  ++child.cleaning;
  command(child, strict ? keeper::Command::kEndOthers : keeper::Command::kEndOrphans);
}

void RunnerIo::on_cleaned(Child& child, const keeper::Report& report) {
  if (report.left > 0)
    report_unclean(child, fmt::format("{} processes of an ended job survived SIGKILL", report.left));
  if (child.meter.attached()) {
    child.meter.find_others();
    child.tmp_noted = child.tmp_noted || !child.meter.has_others();
    if (!child.meter.has_others()) remove_new_files(child);
    sample(child);
  }
  end_cleaning(child);
}

/// The pool kills it; a run that was sent meanwhile must not reach it.
void RunnerIo::report_unclean(Child& child, std::string what) {
  if (std::exchange(child.unclean, true)) return;
  post_event(
      [id = child.spec.id, what = std::move(what)](ProcessEvents& events) { events.on_unclean(id, what); });
}

void RunnerIo::prepare_cgroups() {
  auto prepared = Cgroups::prepare(options_.cgroups);
  if (prepared) {
    cgroups_ = *std::move(prepared);
  } else if (prepared.error().code != Errc::kUnsupported) {
    options_.log.warn("runners start without cgroups", {{"why", prepared.error().message}});
  }
}

void RunnerIo::make_cgroup(SpawnSpec& spec) {
  if (!cgroups_ || spec.isolation.level == Isolation::Level::kOff) return;
  auto made = cgroups_->create(fmt::format("runner-{}", spec.id),
                               {spec.memory_bytes, spec.threads, spec.max_processes});
  if (made) {
    spec.cgroup = *std::move(made);
  } else {
    options_.log.warn("runner starts without a cgroup", {{"pool", spec.pool}, {"why", made.error().message}});
  }
}

/// Processes that survive the keeper end with it.
void RunnerIo::remove_cgroup(std::filesystem::path cgroup) {
  kill_cgroup(cgroup);
  cleaner().post([cgroup = std::move(cgroup)] {
    constexpr int kTries = 100, kPauseMs = 20;
    for (int i = 0; i < kTries && !gaur::remove_cgroup(cgroup); ++i) ::poll(nullptr, 0, kPauseMs);
  });
}

/// Without other processes the figures of the outcome have the runner's memory.
void RunnerIo::sample_others(Child& child) {
  if (child.meter.has_others()) sample(child);
}

}  // namespace gaur
