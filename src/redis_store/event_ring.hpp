#pragma once
// The newest events of one queue, in memory, with a cursor for each. A cursor is valid for the lifetime of
// the store: "<instance>-<number>". Thread-safety: a value; the feed's mutex guards it.
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/store.hpp"

namespace gaur::redis_store {

class EventRing {
 public:
  /// `instance` differs for each store, so that cursors of another one are recognized.
  explicit EventRing(std::string instance) : instance_(std::move(instance)) {}

  void add(Event event);
  /// Events may be missing here: every reader from before this point gets a page with `gap`.
  void add_gap();

  /// Errors: kInvalidArgument: the text is not a cursor.
  static Status check_cursor(std::string_view cursor);
  /// The cursor itself; for "$" the newest one, for "" the oldest.
  std::string resolve(std::string cursor) const;
  /// The events after a cursor, at most `limit`.
  EventPage after(std::string_view cursor, std::uint32_t limit) const;

 private:
  /// Without an event it marks a gap.
  struct Entry {
    std::uint64_t number = 0;
    std::optional<Event> event{};
  };
  void push(std::optional<Event> event);
  std::uint64_t before_oldest() const { return entries_.empty() ? last_ : entries_.front().number - 1; }
  std::string cursor_of(std::uint64_t number) const;

  const std::string instance_;
  std::deque<Entry> entries_;
  /// Of all entries.
  std::size_t bytes_ = 0;
  /// Number of the newest entry.
  std::uint64_t last_ = 0;
};

}  // namespace gaur::redis_store
