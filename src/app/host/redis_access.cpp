#include "app/host/redis_access.hpp"

#include <fmt/format.h>

#include "base/try.hpp"

namespace gaur::app {

Result<std::unique_ptr<RedisAccess>> RedisAccess::open(const Settings& settings, const RedisConfig& config) {
  GAUR_TRY(const redis::StoreUrl url, redis::parse_url(config.url));
  std::unique_ptr<RedisAccess> access(new RedisAccess());  // the constructor is private
  redis::ClientOptions options;
  options.endpoint = config.endpoint;
  options.connect_timeout = std::min(options.connect_timeout, config.connect_timeout);
  options.client_name = "";  // CLIENT SETNAME may need a permission that a read-only user lacks
  access->prefix_ = settings.is_set({"store", "prefix"}) ? config.prefix : url.prefix.value_or(config.prefix);
  access->url_ = redis::to_text(url.endpoint);
  access->loop_ = std::make_unique<ThreadLoop>("gaur-redis");
  access->client_ = redis::connect(options, Env{access->clock_, access->random_, *access->loop_});
  const Status ready = access->client_->ready().get();
  if (!ready) return ready.error();
  return access;
}

void RedisAccess::pause(Duration duration) {
  Promise<Unit> promise;
  auto future = promise.future();
  loop_->post_at(clock_.now() + duration, [promise] { promise.set({}); });
  std::move(future).get();
}

}  // namespace gaur::app
