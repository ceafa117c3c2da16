#include "results/result_cleaner.hpp"

namespace gaur::results {

namespace {
constexpr std::uint32_t kEventsPerPage = 256;
constexpr Duration kLongPoll{30'000};
constexpr Duration kRetryDelay{1'000};
}  // namespace

void ResultCleaner::follow(const QueueName& queue, std::string cursor) {
  if (stopped_) return;
  auto page = events_.events(queue, cursor, kEventsPerPage, kLongPoll);
  std::move(page).then(
      [this, queue, cursor](const Result<EventPage>& answer) { on_page(queue, cursor, answer); });
}

void ResultCleaner::on_page(const QueueName& queue, const std::string& cursor,
                            const Result<EventPage>& page) {
  if (!page) {
    if (page.error().code == Errc::kStopping) return;
    loop_.post_at(clock_.now() + kRetryDelay, [this, queue, cursor] { follow(queue, cursor); });
    return;
  }
  for (const Event& event : page->events) {
    if (event.kind == EventKind::kRemoved) results_.remove({queue, event.id});
  }
  follow(queue, page->cursor);
}

}  // namespace gaur::results
