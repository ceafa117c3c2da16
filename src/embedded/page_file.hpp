#pragma once
// Reads the pages of an LMDB data file with pread(), so that a damaged or truncated file gives an error and
// never a signal. LMDB maps the file and trusts every page in it. The layout is that of LMDB 0.9 on a 64-bit
// little-endian machine; docs/reference/disk-format.md describes it.
// Thread-safety: immutable after construction; any thread may read.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace gaur::embedded {

using PageNumber = std::uint64_t;
/// The root of an empty tree.
inline constexpr PageNumber kNoPage = UINT64_MAX;
inline constexpr std::size_t kPageHeaderBytes = 16;
/// LMDB's limit.
inline constexpr std::size_t kMaxKeyBytes = 511;

/// The record of a B-tree (LMDB's MDB_db).
struct TreeRecord {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0;
  std::uint64_t entries = 0;
  PageNumber root = kNoPage;
};
inline constexpr std::size_t kTreeRecordBytes = 48;
std::optional<TreeRecord> decode_tree(std::string_view bytes);

/// One of the two meta pages: the roots of a committed transaction.
struct MetaPage {
  std::uint64_t transaction = 0;
  PageNumber last_page = 0;
  TreeRecord free_pages, tables;
};

struct Node {
  enum Flag : std::uint16_t { kBig = 1, kTree = 2 };
  std::string_view key;
  /// Leaf: the value; empty if it is in overflow pages.
  std::string_view value;
  std::uint16_t flags = 0;
  /// Branch: the child. Leaf with kBig: the first overflow page.
  PageNumber page = 0;
  /// Leaf: the length of the value.
  std::uint32_t value_bytes = 0;
};

/// The nodes of a branch or leaf page. They refer to the caller's bytes.
struct Page {
  bool leaf = false;
  std::vector<Node> nodes;
};
/// Parses a page and checks every offset and length in it. On damage returns false; `problem` then says what.
bool parse_page(std::string_view bytes, PageNumber number, Page& page, std::string& problem);

/// Where the nodes of a damaged page begin, by its header; 0 if the header is damaged too.
std::size_t nodes_begin(std::string_view page);

class PageFile {
 public:
  /// Opens for reading. Errors: kInvalidArgument (a folder or another special file), kIo.
  static Result<PageFile> open(const std::string& path);
  /// The file of `fd`, which must stay open.
  explicit PageFile(int fd);

  std::size_t page_bytes() const { return page_bytes_; }
  /// Whole pages in the file.
  PageNumber pages() const { return bytes_ / page_bytes_; }
  std::uint64_t bytes() const { return bytes_; }
  /// Meta pages that can be parsed.
  const std::array<std::optional<MetaPage>, 2>& metas() const { return metas_; }
  /// Whether both are those of consecutive transactions: LMDB writes transaction N to meta page N mod 2.
  /// Otherwise the newest one may not be that of the last transaction.
  bool metas_agree() const;
  /// The newest; nothing if there is none.
  const MetaPage* newest() const;
  /// Reads `count` pages. Returns false if they are beyond the end of the file or cannot be read.
  bool read(PageNumber first, std::size_t count, std::string& out) const;
  /// Reads a value in overflow pages; at most `at_most` bytes of it. On damage returns false.
  bool read_value(const Node& node, std::string& out, std::size_t at_most = SIZE_MAX) const;
  /// The overflow pages of a value of this length.
  std::uint64_t overflow_pages(std::uint64_t value_bytes) const {
    return (kPageHeaderBytes + value_bytes + page_bytes_ - 1) / page_bytes_;
  }

 private:
  std::optional<MetaPage> read_meta(PageNumber number) const;
  bool read_bytes(std::uint64_t offset, std::size_t bytes, std::string& out) const;

  Fd owned_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  std::size_t page_bytes_;
  std::array<std::optional<MetaPage>, 2> metas_{};
};

}  // namespace gaur::embedded
