#include "bull/repeatable_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/try.hpp"
#include "bull/job_codec.hpp"
#include "redis_store/replies.hpp"
#include "schedule/cron.hpp"

namespace gaur::bull {

namespace {

using redis_store::array_of;
using redis_store::checked;
using redis_store::integer_of;
using redis_store::Keys;
using redis_store::malformed;
using redis_store::read_reply;
using redis_store::StoreContext;
using redis_store::text_of;
using redis_store::whole_number;

/// Takes the place of a worker's token in events of verbs that no worker calls.
constexpr std::string_view kNoWorker = "gaur";
constexpr std::size_t kMostSchedules = 1'000;

/// The members of a JSON object as raw text, in order. Setting one removes the old one and appends it.
class RawObject {
 public:
  explicit RawObject(std::string_view text) {
    if (auto members = json::members(text)) {
      for (const json::Member& one : *members) members_.emplace_back(one.key, std::string(one.value));
      good_ = true;
    }
  }
  bool good() const { return good_; }
  std::string get(std::string_view key) const {
    const auto found = find(key);
    return found == members_.rend() ? "" : found->second;
  }
  void set(const std::string& key, std::string value) {
    erase(key);
    members_.emplace_back(key, std::move(value));
  }
  void erase(std::string_view key) {
    std::erase_if(members_, [&](const auto& member) { return member.first == key; });
  }
  std::string text() const {
    return json::object([&](json::ObjectWriter& out) {
      for (const auto& [key, value] : members_) out.member(key, value);
    });
  }

 private:
  using Members = std::vector<std::pair<std::string, std::string>>;
  /// The last of this name counts, as in JSON.parse.
  Members::const_reverse_iterator find(std::string_view key) const {
    return std::find_if(members_.rbegin(), members_.rend(),
                        [&](const auto& member) { return member.first == key; });
  }
  Members members_;
  bool good_ = false;
};

struct Iteration {
  std::string key{};
  Slot slot{};
  JobId id{};
  std::string name{}, data{}, options{};
  std::uint32_t priority = 0;
  bool lifo = false;
};

std::vector<std::string> arguments_of(const Iteration& run, bool must_be_there) {
  return {std::string(kNoWorker),
          run.key,
          run.slot.text,
          run.id.value,
          run.name,
          run.data,
          run.options,
          std::to_string(run.priority),
          run.lifo ? "1" : "0",
          must_be_there ? "1" : "0"};
}

/// The iteration after the one of this hash; nothing if the job does not repeat or the schedule has ended.
/// Errors: the schedule cannot be read.
Result<std::optional<Iteration>> run_after(const std::string& name, const std::string& data,
                                           const std::string& options, Time now,
                                           const std::string& local_zone) {
  const json::Object object = options_object(options);
  GAUR_TRY(const auto repeat, repeat_of(object, local_zone));
  if (!repeat) return std::optional<Iteration>();
  GAUR_TRY(const auto next, next_slot(*repeat, now, taken_slot_of(object)));
  if (!next) return std::optional<Iteration>();
  const std::string key = repeat->key.empty() ? repeat_key(name, *repeat) : repeat->key;
  const JobId id = iteration_id(name, *repeat, key, *next);
  auto following = options_of_next(options, key, repeat->count + 1, *next, id);
  if (!following) return Error{Errc::kInvalidArgument, "its options are not a JSON object"};
  const JobOptions known = options_from_json(options);
  return std::optional(
      Iteration{key, *next, id, name, data, *std::move(following), known.priority, known.lifo});
}

/// A schedule that cannot be read has no next iteration. Reports it in the log and in the logs of the taken
/// job. The schedule's member of `repeat` is kept for Bull clients.
void report_unreadable(StoreContext& context, const QueueName& queue, const JobId& id, const Error& error) {
  context.options.log.error("schedule stopped: its next run cannot be computed",
                            {{"queue", queue.value}, {"job", id.value}, {"why", error.message}});
  context
      .run("append_logs", queue,
           {id.value, "this schedule has no next run: " + error.message + "; add it again"})
      .then([](const Result<redis::Reply>&) {});
}

std::string repeat_json(const Repeat& repeat) {
  return json::object([&](json::ObjectWriter& out) {
    if (!repeat.cron.empty()) out.text("cron", repeat.cron);
    if (!repeat.every.empty()) out.raw("every", repeat.every);
    if (!repeat.time_zone.empty()) out.text("tz", repeat.time_zone);
    if (repeat.start) out.number("startDate", to_ms(*repeat.start));
    if (repeat.end) out.number("endDate", to_ms(*repeat.end));
    if (repeat.limit) out.number("limit", *repeat.limit);
    if (!repeat.job_id.empty()) out.text("jobId", repeat.job_id);
  });
}

Result<Repeat> repeat_from(const Schedule& schedule) {
  if (schedule.job.name.find(':') != std::string::npos)
    return Error{Errc::kInvalidArgument,
                 "name: the name of a repeatable job must not contain a colon in Bull's layout"};
  if (schedule.id.find(':') != std::string::npos)
    return Error{Errc::kInvalidArgument,
                 "id: the id of a schedule must not contain a colon in Bull's layout"};
  if (schedule.pattern.empty() == (schedule.every <= Duration{0}))
    return Error{Errc::kInvalidArgument, "schedule: either a pattern or an interval above 0 ms"};
  Repeat repeat{.cron = schedule.pattern, .time_zone = schedule.time_zone, .job_id = schedule.id};
  if (repeat.cron.empty()) {
    repeat.every = std::to_string(schedule.every.count());
  } else {
    GAUR_CHECK(schedule::Cron::parse(repeat.cron));
    GAUR_CHECK(schedule::Zone::find(repeat.time_zone));
  }
  repeat.start = schedule.start;
  repeat.end = schedule.end;
  if (schedule.limit) repeat.limit = static_cast<std::int64_t>(*schedule.limit);
  return repeat;
}

/// Repeat key and hash of the `members` that `id` matches.
std::vector<std::string> matching(const redis::Reply::Array& members, std::string_view id,
                                  std::string_view but_key, std::optional<std::string_view> of_name) {
  std::vector<std::string> found;
  for (const redis::Reply& member : members) {
    const std::string key = text_of(member);
    const auto parts = parse_repeat_key(key);
    if (!parts || key == but_key) continue;
    if (key != id && (parts->job_id != id || id.empty())) continue;
    if (of_name && parts->name != *of_name) continue;
    found.push_back(key);
    found.push_back(repeat_hash(parts->name, parts->job_id, key));
  }
  return found;
}

}  // namespace

std::optional<std::string> options_of_next(std::string_view options, const std::string& key,
                                           std::int64_t count, const Slot& slot, const JobId& id) {
  RawObject object(options);
  if (!object.good()) return std::nullopt;
  RawObject repeat(object.get("repeat"));
  repeat.set("count", std::to_string(count));
  repeat.set("key", json::quote(key));
  object.set("repeat", repeat.text());
  object.set("jobId", json::quote(id.value));
  object.set("prevMillis", slot.is_text ? json::quote(slot.text) : slot.text);
  object.erase("delay");
  object.erase("timestamp");
  return object.text();
}

void RepeatableJobs::on_taken(const QueueName& queue, const Job& job) {
  if (!job.id.value.starts_with("repeat:") || !context_->open) return;
  const Keys keys = context_->keys(queue);
  context_->client.pipeline({{"HMGET", keys.job(job.id), "name", "data", "opts"}, {"TIME"}})
      .then([context = context_, queue, id = job.id](Result<std::vector<redis::Reply>> replies) {
        if (!replies || replies->size() != 2) return;
        const auto& fields = array_of((*replies)[0]);
        const auto& time = array_of((*replies)[1]);
        if (fields.size() != 3 || time.size() != 2) return;
        const Time now = context->options.clock_for_tests == nullptr
                             ? redis_store::server_time((*replies)[1])
                             : context->options.clock_for_tests->wall();
        const auto run = run_after(text_of(fields[0]), text_of(fields[1]), text_of(fields[2]), now,
                                   context->options.local_zone);
        if (!run) return report_unreadable(*context, queue, id, run.error());
        if (!*run) {
          if (text_of(fields[2]).find("\"repeat\"") != std::string::npos)
            context->options.log.info("schedule ended: no further run is due",
                                      {{"queue", queue.value}, {"job", id.value}});
          return;
        }
        context->run("repeat_add", queue, arguments_of(**run, true))
            .then([context, key = (*run)->key](Result<redis::Reply> reply) {
              const auto good = checked(std::move(reply));
              if (!good)
                context->options.log.warn("next iteration of a repeatable job not added",
                                          {{"key", key}, {"why", good.error().message}});
            });
      });
}

Async<Added> RepeatableJobs::upsert(QueueName queue, Schedule schedule, Time next) {
  const auto repeat = repeat_from(schedule);
  if (!repeat) return context_->answer<Added>(repeat.error());
  const auto problems = problems_of_job(schedule.job.name, schedule.job.data, schedule.job.options);
  if (!problems.empty()) return context_->answer<Added>(Error{Errc::kInvalidArgument, problems.front()});
  Iteration run{.key = repeat_key(schedule.job.name, *repeat), .slot = next};
  run.id = iteration_id(schedule.job.name, *repeat, run.key, next);
  run.name = schedule.job.name;
  run.data = schedule.job.data;
  run.priority = schedule.job.options.priority;
  run.lifo = schedule.job.options.lifo;
  RawObject options(options_to_json(schedule.job.options));
  options.set("repeat", repeat_json(*repeat));
  run.options = options_of_next(options.text(), run.key, 1, next, run.id).value_or("{}");

  Promise<Result<Added>> promise;
  auto future = promise.future();
  const Keys keys = context_->keys(queue);
  const auto add = [context = context_, queue, promise, run] {
    read_reply<Added>(context->run("repeat_add", queue, arguments_of(run, false)),
                      [run](const redis::Reply& reply) -> Result<Added> {
                        const auto& parts = array_of(reply);
                        const auto state =
                            parts.empty() ? std::nullopt : redis_store::state_of(text_of(parts[0]));
                        if (!state || parts.size() != 2) return malformed("repeat_add");
                        return Added{.id = run.id, .state = *state, .duplicate = integer_of(parts[1]) == 1};
                      })
        .then([promise](Result<Added> added) { promise.set(std::move(added)); });
  };
  context_->client.call({"ZRANGE", keys.at("repeat"), "0", std::to_string(kMostSchedules - 1)})
      .then([context = context_, queue, promise, add, id = schedule.id, run](Result<redis::Reply> members) {
        auto good = checked(std::move(members));
        if (!good) return promise.set(good.error());
        auto others = matching(array_of(*good), id, run.key, run.name);
        if (others.empty()) return add();
        context->run("repeat_remove", queue, std::move(others))
            .then([promise, add](Result<redis::Reply> reply) {
              const auto removed = checked(std::move(reply));
              if (!removed) return promise.set(removed.error());
              add();
            });
      });
  return future;
}

Async<std::optional<Added>> RepeatableJobs::advance(QueueName /*queue*/, std::string /*id*/, Time /*slot*/,
                                                    Time /*next*/) {
  return context_->answer<std::optional<Added>>(
      Error{Errc::kUnsupported,
            "in Bull's layout taking an iteration adds the next one; schedules cannot be advanced"});
}

Async<Unit> RepeatableJobs::remove_schedule(QueueName queue, std::string id) {
  Promise<Status> promise;
  auto future = promise.future();
  const Error missing{Errc::kNotFound, fmt::format("queue {} has no schedule {}", queue.value, id)};
  context_->client
      .call({"ZRANGE", context_->keys(queue).at("repeat"), "0", std::to_string(kMostSchedules - 1)})
      .then([context = context_, queue, id, promise, missing](Result<redis::Reply> members) {
        auto good = checked(std::move(members));
        if (!good) return promise.set(good.error());
        auto them = matching(array_of(*good), id, "", std::nullopt);
        if (them.empty()) return promise.set(missing);
        context->run("repeat_remove", queue, std::move(them))
            .then([promise, missing](Result<redis::Reply> reply) {
              const auto removed = checked(std::move(reply));
              if (!removed) return promise.set(removed.error());
              promise.set(integer_of(*removed) == 0 ? Status(missing) : ok());
            });
      });
  return future;
}

Async<std::vector<Schedule>> RepeatableJobs::schedules(QueueName queue, std::uint64_t offset,
                                                       std::uint32_t limit) {
  using Schedules = std::vector<Schedule>;
  if (limit == 0) return context_->answer<Schedules>(Schedules{});
  Promise<Result<Schedules>> promise;
  auto future = promise.future();
  const Keys keys = context_->keys(queue);
  const std::uint64_t last = offset + std::min<std::uint64_t>(limit, kMostSchedules) - 1;
  context_->client
      .call({"ZRANGE", keys.at("repeat"), std::to_string(offset), std::to_string(last), "WITHSCORES"})
      .then([context = context_, keys, promise](Result<redis::Reply> reply) {
        auto good = checked(std::move(reply));
        if (!good) return promise.set(good.error());
        const auto& members = array_of(*good);
        auto found = std::make_shared<Schedules>();
        std::vector<redis::Command> commands;
        for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
          const std::string key = text_of(members[i]);
          const auto parts = parse_repeat_key(key);
          if (!parts) continue;
          Schedule one{.id = parts->job_id.empty() ? key : parts->job_id, .pattern = parts->cron};
          one.every = Duration(whole_number(parts->every));
          one.time_zone = parts->time_zone;
          one.end = parts->end;
          one.job.name = parts->name;
          one.next = from_ms(whole_number(text_of(members[i + 1])));
          const std::string run =
              fmt::format("repeat:{}:{}", repeat_hash(parts->name, parts->job_id, key), to_ms(*one.next));
          commands.push_back({"HMGET", keys.at(run), "data", "opts"});
          found->push_back(std::move(one));
        }
        if (found->empty() || !context->open) return promise.set(std::move(*found));
        context->client.pipeline(std::move(commands))
            .then([promise, found, context](Result<std::vector<redis::Reply>> runs) {
              if (!runs) return promise.set(runs.error());
              for (std::size_t i = 0; i < std::min(found->size(), runs->size()); ++i) {
                const auto& fields = array_of((*runs)[i]);
                if (fields.size() != 2 || fields[0].is_nil())
                  continue;  // taken, and the next iteration is not added yet
                Schedule& one = (*found)[i];
                one.job.data = text_of(fields[0]);
                one.job.options = options_from_json(text_of(fields[1]));
                const auto repeat =
                    repeat_of(options_object(text_of(fields[1])), context->options.local_zone);
                if (!repeat || !*repeat) continue;
                one.start = (*repeat)->start;
                if ((*repeat)->limit)
                  one.limit = static_cast<std::uint64_t>(std::max<std::int64_t>(*(*repeat)->limit, 0));
                one.iterations = static_cast<std::uint64_t>(std::max<std::int64_t>((*repeat)->count, 0));
              }
              promise.set(std::move(*found));
            });
      });
  return future;
}

}  // namespace gaur::bull
