#include "http/render.hpp"

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "base/time_text.hpp"
#include "http/paths.hpp"
#include "http/values.hpp"

namespace gaur::http {

namespace {

using json::ObjectWriter;

void append_time(ObjectWriter& out, std::string_view key, Time time) {
  out.text(key, iso_time(time));
}
void append_duration(ObjectWriter& out, std::string_view key, Duration duration) {
  out.number(key, duration.count());
}

void append_retention(ObjectWriter& out, std::string_view key, const std::optional<Retention>& keep) {
  if (!keep) return;
  out.object(key, [&](ObjectWriter& inner) {
    if (keep->count) inner.number("count", *keep->count);
    if (keep->age) inner.number("age", keep->age->count() * 1000);
  });
}

/// Only what differs from the defaults: what the producer asked for.
void write_options(ObjectWriter& out, const JobOptions& options) {
  const JobOptions defaults;
  if (options.id) out.text("id", options.id->value);
  if (options.delay != defaults.delay) append_duration(out, "delay", options.delay);
  if (options.priority != defaults.priority) out.number("priority", options.priority);
  if (options.lifo) out.flag("lifo", true);
  if (options.attempts != defaults.attempts) out.number("attempts", options.attempts);
  if (options.backoff != defaults.backoff) {
    out.object("backoff", [&](ObjectWriter& inner) {
      inner.text("type", options.backoff.kind == Backoff::Kind::kFixed ? "fixed" : "exponential");
      append_duration(inner, "delay", options.backoff.delay);
      if (options.backoff.jitter > 0) inner.number("jitter", options.backoff.jitter);
    });
  }
  append_retention(out, "on_complete", options.on_complete);
  append_retention(out, "on_fail", options.on_fail);
  if (options.timeout) append_duration(out, "timeout", *options.timeout);
  if (options.queue_timeout) append_duration(out, "queue_timeout", *options.queue_timeout);
  if (options.keep_logs != defaults.keep_logs) out.number("keep_logs", options.keep_logs);
  if (options.deduplication) {
    out.object("deduplication", [&](ObjectWriter& inner) {
      inner.text("id", options.deduplication->id);
      if (options.deduplication->ttl > Duration{0}) append_duration(inner, "ttl", options.deduplication->ttl);
    });
  }
}

void write_waiting(ObjectWriter& out, const Waiting& waiting) {
  if (waiting.position) {
    out.number("position", waiting.position->before);
    out.flag("exact", waiting.position->exact);
  }
  if (waiting.reason) out.text("reason", *waiting.reason);
}

/// What a store handed over as JSON; "" is nothing.
json::Fragment or_null(std::string_view stored) {
  return json::Fragment::read_or_quote(stored.empty() ? "null" : stored);
}

void append_duplicate(ObjectWriter& out, const Added& added) {
  if (added.duplicate) out.flag("duplicate", true);
  if (added.differs) out.flag("differs", true);
}

}  // namespace

void append_failure(std::string& text, const Failure& failure) {
  ObjectWriter out(text);
  out.text("code", failure.code);
  out.text("message", failure.message);
  if (!failure.stack.empty()) out.text("stack", failure.stack);
  if (!failure.details.empty()) out.json("details", json::Fragment::read_or_quote(failure.details));
  out.end();
}

void append_usage(std::string& text, const Usage& usage) {
  ObjectWriter out(text);
  out.number("cpu_us", usage.cpu_us);
  out.number("peak_rss_bytes", usage.peak_rss_bytes);
  out.number("wall_us", usage.wall_us);
  if (!usage.details.empty()) out.json("details", json::Fragment::read_or_quote(usage.details));
  out.end();
}

void append_job(std::string& text, const Job& job, const JobParts& view) {
  ObjectWriter out(text);
  out.text("id", job.id.value);
  out.text("queue", job.queue.value);
  out.text("name", job.name);
  out.text("state", to_string(job.state));
  out.text("url", job_path({job.queue, job.id}, view.base));
  if (view.added != nullptr) append_duplicate(out, *view.added);
  if (view.waiting != nullptr) {
    if (view.waiting->position) out.number("position", view.waiting->position->before);
    out.object("waiting", [&](ObjectWriter& inner) { write_waiting(inner, *view.waiting); });
  }
  if (view.data) {
    out.json("data", or_null(job.data));
    if (!job.data_invalid.empty()) out.text("data_invalid", job.data_invalid);
    out.object("options", [&](ObjectWriter& inner) { write_options(inner, job.options); });
  }
  append_time(out, "timestamp", job.timestamp);
  if (job.due) append_time(out, "due", *job.due);
  if (job.processed_on) append_time(out, "processed_on", *job.processed_on);
  if (job.finished_on) append_time(out, "finished_on", *job.finished_on);
  if (!job.processed_by.empty()) out.text("processed_by", job.processed_by);
  if (job.priority > 0) out.number("priority", job.priority);
  out.number("attempts_made", job.attempts_made);
  out.number("attempts_started", job.attempts_started);
  if (job.stalled > 0) out.number("stalled", job.stalled);
  if (view.result && !job.progress.empty()) out.json("progress", or_null(job.progress));
  if (view.result && job.state == State::kCompleted) out.json("result", or_null(result_json(job)));
  if (job.failure) {
    out.name("failure");
    append_failure(text, *job.failure);
  }
  if (view.result && !job.stacktrace.empty()) out.list("stacktrace", job.stacktrace, json::append_quoted);
  if (job.usage) {
    out.name("usage");
    append_usage(text, *job.usage);
  }
  out.end();
}

void append_added(std::string& text, const QueueName& queue, const Added& added, std::string_view base) {
  ObjectWriter out(text);
  out.text("id", added.id.value);
  out.text("queue", queue.value);
  out.text("state", to_string(added.state));
  out.text("url", job_path({queue, added.id}, base));
  if (added.state == State::kWaiting || added.state == State::kPrioritized)
    out.number("position", added.position);
  append_duplicate(out, added);
  out.end();
}

void append_counts(std::string& text, const QueueName& queue, const Counts& counts) {
  ObjectWriter out(text);
  out.text("name", queue.value);
  out.flag("paused", counts.paused);
  out.object("counts", [&](ObjectWriter& inner) {
    for (const State state : kAllStates) inner.number(to_string(state), counts[state]);
  });
  out.end();
}

void append_function(std::string& text, const FunctionInfo& function) {
  ObjectWriter out(text);
  out.text("name", function.name.value);
  out.text("queue", function.queue.value);
  out.text("pool", function.pool);
  if (!function.description.empty()) out.text("description", function.description);
  out.json("parameters",
           json::Fragment::read_or_quote(function.parameters.empty() ? "{}" : function.parameters));
  out.object("needs", [&](ObjectWriter& inner) {
    if (function.cores > 0) inner.number("cores", function.cores);
    if (function.memory_bytes > 0) inner.number("memory_bytes", function.memory_bytes);
  });
  if (function.timeout) append_duration(out, "timeout_ms", *function.timeout);
  if (function.queue_timeout) append_duration(out, "queue_timeout_ms", *function.queue_timeout);
  out.end();
}

void append_store_use(ObjectWriter& out, const HostStatus& host) {
  out.number("store_bytes", host.store_bytes);
  out.number("store_reserved_bytes", host.store_reserved_bytes);
  out.flag("store_full", host.store_full);
}

std::string render_host(const HostStatus& host) {
  std::string text;
  ObjectWriter out(text);
  out.text("name", host.name);
  out.text("version", host.version);
  append_time(out, "started", host.started);
  out.text("role", host.role);
  out.text("phase", host.phase);
  out.text("store", host.store);
  out.flag("ready", host.ready);
  out.flag("stopping", host.stopping);
  out.list("not_ready", host.not_ready, json::append_quoted);
  out.list("warnings", host.warnings, json::append_quoted);
  out.objects("refused_queues", host.refused_queues, [](ObjectWriter& inner, const RefusedQueue& refused) {
    inner.text("queue", refused.queue.value);
    inner.text("reason", refused.why);
  });
  out.number("spill_bytes", host.spill_bytes);
  out.number("spill_max_bytes", host.spill_max_bytes);
  out.number("results_bytes", host.results_bytes);
  out.number("results_max_bytes", host.results_max_bytes);
  out.number("disk_free_bytes", host.disk_free_bytes);
  append_store_use(out, host);
  out.number("cores", host.cores);
  out.number("memory_bytes", host.memory_bytes);
  out.number("reserved_bytes", host.reserved_bytes);
  out.number("cores_granted", host.cores_granted);
  out.number("memory_granted", host.memory_granted);
  out.number("slots", host.slots);
  out.text("slots_sum", host.slots_sum);
  out.objects("runs", host.runs, [](ObjectWriter& inner, const RunStatus& run) {
    inner.text("queue", run.queue.value);
    inner.text("id", run.id.value);
    inner.text("function", run.function.value);
    inner.text("pool", run.pool);
    if (run.pid != 0) inner.number("pid", run.pid);
    append_duration(inner, "running_ms", run.running);
    inner.number("cores", run.cores);
    inner.number("memory_bytes", run.memory_bytes);
  });
  out.objects("pools", host.pools, [](ObjectWriter& inner, const PoolStatus& pool) {
    inner.text("name", pool.name);
    inner.text("kind", pool.kind);
    inner.number("runners", pool.runners);
    inner.number("busy", pool.busy);
    inner.number("starting", pool.starting);
    inner.number("started", pool.started);
    inner.number("crashed", pool.crashed);
    inner.number("memory_bytes", pool.memory_bytes);
    if (!pool.broken.empty()) inner.text("broken", pool.broken);
  });
  out.objects("unserved", host.unserved, [](ObjectWriter& inner, const UnservedJobs& jobs) {
    inner.text("queue", jobs.queue.value);
    if (!jobs.function.empty()) inner.text("function", jobs.function.value);
    inner.number("jobs", jobs.jobs);
    inner.flag("exact", jobs.exact);
  });
  out.end();
  text += '\n';
  return text;
}

void append_event(std::string& text, const Event& event) {
  text += fmt::format("id: {}\nevent: {}\ndata: ", event.cursor, to_string(event.kind));
  ObjectWriter out(text);
  if (!event.id.empty()) out.text("id", event.id.value);
  if (event.previous) out.text("previous", to_string(*event.previous));
  if (!event.detail.empty()) out.text("detail", event.detail);
  append_time(out, "at", event.at);
  out.end();
  text += "\n\n";
}

}  // namespace gaur::http
