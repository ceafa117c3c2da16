#include "app/host/result_cleaner.hpp"

namespace gaur::app {

namespace {
constexpr std::uint32_t kEventsAtATime = 256;
constexpr Duration kListenFor{30'000};
constexpr Duration kPauseAfterError{1'000};
}  // namespace

void ResultCleaner::follow(const QueueName& queue, std::string cursor) {
  if (stopped_) return;
  auto page = events_.events(queue, cursor, kEventsAtATime, kListenFor);
  std::move(page).then(
      [this, queue, cursor](const Result<EventPage>& arrived) { on_page(queue, cursor, arrived); });
}

void ResultCleaner::on_page(const QueueName& queue, const std::string& cursor,
                            const Result<EventPage>& page) {
  if (!page) {
    if (page.error().code == Errc::kStopping) return;
    loop_.post_at(clock_.now() + kPauseAfterError, [this, queue, cursor] { follow(queue, cursor); });
    return;
  }
  for (const Event& event : page->events) {
    if (event.kind == EventKind::kRemoved) results_.remove({queue, event.id});
  }
  follow(queue, page->cursor);
}

}  // namespace gaur::app
