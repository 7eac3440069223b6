#include "compiler/driver/Npy.h"
#include "dialects/ein/Bits.h"
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace einfall::driver {

using ein::Type;

namespace {

constexpr size_t maxHeader = 1 << 20;
constexpr size_t maxRank = 64; // NumPy's own limit

/// What a header says; `error` is set instead when it cannot be read.
struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// The header is one Python dictionary literal with three keys.
class HeaderParser {
public:
  HeaderParser(std::string_view text, std::string &error) : text(text), error(error) {}

  bool parse(Header &header) {
    bool seen[3] = {false, false, false};
    if (!expect('{'))
      return false;
    while (!peek('}')) {
      std::string key;
      if (!string(key) || !expect(':'))
        return false;
      int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0)
        return fail(fmt::format("unknown key '{}' in the header", printable(key)));
      if (seen[which])
        return fail(fmt::format("key '{}' stands twice in the header", key));
      seen[which] = true;
      if (which == 0 ? !descr(header.descr) : which == 1 ? !boolean(header.fortran) : !tuple(header.shape))
        return false;
      if (!peek(',') && !peek('}'))
        return fail("malformed header: ',' or '}' expected");
      if (peek(','))
        ++at;
    }
    ++at;
    skip();
    if (at != text.size())
      return fail("malformed header: text after its closing brace");
    for (int i = 0; i < 3; ++i)
      if (!seen[i])
        return fail(fmt::format("the header lacks '{}'", i == 0   ? "descr"
                                                         : i == 1 ? "fortran_order"
                                                                  : "shape"));
    return true;
  }

  /// Text of a foreign file in a message: short, without control characters.
  static std::string printable(std::string_view s) {
    std::string out;
    for (char c : s.substr(0, 24))
      out += c >= ' ' && c < 127 ? c : '?';
    return out + (s.size() > 24 ? ".." : "");
  }

private:
  std::string_view text;
  std::string &error;
  size_t at = 0;

  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }
  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
      ++at;
  }
  bool peek(char c) {
    skip();
    return at < text.size() && text[at] == c;
  }
  bool expect(char c) {
    if (!peek(c))
      return fail(fmt::format("malformed header: '{}' expected", c));
    ++at;
    return true;
  }
  bool string(std::string &out) {
    skip();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      return fail("malformed header: a quoted name expected");
    size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos)
      return fail("malformed header: a quote is not closed");
    out = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }
  bool descr(std::string &out) {
    if (peek('[') || peek('('))
      return fail("structured dtypes are not read: save each field as a file of its own");
    return string(out);
  }
  bool boolean(bool &out) {
    skip();
    for (auto [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (text.substr(at, word.size()) == word) {
        out = value;
        at += word.size();
        return true;
      }
    return fail("malformed header: 'fortran_order' is neither True nor False");
  }
  bool tuple(std::vector<int64_t> &shape) {
    if (!expect('('))
      return false;
    while (!peek(')')) {
      if (peek('-'))
        return fail("the header has a negative extent");
      size_t begin = at;
      int64_t extent = 0;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (__builtin_mul_overflow(extent, int64_t(10), &extent) ||
            __builtin_add_overflow(extent, int64_t(text[at] - '0'), &extent))
          return fail("an extent in the header exceeds 63 bits");
      if (at == begin)
        return fail("malformed header: an extent expected in 'shape'");
      shape.push_back(extent);
      if (shape.size() > maxRank)
        return fail(fmt::format("the header has more than {} extents", maxRank));
      if (peek(',')) {
        ++at;
      } else if (!peek(')')) {
        return fail("malformed header: ',' or ')' expected in 'shape'");
      } else if (shape.size() == 1) {
        return fail("malformed header: 'shape' is no tuple");
      }
    }
    ++at;
    return true;
  }
};

/// Bytes of an element; 0: a dtype that is not read.
int64_t itemSize(std::string_view dtype) {
  constexpr std::pair<std::string_view, int64_t> sizes[] = {{"f8", 8}, {"f4", 4}, {"f2", 2}, {"i8", 8},
                                                            {"i4", 4}, {"i2", 2}, {"i1", 1}, {"u1", 1},
                                                            {"b1", 1}, {"u2", 2}, {"V2", 2}, {"V1", 1}};
  for (auto [name, size] : sizes)
    if (name == dtype)
      return size;
  return 0;
}

/// Splits `<f4` into byte order and dtype; false with the reason.
bool checkDescr(const std::string &descr, std::string &dtype, std::string &error) {
  std::string shown = HeaderParser::printable(descr);
  std::string order = descr.empty() ? "" : descr.substr(0, 1);
  dtype = order.find_first_of("<>|=") == 0 ? descr.substr(1) : descr;
  if (order == ">") {
    error = fmt::format("big-endian data ('{}') is not read: save it as little endian", shown);
    return false;
  }
  if (!dtype.empty() && dtype[0] == 'O') {
    error = fmt::format("Python objects ('{}') are not read: save an array of numbers", shown);
    return false;
  }
  int64_t size = itemSize(dtype);
  bool orderKnown = order == "<" || (order == "|" && (size == 1 || (size == 2 && dtype[0] == 'V')));
  if (!size || !orderKnown) {
    error = fmt::format("dtype '{}' is not read: f8 f4 f2 i8 i4 i2 i1 u1 b1, V2 or u2 for bf16, V1 or u1 for "
                        "f8, little endian",
                        shown);
    return false;
  }
  return true;
}

/// Everything before the data: `offset` is where it begins. Only the first
/// bytes of the file are needed.
bool parseHeader(std::string_view bytes, int64_t fileSize, Npy &npy, int64_t &offset, std::string &error) {
  auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.size() < 10 || bytes.substr(0, 6) != std::string_view("\x93NUMPY", 6)) {
    error = bytes.size() < 10 ? "not a .npy file: shorter than its fixed part"
                              : "not a .npy file: it does not begin with \\x93NUMPY";
    return false;
  }
  size_t version = byte(6), length, begin;
  if (version < 1 || version > 3 || byte(7) != 0) {
    error = fmt::format("version {}.{} of the format is not read (1.0, 2.0, 3.0 are)", version, byte(7));
    return false;
  }
  if (version == 1) {
    length = byte(8) | byte(9) << 8;
    begin = 10;
  } else {
    if (bytes.size() < 12) {
      error = "not a .npy file: shorter than its fixed part";
      return false;
    }
    length = byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
    begin = 12;
  }
  if (length > maxHeader) {
    error = fmt::format("the header is said to have {} bytes (at most {} are read)", length, maxHeader);
    return false;
  }
  if (bytes.size() < begin + length) {
    error = fmt::format("truncated: the header is said to have {} bytes, {} are there", length,
                        bytes.size() - begin);
    return false;
  }
  Header header;
  if (!HeaderParser(bytes.substr(begin, length), error).parse(header) ||
      !checkDescr(header.descr, npy.dtype, error))
    return false;
  if (header.fortran) {
    error = "Fortran order is not read: save it in C order (numpy.ascontiguousarray)";
    return false;
  }
  npy.shape = header.shape;
  offset = static_cast<int64_t>(begin + length);

  int64_t needed = itemSize(npy.dtype);
  bool empty = std::find(npy.shape.begin(), npy.shape.end(), 0) != npy.shape.end();
  for (int64_t extent : npy.shape)
    if (!empty && __builtin_mul_overflow(needed, extent, &needed)) {
      error = "the shape in the header has more elements than a file can";
      return false;
    }
  needed = empty ? 0 : needed;
  int64_t there = fileSize - offset;
  if (there != needed) {
    error = fmt::format("{}: the header promises {} bytes of data, {} are there",
                        there < needed ? "truncated" : "trailing data", needed, there);
    return false;
  }
  return true;
}

/// A file descriptor that closes itself.
struct File {
  int fd;
  ~File() {
    if (fd >= 0)
      ::close(fd);
  }
};

bool readAll(int fd, char *to, size_t count) {
  while (count) {
    ssize_t n = ::read(fd, to, std::min<size_t>(count, 1 << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    to += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

bool writeAll(int fd, const char *from, size_t count) {
  while (count) {
    ssize_t n = ::write(fd, from, std::min<size_t>(count, 1 << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    from += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

std::string headerText(const Npy &npy) {
  std::string shape;
  for (int64_t extent : npy.shape)
    shape += fmt::format("{}{}", shape.empty() ? "" : ", ", extent);
  if (npy.shape.size() == 1)
    shape += ",";
  bool ordered = itemSize(npy.dtype) > 1 && npy.dtype[0] != 'V';
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                 ordered ? "<" : "|", npy.dtype, shape);
  // The data begins at a multiple of 64.
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xff);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

/// The dtype that a tensor of this type is written with.
std::string_view dtypeOf(Type type) {
  switch (type) {
  case Type::F64:
    return "f8";
  case Type::F32:
    return "f4";
  case Type::F16:
    return "f2";
  case Type::BF16:
    return "V2";
  case Type::F8E4M3:
  case Type::F8E5M2:
    return "V1";
  case Type::I64:
  case Type::Index:
    return "i8";
  case Type::I32:
    return "i4";
  case Type::I16:
    return "i2";
  case Type::I8:
    return "i1";
  case Type::I4:
  case Type::U8:
    return "u1";
  case Type::Bool:
    return "b1";
  }
  return "";
}

/// The same in the other spelling: bit patterns as unsigned integers.
std::string_view otherDtypeOf(Type type) {
  switch (type) {
  case Type::BF16:
    return "u2";
  case Type::F8E4M3:
  case Type::F8E5M2:
    return "u1";
  default:
    return "";
  }
}

/// Shape of the file of a tensor: i4 is packed along the last rank.
std::vector<int64_t> fileShape(Type type, std::vector<int64_t> shape) {
  if (type == Type::I4 && !shape.empty())
    shape.back() = shape.back() / 2 + shape.back() % 2;
  return shape;
}

int64_t countOf(const std::vector<int64_t> &shape) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return 0; // whatever the others say
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

} // namespace

bool parseNpy(std::string_view name, std::string_view bytes, Npy &npy, std::string &error) {
  int64_t offset = 0;
  if (!parseHeader(bytes, static_cast<int64_t>(bytes.size()), npy, offset, error)) {
    error = fmt::format("{}: {}", name, error);
    return false;
  }
  auto *data = reinterpret_cast<const std::byte *>(bytes.data());
  npy.data.assign(data + offset, data + bytes.size());
  return true;
}

bool readNpy(const std::string &path, Npy &npy, std::string &error) {
  auto fail = [&](std::string_view message) {
    error = fmt::format("{}: {}", path, message);
    return false;
  };
  // Not to wait for a pipe that has no writer.
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status;
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0)
    return fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return fail("not a regular file");
  std::string head(std::min<size_t>(static_cast<size_t>(status.st_size), maxHeader + 12), '\0');
  if (!readAll(file.fd, head.data(), head.size()))
    return fail("cannot be read");
  int64_t offset = 0;
  std::string reason;
  if (!parseHeader(head, status.st_size, npy, offset, reason))
    return fail(reason);
  try {
    npy.data.resize(static_cast<size_t>(status.st_size - offset));
  } catch (const std::bad_alloc &) {
    return fail(fmt::format("not enough memory for its {} bytes", status.st_size - offset));
  }
  if (::lseek(file.fd, offset, SEEK_SET) < 0 ||
      !readAll(file.fd, reinterpret_cast<char *>(npy.data.data()), npy.data.size()))
    return fail("cannot be read to its end");
  return true;
}

bool holds(const Npy &npy, Type type, std::string &error) {
  if (npy.dtype == dtypeOf(type) || npy.dtype == otherDtypeOf(type)) {
    if (type != Type::I4 || !npy.shape.empty())
      return true;
    error = "a packed i4 tensor needs a rank to be packed along";
    return false;
  }
  std::string_view other = otherDtypeOf(type);
  error = fmt::format("{} is stored as {}{}{}, the file has {}", name(type), dtypeOf(type),
                      other.empty() ? "" : " or ", other, npy.dtype);
  return false;
}

std::vector<int64_t> shapeAs(const Npy &npy, Type type) {
  std::vector<int64_t> shape = npy.shape;
  if (type == Type::I4 && !shape.empty() && __builtin_mul_overflow(shape.back(), int64_t(2), &shape.back()))
    shape.back() = INT64_MAX;
  return shape;
}

bool fits(const Npy &npy, Type type, const std::vector<int64_t> &shape) {
  return npy.shape == fileShape(type, shape);
}

std::optional<int64_t> bytesOf(Type type, const std::vector<int64_t> &shape) {
  int64_t bytes = type == Type::I4 ? 1 : ein::bitWidth(type) / 8;
  std::vector<int64_t> stored = fileShape(type, shape);
  if (std::find(stored.begin(), stored.end(), 0) != stored.end())
    return 0;
  for (int64_t extent : stored)
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return std::nullopt;
  return bytes;
}

ein::Array toArray(const Npy &npy, Type type, const std::vector<int64_t> &shape) {
  ein::Array array{type, shape, {}, {}};
  int64_t count = countOf(shape);
  array.value.resize(static_cast<size_t>(count));
  auto *data = reinterpret_cast<const unsigned char *>(npy.data.data());
  if (type == Type::I4) {
    int64_t last = shape.empty() ? 1 : shape.back(), row = last / 2 + last % 2;
    for (int64_t i = 0; i < count; ++i) {
      unsigned char both = data[(i / last) * row + (i % last) / 2];
      array.value[i] = ein::decode(type, (i % last) % 2 ? both >> 4 : both & 15);
    }
    return array;
  }
  size_t size = ein::bitWidth(type) / 8;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, data + i * static_cast<int64_t>(size), size);
    array.value[i] = ein::decode(type, bits);
  }
  return array;
}

Npy fromArray(const ein::Array &array) {
  Type type = array.type;
  size_t size = type == Type::I4 ? 1 : ein::bitWidth(type) / 8;
  auto count = static_cast<int64_t>(array.value.size());
  Bytes bytes(static_cast<size_t>(countOf(fileShape(type, array.shape))) * size);
  auto *data = reinterpret_cast<unsigned char *>(bytes.data());
  int64_t last = array.shape.empty() ? 1 : array.shape.back(), row = last / 2 + last % 2;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = ein::encode(type, array.value[i]);
    if (type == Type::I4)
      data[(i / last) * row + (i % last) / 2] |=
          static_cast<unsigned char>((bits & 15) << ((i % last) % 2 ? 4 : 0));
    else
      std::memcpy(data + i * static_cast<int64_t>(size), &bits, size);
  }
  return fromBytes(type, array.shape, std::move(bytes));
}

Npy fromBytes(Type type, const std::vector<int64_t> &shape, Bytes data) {
  return {std::string(dtypeOf(type)), fileShape(type, shape), std::move(data)};
}

bool NpyWriter::stage(const std::string &path, const Npy &npy, std::string &error) {
  static std::atomic<unsigned> counter{0};
  struct stat status;
  // A device or directory is not replaced by a file.
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    error = fmt::format("{}: not a regular file", path);
    return false;
  }
  File file{-1};
  std::string temporary;
  do { // another process may have left one of that name
    temporary = fmt::format("{}.tmp-{}-{}", path, ::getpid(), counter++);
    file.fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file.fd < 0 && errno == EEXIST && counter < 1000000);
  if (file.fd < 0) {
    error = fmt::format("{}: cannot be written: {}", path, std::strerror(errno));
    return false;
  }
  staged.push_back({temporary, path});
  std::string head = headerText(npy);
  bool done = writeAll(file.fd, head.data(), head.size()) &&
              writeAll(file.fd, reinterpret_cast<const char *>(npy.data.data()), npy.data.size());
  int reason = errno;
  if (done && ::close(std::exchange(file.fd, -1)) != 0) {
    done = false;
    reason = errno;
  }
  if (!done)
    error = fmt::format("{}: cannot be written: {}", path, std::strerror(reason));
  return done;
}

bool NpyWriter::commit(std::string &error) {
  // `stage` has shown that every directory takes files; a rename inside one can
  // then fail only if somebody changes it meanwhile.
  while (!staged.empty()) {
    Staged &next = staged.back();
    if (::rename(next.temporary.c_str(), next.target.c_str()) != 0) {
      error = fmt::format("{}: cannot be written: {}", next.target, std::strerror(errno));
      return false;
    }
    staged.pop_back();
  }
  return true;
}

NpyWriter::~NpyWriter() {
  for (const Staged &s : staged)
    ::unlink(s.temporary.c_str());
}

bool writeNpy(const std::string &path, const Npy &npy, std::string &error) {
  NpyWriter writer;
  return writer.stage(path, npy, error) && writer.commit(error);
}

} // namespace einfall::driver
