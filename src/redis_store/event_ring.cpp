#include "redis_store/event_ring.hpp"

#include <fmt/format.h>

#include <charconv>

namespace gaur::redis_store {

namespace {

constexpr std::size_t kMostEvents = 10'000;
constexpr std::size_t kMostBytes = (std::size_t{32} << 20U) + (std::size_t{64} << 10U);
constexpr std::size_t kEntryOverhead = 256;  // the entry itself, its cursor and the heap's own bytes
constexpr std::size_t kLongestDetail = std::size_t{2} << 20U;

std::optional<std::uint64_t> number_of(std::string_view cursor) {
  const auto dash = cursor.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, problem] =
      std::from_chars(cursor.data() + dash + 1, cursor.data() + cursor.size(), number);
  if (problem != std::errc() || end != cursor.data() + cursor.size()) return std::nullopt;
  return number;
}

/// Any peer can publish an id of any length, so ids count as well.
std::size_t bytes_of(const std::optional<Event>& event) {
  return kEntryOverhead + (event ? event->id.value.size() + event->detail.size() : 0);
}

}  // namespace

void EventRing::add(Event event) {
  if (event.detail.size() > kLongestDetail) event.detail.clear();  // the job has it
  event.cursor = cursor_of(last_ + 1);
  push(std::move(event));
}

void EventRing::add_gap() {
  push(std::nullopt);
}

void EventRing::push(std::optional<Event> event) {
  bytes_ += bytes_of(event);
  entries_.push_back({++last_, std::move(event)});
  while (entries_.size() > kMostEvents || bytes_ > kMostBytes) {
    bytes_ -= bytes_of(entries_.front().event);
    entries_.pop_front();
  }
}

std::string EventRing::cursor_of(std::uint64_t number) const {
  return fmt::format("{}-{}", instance_, number);
}

Status EventRing::check_cursor(std::string_view cursor) {
  if (cursor.empty() || cursor == "$" || number_of(cursor)) return ok();
  return Error{Errc::kInvalidArgument, "cursor: not a cursor of this store"};
}

std::string EventRing::resolve(std::string cursor) const {
  if (cursor == "$") return cursor_of(last_);
  if (cursor.empty()) return cursor_of(before_oldest());
  return cursor;
}

EventPage EventRing::after(std::string_view cursor, std::uint32_t limit) const {
  EventPage page;
  const std::uint64_t oldest = before_oldest();
  std::uint64_t number = number_of(cursor).value_or(oldest);
  const bool of_this_store = cursor.starts_with(instance_ + "-") && number <= last_;
  if (!of_this_store || number < oldest) {
    page.gap = true;
    number = oldest;
  }
  std::size_t bytes = 0;
  for (auto at = static_cast<std::size_t>(number - oldest); at < entries_.size(); ++at) {
    if (page.events.size() >= limit) break;
    const Entry& entry = entries_[at];
    if (entry.event) bytes += page_bytes_of(*entry.event);
    if (bytes > kEventPageBytes && !page.events.empty()) break;
    number = entry.number;
    if (entry.event) {
      page.events.push_back(*entry.event);
    } else {
      page.gap = true;
    }
  }
  page.cursor = cursor_of(number);
  return page;
}

}  // namespace gaur::redis_store
