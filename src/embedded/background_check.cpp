#include "embedded/background_check.hpp"

#include "base/system_env.hpp"
#include "embedded/shared_env.hpp"

namespace gaur::embedded {

BackgroundCheck::BackgroundCheck(const LmdbEnv& env, Logger log)
    : env_(env), log_(std::move(log)), thread_([this] { run(); }) {}

BackgroundCheck::~BackgroundCheck() {
  stopping_ = true;
  thread_.join();
}

void BackgroundCheck::run() {
  name_this_thread("store-check");
  if (!env_.check_file()) return;  // the next transaction reports it
  const auto check = check_snapshot(env_.get(), {.go_on = [this] { return !stopping_; }});
  if (stopping_) return;
  if (!check) {
    if (check.error().code == Errc::kCorrupt) return env_.damage().add(check.error().message);
    return log_.warn("the data file could not be checked", {{"problem", check.error().message}});
  }
  if (!check->sound()) return env_.damage().add(problems_of(*check).summary());
  log_.info("the data file was checked", {{"jobs", check->jobs}, {"pages", check->pages_read}});
}

}  // namespace gaur::embedded
