#include "bull/bull_store.hpp"

#include "bull/job_codec.hpp"
#include "bull/pub_sub.hpp"
#include "bull/repeatable_jobs.hpp"
#include "bull/reserved.hpp"
#include "bull/script_texts.hpp"
#include "bull/use_as_bull.hpp"
#include "redis_store/dialect.hpp"

namespace gaur::bull {
namespace {

redis_store::Dialect bull_dialect(const BullOptions& options) {
  return {
      .name = "Bull",
      .capabilities = {Capability::kEveryOption, Capability::kSchedulers, Capability::kDeduplication,
                       Capability::kRateLimit, Capability::kChangeDelay, Capability::kChangePriority},
      .semantics = Semantics::bull(),
      .no_global_concurrency = "this store lacks global concurrency: Bull's layout has no place for it",
      .no_rate_limit =
          "this store cannot keep a rate limit with the queue: in Bull it is a setting of each worker, so "
          "set "
          "it there",
      .codec = {.options_to_json = options_to_json,
                .options_from_json = options_from_json,
                .job_from_hash = job_from_hash,
                .finish_payload = finish_payload,
                .progress_payload = progress_payload},
      .layout = {.waiting = {{.name = "wait"}}, .is_reserved_id = is_reserved_id},
      .scripts = script_texts(),
      .may_be_used = may_be_used_as_bull,
      .events = std::make_shared<ChannelEvents>(options.log),
      .wake_ups = std::make_shared<ChannelWakeUps>(),
      .make_schedulers =
          [](redis_store::ContextPtr context) -> std::shared_ptr<redis_store::TakenSchedulers> {
        return std::make_shared<RepeatableJobs>(std::move(context));
      },
  };
}

}  // namespace

std::unique_ptr<Store> make_bull_store(redis::Client& client, Env env, BullOptions options) {
  auto dialect = bull_dialect(options);
  return redis_store::make_redis_store(client, env, std::move(dialect), std::move(options));
}

}  // namespace gaur::bull
