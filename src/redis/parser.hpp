#pragma once
// Parses replies, RESP2 and RESP3. Incremental (a reply may arrive byte by byte) and bounded: an announced
// length is checked before memory is allocated, and allocation never exceeds the received bytes by more than
// a constant. Streamed strings and aggregates are not supported, because Redis never sends them.
// Thread-safety: confined to one thread.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/result.hpp"
#include "redis/reply.hpp"

namespace gaur::redis {

struct ParserLimits {
  /// Arrays within arrays.
  std::size_t depth = 16;
  /// Of one reply, all levels together.
  std::size_t elements = std::size_t{4} << 20U;
  /// Of one reply, all strings together.
  std::size_t bytes = std::size_t{512} << 20U;
  /// Simple strings, errors, numbers.
  std::size_t line = std::size_t{64} << 10U;
};

struct Incoming {
  Reply reply;
  /// RESP3: not the reply of a command.
  bool push = false;
};

class Parser {
 public:
  explicit Parser(ParserLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes);
  /// The next complete reply, if there is one. Errors: kCorrupt, also for all later calls, because the
  /// position in the stream is lost.
  Result<std::optional<Incoming>> next();
  /// No byte was received.
  bool untouched() const { return !fed_; }

 private:
  enum class Kind : std::uint8_t { kArray, kPush, kAttribute };
  struct Level {
    Kind kind = Kind::kArray;
    std::size_t left = 0;
    Reply::Array items;
  };
  enum class BulkKind : std::uint8_t { kText, kFailure, kVerbatim };
  enum class Step : std::uint8_t { kMore, kStarved, kDone, kBroken };

  Step step();
  Step header(std::string_view line);
  Step scalar(char type, std::string_view rest);
  Step begin_bulk(std::string_view length, BulkKind kind);
  Step read_bulk();
  Step begin_level(std::string_view length, Kind kind, std::size_t per_entry);
  Step finish(Reply reply);
  Step finish_level();
  Step broken(std::string message);
  std::optional<std::string_view> take_line();
  std::optional<std::size_t> length_of(std::string_view text, std::size_t at_most) const;
  void compact();

  ParserLimits limits_;
  bool fed_ = false;
  std::string buffer_;
  std::size_t at_ = 0;       // bytes read
  std::size_t scanned_ = 0;  // no end of line before it
  std::vector<Level> levels_;
  bool in_bulk_ = false;
  BulkKind bulk_kind_ = BulkKind::kText;
  std::size_t bulk_left_ = 0;  // without the closing CR LF
  std::string bulk_;
  std::size_t elements_ = 0, bytes_ = 0;  // of the reply under way
  std::optional<Incoming> done_;
  std::optional<Error> broken_;
};

}  // namespace gaur::redis
