//===- Npy.h - tensors in .npy files ------------------------------------------===//
//
// Reads and writes NumPy's file format (versions 1 to 3) as far as Einfall has
// element types for it: C order, little endian, f8 f4 f2 i8 i4 i2 i1 u1 b1, and
// bit patterns of bf16 (V2, u2) and f8 (V1, u1). i4 is packed two to a byte along
// the last rank, low half first, as u1. Everything else is refused with the
// reason. A file is not trusted: nothing is allocated before its size has been
// compared with what its header promises.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Interpreter.h"
#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace einfall::driver {

/// Memory that starts at a cache line, as kernels like it.
template <typename T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U> &) {}
  T *allocate(size_t n) { return static_cast<T *>(::operator new(n * sizeof(T), std::align_val_t(64))); }
  void deallocate(T *p, size_t) { ::operator delete(p, std::align_val_t(64)); }
  bool operator==(const AlignedAllocator &) const { return true; }
};
using Bytes = std::vector<std::byte, AlignedAllocator<std::byte>>;

/// The contents of a file, as stored.
struct Npy {
  std::string dtype;          ///< without byte order: `f4`, `V2`
  std::vector<int64_t> shape; ///< of the file: i4 counts bytes along the last rank
  Bytes data;
};

/// Parses the bytes of a whole file. `name` begins the message on failure.
bool parseNpy(std::string_view name, std::string_view bytes, Npy &npy, std::string &error);
bool readNpy(const std::string &path, Npy &npy, std::string &error);

/// Whether a file of this dtype may hold a tensor of `type`; else the reason.
bool holds(const Npy &npy, ein::Type type, std::string &error);
/// The tensor's shape. The last extent of i4 is even here; a tensor with an odd
/// one has the same file (`fits`).
std::vector<int64_t> shapeAs(const Npy &npy, ein::Type type);
/// Whether the file has the size of a tensor of this shape.
bool fits(const Npy &npy, ein::Type type, const std::vector<int64_t> &shape);

/// Values of the file as a tensor of `type` and `shape` (`holds` and `fits`).
ein::Array toArray(const Npy &npy, ein::Type type, const std::vector<int64_t> &shape);
Npy fromArray(const ein::Array &array);
/// A file of a tensor whose bytes are already those of `type`.
Npy fromBytes(ein::Type type, const std::vector<int64_t> &shape, Bytes data);
/// Bytes of a dense tensor; nothing when they overflow.
std::optional<int64_t> bytesOf(ein::Type type, const std::vector<int64_t> &shape);

/// Writes several files so that an error leaves every target as it was: each is
/// written beside its target first, and `commit` renames them all. What was not
/// committed is removed again.
class NpyWriter {
public:
  NpyWriter() = default;
  NpyWriter(const NpyWriter &) = delete;
  ~NpyWriter();
  bool stage(const std::string &path, const Npy &npy, std::string &error);
  bool commit(std::string &error);

private:
  struct Staged {
    std::string temporary, target;
  };
  std::vector<Staged> staged;
};

/// One file: stage and commit.
bool writeNpy(const std::string &path, const Npy &npy, std::string &error);

} // namespace einfall::driver
