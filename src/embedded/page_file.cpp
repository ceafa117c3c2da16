#include "embedded/page_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "embedded/bytes.hpp"

namespace gaur::embedded {

namespace {

constexpr std::uint32_t kLmdbMagic = 0xBEEFC0DE;
constexpr std::uint32_t kLmdbVersion = 1;
constexpr std::size_t kMetaBytes = 136;
constexpr std::size_t kNodeHeaderBytes = 8;
enum PageFlag : std::uint16_t { kBranchPage = 1, kLeafPage = 2, kOverflowPage = 4, kMetaPage = 8 };

struct PageHeader {
  PageNumber number = 0;
  std::uint16_t flags = 0;
  std::uint16_t lower = 0, upper = 0;
};

PageHeader read_header(std::string_view bytes) {
  ByteReader r(bytes);
  PageHeader header;
  header.number = r.number<std::uint64_t>();
  r.number<std::uint16_t>();
  header.flags = r.number<std::uint16_t>();
  header.lower = r.number<std::uint16_t>();
  header.upper = r.number<std::uint16_t>();
  return header;
}

/// The node at `offset`. Returns its size, 0 if it exceeds the page.
std::size_t read_node(std::string_view bytes, std::size_t offset, bool leaf, Node& node) {
  if (offset + kNodeHeaderBytes > bytes.size()) return 0;
  ByteReader r(bytes.substr(offset, kNodeHeaderBytes));
  const auto low = r.number<std::uint16_t>();
  const auto high = r.number<std::uint16_t>();
  const auto flags = r.number<std::uint16_t>();
  const auto key_bytes = r.number<std::uint16_t>();
  std::size_t size = kNodeHeaderBytes + key_bytes;
  if (key_bytes > kMaxKeyBytes || offset + size > bytes.size()) return 0;
  node.key = bytes.substr(offset + kNodeHeaderBytes, key_bytes);
  node.value = {};
  if (!leaf) {
    node.page = low | (std::uint64_t{high} << 16) | (std::uint64_t{flags} << 32);
    return (size + 1) & ~std::size_t{1};
  }
  node.flags = flags;
  node.value_bytes = low | (std::uint32_t{high} << 16);
  const bool big = (flags & Node::kBig) != 0;
  const std::size_t stored = big ? sizeof(PageNumber) : node.value_bytes;
  if ((flags & ~(Node::kBig | Node::kTree)) != 0 || offset + size + stored > bytes.size()) return 0;
  node.value = bytes.substr(offset + size, stored);
  if (big) node.page = ByteReader(node.value).number<std::uint64_t>();
  if (big) node.value = {};
  size += stored;
  return (size + 1) & ~std::size_t{1};
}

}  // namespace

std::optional<TreeRecord> decode_tree(std::string_view bytes) {
  if (bytes.size() != kTreeRecordBytes) return std::nullopt;
  ByteReader r(bytes);
  TreeRecord tree;
  tree.pad = r.number<std::uint32_t>();
  tree.flags = r.number<std::uint16_t>();
  tree.depth = r.number<std::uint16_t>();
  for (std::uint64_t* n :
       {&tree.branch_pages, &tree.leaf_pages, &tree.overflow_pages, &tree.entries, &tree.root})
    *n = r.number<std::uint64_t>();
  return tree;
}

bool parse_page(std::string_view bytes, PageNumber number, Page& page, std::string& problem) {
  const auto damaged_page = [&](std::string_view what) {
    problem = fmt::format("page {} {}", number, what);
    return false;
  };
  page.nodes.clear();
  const PageHeader header = read_header(bytes);
  if (header.number != number) return damaged_page(fmt::format("contains page {}", header.number));
  if (header.flags != kBranchPage && header.flags != kLeafPage)
    return damaged_page("is not a page of a B-tree");
  page.leaf = header.flags == kLeafPage;
  if (header.lower < kPageHeaderBytes || header.lower % 2 != 0 || header.lower > header.upper ||
      header.upper > bytes.size())
    return damaged_page("has a damaged header");
  const std::size_t count = (header.lower - kPageHeaderBytes) / 2;
  page.nodes.resize(count);
  std::size_t sizes = 0;
  ByteReader offsets(bytes.substr(kPageHeaderBytes, count * 2));
  for (Node& node : page.nodes) {
    const auto offset = offsets.number<std::uint16_t>();
    const std::size_t size =
        offset < header.upper || offset % 2 != 0 ? 0 : read_node(bytes, offset, page.leaf, node);
    if (size == 0) return damaged_page("has a node outside of its bounds");
    sizes += size;
  }
  // LMDB keeps the nodes without gaps.
  if (sizes != bytes.size() - header.upper) return damaged_page("has overlapping nodes");
  return true;
}

std::size_t nodes_begin(std::string_view page) {
  const PageHeader header = read_header(page);
  const bool plausible = header.flags == kLeafPage && header.lower >= kPageHeaderBytes &&
                         header.lower <= header.upper && header.upper <= page.size();
  return plausible ? header.upper : 0;
}

Result<PageFile> PageFile::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return errno_error(fmt::format("cannot open {}", path), errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error(fmt::format("cannot read {}", path), errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{} is {}, not a file; name the data file or the backup itself", path,
                             S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe")};
  }
  PageFile file(fd.get());
  file.owned_ = std::move(fd);
  return file;
}

PageFile::PageFile(int fd) : fd_(fd), page_bytes_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
  struct stat status {};
  if (::fstat(fd, &status) == 0) bytes_ = static_cast<std::uint64_t>(status.st_size);
  std::string first;
  if (read_bytes(0, kMetaBytes + kPageHeaderBytes, first)) {
    // mm_dbs[0].md_pad is the page size.
    const auto stored =
        ByteReader(std::string_view(first).substr(kPageHeaderBytes + 24)).number<std::uint32_t>();
    if (std::has_single_bit(stored) && stored >= 512 && stored <= 65536) page_bytes_ = stored;
  }
  for (PageNumber number = 0; number < 2; ++number) metas_[number] = read_meta(number);
}

std::optional<MetaPage> PageFile::read_meta(PageNumber number) const {
  std::string page;
  if (!read(number, 1, page)) return std::nullopt;
  const PageHeader header = read_header(page);
  if (header.number != number || header.flags != kMetaPage) return std::nullopt;
  const std::string_view bytes = std::string_view(page).substr(kPageHeaderBytes, kMetaBytes);
  ByteReader r(bytes);
  if (r.number<std::uint32_t>() != kLmdbMagic || r.number<std::uint32_t>() != kLmdbVersion)
    return std::nullopt;
  MetaPage meta;
  meta.free_pages = *decode_tree(bytes.substr(24, kTreeRecordBytes));
  meta.tables = *decode_tree(bytes.substr(24 + kTreeRecordBytes, kTreeRecordBytes));
  ByteReader end(bytes.substr(24 + 2 * kTreeRecordBytes));
  meta.last_page = end.number<std::uint64_t>();
  meta.transaction = end.number<std::uint64_t>();
  if (meta.free_pages.pad != page_bytes_) return std::nullopt;
  return meta;
}

bool PageFile::metas_agree() const {
  if (!metas_[0] || !metas_[1]) return false;
  const std::uint64_t even = metas_[0]->transaction, odd = metas_[1]->transaction;
  const bool is_new = even == 0 && odd <= 1;
  return is_new || (even % 2 == 0 && odd % 2 == 1 && (even + 1 == odd || odd + 1 == even));
}

const MetaPage* PageFile::newest() const {
  const auto& [even, odd] = metas_;
  if (!even || (odd && odd->transaction > even->transaction)) return odd ? &*odd : nullptr;
  return &*even;
}

bool PageFile::read_bytes(std::uint64_t offset, std::size_t bytes, std::string& out) const {
  if (offset > bytes_ || bytes > bytes_ - offset) return false;
  out.resize(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd_, out.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

bool PageFile::read(PageNumber first, std::size_t count, std::string& out) const {
  if (first >= pages() || count > pages() - first) return false;
  return read_bytes(first * page_bytes_, count * page_bytes_, out);
}

bool PageFile::read_value(const Node& node, std::string& out, std::size_t at_most) const {
  const std::uint64_t count = overflow_pages(node.value_bytes);
  if (node.page >= pages() || count > pages() - node.page) return false;
  std::string header;
  if (!read_bytes(node.page * page_bytes_, kPageHeaderBytes, header)) return false;
  ByteReader r(header);
  const auto number = r.number<std::uint64_t>();
  r.number<std::uint16_t>();
  const auto flags = r.number<std::uint16_t>();
  if (number != node.page || flags != kOverflowPage || r.number<std::uint32_t>() != count) return false;
  return read_bytes(node.page * page_bytes_ + kPageHeaderBytes,
                    std::min<std::size_t>(at_most, node.value_bytes), out);
}

}  // namespace gaur::embedded
