#include "app/host/job_log.hpp"

#include "base/utf8.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kMessageBytes = 300;

}  // namespace

std::function<void(const RunReport&)> job_log(Logger log) {
  return [log = std::move(log)](const RunReport& run) {
    if (!log.enabled(LogLevel::kInfo)) return;
    if (run.outcome == "stale") return;  // the worker has logged why the result is dropped
    const bool finished = run.outcome == "completed" || run.outcome == "failed" || run.outcome == "cancelled";
    const char* event = finished ? "job finished" : "run ended";
    const Usage& usage = run.usage;
    const Logger line = log.with({{"job", run.id},
                                  {"queue", run.queue},
                                  {"function", run.function},
                                  {"outcome", run.outcome},
                                  {"wait_ms", run.waited},
                                  {"run_ms", usage.wall_us / 1000},
                                  {"cpu_ms", usage.cpu_us / 1000},
                                  {"peak_bytes", usage.peak_rss_bytes},
                                  {"attempts", run.attempt}});
    if (run.outcome == "completed") {
      line.info(event);
    } else {
      line.info(event, {{"code", run.code}, {"error", shortened(run.message, kMessageBytes)}});
    }
  };
}

}  // namespace gaur::app
