#include "bull/edits.hpp"

namespace gaur::bull {

Async<CancelReply> Edits::cancel(JobRef /*job*/, std::string /*who*/, std::string /*why*/) {
  return shared_->not_built_yet<CancelReply>("cancel");
}

Async<Unit> Edits::retry(JobRef /*job*/, bool /*reset_attempts*/) {
  return shared_->not_built_yet<Unit>("retry");
}

Async<Unit> Edits::promote(JobRef /*job*/) {
  return shared_->not_built_yet<Unit>("promote");
}

Async<Unit> Edits::remove(JobRef /*job*/) {
  return shared_->not_built_yet<Unit>("remove");
}

Async<Unit> Edits::update_data(JobRef /*job*/, std::string /*data*/) {
  return shared_->not_built_yet<Unit>("update_data");
}

Async<Unit> Edits::update_progress(JobRef /*job*/, std::optional<LockToken> /*token*/,
                                   std::string /*progress*/) {
  return shared_->not_built_yet<Unit>("update_progress");
}

Async<std::uint64_t> Edits::append_logs(JobRef /*job*/, std::vector<std::string> /*lines*/) {
  return shared_->not_built_yet<std::uint64_t>("append_logs");
}

Async<Unit> Edits::change_delay(JobRef /*job*/, Duration /*delay*/) {
  return shared_->not_built_yet<Unit>("change_delay");
}

Async<Unit> Edits::change_priority(JobRef /*job*/, std::uint32_t /*priority*/, bool /*lifo*/) {
  return shared_->not_built_yet<Unit>("change_priority");
}

}  // namespace gaur::bull
