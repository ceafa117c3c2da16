#include "runner/planned_runs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

namespace gaur {

namespace {

std::string_view raw(const std::vector<json::Member>& members, std::string_view key) {
  for (auto it = members.rbegin(); it != members.rend(); ++it) {
    if (it->key == key && it->value != "null") return it->value;
  }
  return {};
}

/// The sum of both usages; `details` are those of the second step with the plan's in a member `plan`.
Usage sum_of(const Usage& plan, Usage run) {
  const std::string about = json::object([&](json::ObjectWriter& out) {
    out.number("cpu_us", plan.cpu_us).number("wall_us", plan.wall_us);
    out.number("peak_rss_bytes", plan.peak_rss_bytes);
    if (!plan.details.empty()) out.raw("details", plan.details);
  });
  run.details = json::with_member(run.details.empty() ? "{}" : run.details, "plan", about);
  run.cpu_us += plan.cpu_us;
  run.wall_us += plan.wall_us;
  run.peak_rss_bytes = std::max(run.peak_rss_bytes, plan.peak_rss_bytes);
  return run;
}

}  // namespace

Result<Plan> read_plan(std::string_view result) {
  const auto wrong = [&](std::string_view what) {
    return Error{
        Errc::kInvalidArgument,
        fmt::format("{}. A plan is {{\"sql\": \"SELECT ...\", \"params\": {{...}}}} or {{\"answer\": "
                    "...}}; the planner answered {}{}",
                    what, utf8_prefix(result, 200), result.size() > 200 ? "..." : "")};
  };
  const auto members = json::members(result);
  if (!members) return wrong("the plan is not an object");
  const std::string_view sql = raw(*members, "sql");
  if (sql.empty()) {
    const auto answer = std::find_if(members->begin(), members->end(),
                                     [](const json::Member& member) { return member.key == "answer"; });
    if (answer == members->end()) return wrong("the plan has no `sql`");
    return Plan{"", json::one_line(answer->value)};
  }
  if (!json::unquote(sql)) return wrong("`sql` of the plan is not a string");
  const std::string_view params = raw(*members, "params");
  if (!params.empty() && params.front() != '{' && params.front() != '[')
    return wrong("`params` of the plan is neither an object nor a list");
  const std::string_view setup = raw(*members, "setup");
  return Plan{json::object([&](json::ObjectWriter& data) {
                data.raw("sql", sql);
                if (!params.empty()) data.raw("params", params);
                if (!setup.empty()) data.raw("setup", setup);
              }),
              ""};
}

/// One run; observes both of its steps.
class PlannedRuns::Planned : public RunObserver {
 public:
  Planned(PlannedRuns& all, PlannedRuns::Pools pools, RunRequest request, RunObserver& observer)
      : all_(all), pools_(std::move(pools)), request_(std::move(request)), observer_(observer) {}

  void begin() { all_.start_on_(pools_.plan, request_, *this); }
  RunObserver& observer() { return observer_; }

  void on_progress(const LockToken& run, std::string json) override {
    observer_.on_progress(run, std::move(json));
  }
  void on_log(const LockToken& run, std::string line) override { observer_.on_log(run, std::move(line)); }

  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    if (auto* late = std::get_if<run::TimedOut>(&end); late != nullptr && request_.timeout) {
      late->after = *request_.timeout;  // the second step had less time
    }
    if (planned_) return all_.ended(run, std::move(end), sum_of(plan_usage_, std::move(usage)));
    const auto* completed = std::get_if<run::Completed>(&end);
    if (completed == nullptr) return all_.ended(run, std::move(end), std::move(usage));
    auto plan = read_plan(completed->result);
    if (!plan) {
      Failure failure;
      failure.code = "plan";
      failure.message = plan.error().message;
      return all_.ended(run, run::Failed{std::move(failure), true}, std::move(usage));
    }
    if (plan->data.empty()) return all_.ended(run, run::Completed{std::move(plan->answer)}, std::move(usage));
    run_plan(run, std::move(plan->data), std::move(usage));
  }

 private:
  void run_plan(const LockToken& run, std::string data, Usage usage) {
    RunRequest step = request_;
    step.taken.job.data = std::move(data);
    if (step.timeout) {
      *step.timeout -= Duration(static_cast<Duration::rep>(usage.wall_us / 1000));
      if (step.timeout->count() <= 0)
        return all_.ended(run, run::TimedOut{*request_.timeout}, std::move(usage));
    }
    planned_ = true;
    plan_usage_ = std::move(usage);
    all_.start_on_(pools_.run, std::move(step), *this);
  }

  PlannedRuns& all_;
  PlannedRuns::Pools pools_;
  RunRequest request_;
  RunObserver& observer_;
  /// The second step has started.
  bool planned_ = false;
  Usage plan_usage_;
};

PlannedRuns::PlannedRuns(StartOn start_on) : start_on_(std::move(start_on)) {}
PlannedRuns::~PlannedRuns() = default;

void PlannedRuns::start(const Pools& pools, RunRequest request, RunObserver& observer) {
  const LockToken run = request.taken.token;
  auto& planned = runs_[run];
  planned = std::make_unique<Planned>(*this, pools, std::move(request), observer);
  planned->begin();
}

void PlannedRuns::ended(const LockToken& run, RunEnd end, Usage usage) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  RunObserver& observer = found->second->observer();
  // `planned` is the caller: it must live until the observer has returned.
  const std::unique_ptr<Planned> planned = std::move(found->second);
  runs_.erase(found);
  observer.on_end(run, std::move(end), std::move(usage));
}

}  // namespace gaur
