// Reading and writing .npy files: what is accepted, and one clear message for
// everything else. Files are built byte by byte, as a hostile writer would.
#include "compiler/driver/Npy.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace einfall;
using namespace einfall::driver;
using ein::Type;

namespace {

std::string file(const std::string &header, const std::string &data, int version = 1) {
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(version);
  out += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out + header + data;
}

std::string dict(const std::string &descr, const std::string &shape, const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

/// The message for a file that must be refused.
std::string refused(const std::string &bytes) {
  Npy npy;
  std::string error;
  CHECK_FALSE(parseNpy("k.npy", bytes, npy, error));
  CHECK(error.rfind("k.npy: ", 0) == 0);
  CHECK(error.find('\n') == std::string::npos);
  return error;
}

Npy parsed(const std::string &bytes) {
  Npy npy;
  std::string error;
  CHECK(parseNpy("k.npy", bytes, npy, error));
  CHECK(error == "");
  return npy;
}

struct TemporaryFolder {
  std::string path;
  TemporaryFolder() {
    char name[] = "/tmp/einfall-npy-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

} // namespace

TEST_CASE("npy: versions, orders and dtypes that are read") {
  std::string eight(8, '\0');
  for (int version : {1, 2, 3})
    CHECK(parsed(file(dict("<f4", "(2,)"), eight, version)).shape == std::vector<int64_t>{2});
  for (std::string descr :
       {"<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "|u1", "|b1", "<u2", "|V2", "<V2", "|V1"}) {
    int64_t size = descr[2] - '0';
    Npy npy = parsed(file(dict(descr, "(" + std::to_string(8 / size) + ",)"), eight));
    CHECK(npy.dtype == descr.substr(1));
  }
  CHECK(parsed(file(dict("<f8", "()"), eight)).shape.empty());
  CHECK(parsed(file(dict("<f8", "(0, 7)"), "")).shape == std::vector<int64_t>{0, 7});
  CHECK(parsed(file(dict("<f8", "(4611686018427387904, 4, 0)"), "")).data.empty());
  CHECK(parsed(file("{\"shape\":(1,1),\"fortran_order\":False,\"descr\":\"<f8\"}", eight)).shape.size() == 2);
}

TEST_CASE("npy: everything else is refused with its reason") {
  using Catch::Matchers::Contains;
  std::string eight(8, '\0'), good = file(dict("<f8", "(1,)"), eight);
  CHECK_THAT(refused(""), Contains("not a .npy file"));
  CHECK_THAT(refused("PK\x03\x04 a zip archive"), Contains("not a .npy file"));
  CHECK_THAT(refused(std::string("\x93NUMPY\x04\x00", 8) + good.substr(8)), Contains("version 4.0"));
  CHECK_THAT(refused(file(dict(">f8", "(1,)"), eight)), Contains("big-endian"));
  CHECK_THAT(refused(file(dict("|O", "(1,)"), eight)), Contains("Python objects"));
  CHECK_THAT(refused(file(dict("<c8", "(1,)"), eight)), Contains("'<c8'"));
  CHECK_THAT(refused(file(dict("<U2", "(1,)"), eight)), Contains("'<U2'"));
  CHECK_THAT(refused(file(dict("=f8", "(1,)"), eight)), Contains("'=f8'"));
  CHECK_THAT(refused(file(dict("", "(1,)"), eight)), Contains("dtype ''"));
  CHECK_THAT(refused(file(dict("<f8", "(1,)", "True"), eight)), Contains("Fortran order"));
  CHECK_THAT(refused(file("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", eight)),
             Contains("structured"));
  CHECK_THAT(refused(file(dict("<f8", "(2,)"), eight)), Contains("promises 16 bytes of data, 8 are there"));
  CHECK_THAT(refused(file(dict("<f8", "(1,)"), eight + "x")), Contains("trailing data"));
  CHECK_THAT(refused(file(dict("<f8", "(-1,)"), eight)), Contains("negative extent"));
  CHECK_THAT(refused(file(dict("<f8", "(99999999999999999999,)"), eight)), Contains("63 bits"));
  CHECK_THAT(refused(file(dict("<f8", "(4294967296, 4294967296)"), eight)), Contains("more elements"));
  CHECK_THAT(refused(file(dict("<f8", "(1152921504606846976, 2)"), eight)), Contains("more elements"));
  CHECK_THAT(refused(file(dict("<f8", "(1)"), eight)), Contains("no tuple"));
  CHECK_THAT(refused(file(dict("<f8", "(1.0,)"), eight)), Contains("malformed"));
  CHECK_THAT(refused(file(dict("<f8", "(,)"), eight)), Contains("malformed"));
  CHECK_THAT(refused(file(dict("<f8", "(1,"), eight)), Contains("malformed"));
  CHECK_THAT(refused(file("{'descr': '<f8", eight)), Contains("quote"));
  CHECK_THAT(refused(file("{'descr': '<f8', 'shape': (1,)}", eight)), Contains("lacks 'fortran_order'"));
  CHECK_THAT(refused(file("{'descr': '<f8', 'descr': '<f8'}", eight)), Contains("twice"));
  CHECK_THAT(refused(file("{'evil': __import__('os')}", eight)), Contains("unknown key 'evil'"));
  CHECK_THAT(refused(file(dict("<f8", "(1,)") + "}", eight)), Contains("closing brace"));
  CHECK_THAT(refused(file(std::string("{'de\x01\n': 1}"), eight)), Contains("'de?\?'"));
  CHECK_THAT(refused(good.substr(0, 30)), Contains("truncated"));
  CHECK_THAT(refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + good.substr(10)),
             Contains("4294967295 bytes"));
  std::string many = "(";
  for (int i = 0; i < 65; ++i)
    many += "1,";
  CHECK_THAT(refused(file(dict("<f8", many + ")"), eight)), Contains("more than 64 extents"));
  // Cut anywhere, a file is an error and nothing worse.
  for (size_t n = 0; n < good.size(); ++n)
    refused(good.substr(0, n));
}

TEST_CASE("npy: values survive a round trip through every type") {
  for (int t = 0; t <= static_cast<int>(Type::Index); ++t) {
    Type type = static_cast<Type>(t);
    INFO(name(type));
    ein::Array array{type, {2, 3}, {}, {}};
    for (int i = 0; i < 6; ++i)
      array.value.push_back(ein::kindOf(type) == ein::Kind::Float ? ein::cellOf(0.5 * i)
                            : type == Type::Bool                  ? ein::cellOf(int64_t(i % 2))
                            : type == Type::U8                    ? ein::cellOf(int64_t(i * 50))
                                                                  : ein::cellOf(int64_t(i - 3)));
    Npy npy = fromArray(array);
    std::string error;
    CHECK(holds(npy, type, error));
    CHECK(fits(npy, type, {2, 3}));
    CHECK(int64_t(npy.data.size()) == bytesOf(type, {2, 3}));
    CHECK(npy.shape == (type == Type::I4 ? std::vector<int64_t>{2, 2} : std::vector<int64_t>{2, 3}));
    ein::Array back = toArray(npy, type, {2, 3});
    for (int i = 0; i < 6; ++i)
      CHECK(back.value[i].i == array.value[i].i);
  }
}

TEST_CASE("npy: int64 beyond 2^53 and the nibbles of i4") {
  ein::Array big{Type::I64, {2}, {ein::cellOf(int64_t(9007199254740993)), ein::cellOf(INT64_MIN)}, {}};
  CHECK(toArray(fromArray(big), Type::I64, {2}).value[0].i == 9007199254740993);
  CHECK(toArray(fromArray(big), Type::I64, {2}).value[1].i == INT64_MIN);
  ein::Array four{
      Type::I4, {3}, {ein::cellOf(int64_t(1)), ein::cellOf(int64_t(-8)), ein::cellOf(int64_t(7))}, {}};
  Npy npy = fromArray(four);
  CHECK(npy.data == Bytes{std::byte(0x81), std::byte(0x07)});
  CHECK(shapeAs(npy, Type::I4) == std::vector<int64_t>{4});
  CHECK(fits(npy, Type::I4, {3}));
  CHECK(fits(npy, Type::I4, {4}));
  CHECK_FALSE(fits(npy, Type::I4, {5}));
}

TEST_CASE("npy: a dtype holds the types it is the storage of, no others") {
  std::string error;
  Npy npy{"f4", {1}, {}};
  CHECK(holds(npy, Type::F32, error));
  CHECK_FALSE(holds(npy, Type::BF16, error));
  CHECK(error == "bf16 is stored as V2 or u2, the file has f4");
  CHECK_FALSE(holds(npy, Type::F64, error));
  npy.dtype = "i4";
  CHECK_FALSE(holds(npy, Type::Index, error));
  CHECK_FALSE(holds(npy, Type::I4, error));
  npy.dtype = "u1";
  for (Type type : {Type::U8, Type::I4, Type::F8E4M3, Type::F8E5M2})
    CHECK(holds(npy, type, error));
  CHECK_FALSE(holds(npy, Type::Bool, error));
}

TEST_CASE("npy: files appear whole or not at all") {
  TemporaryFolder folder;
  std::string path = folder.path + "/o.npy", error;
  ein::Array array{Type::F32, {3}, {ein::cellOf(1.0), ein::cellOf(2.0), ein::cellOf(-0.0)}, {}};
  REQUIRE(writeNpy(path, fromArray(array), error));
  Npy npy;
  REQUIRE(readNpy(path, npy, error));
  CHECK(npy.shape == array.shape);
  CHECK(std::signbit(toArray(npy, Type::F32, {3}).value[2].f));
  CHECK(std::filesystem::file_size(path) % 64 == 12);

  {
    NpyWriter writer; // the second target cannot be written: neither is
    CHECK(writer.stage(folder.path + "/new.npy", npy, error));
    CHECK_FALSE(writer.stage(folder.path + "/none/o.npy", npy, error));
    CHECK(error.find("none/o.npy: cannot be written") != std::string::npos);
  }
  CHECK_FALSE(writeNpy(folder.path, npy, error)); // a folder
  int files = 0;
  for (auto &entry : std::filesystem::directory_iterator(folder.path)) {
    CHECK(entry.path() == path);
    ++files;
  }
  CHECK(files == 1);
}

TEST_CASE("npy: paths that are no files") {
  TemporaryFolder folder;
  Npy npy;
  std::string error, pipe = folder.path + "/pipe", sparse = folder.path + "/sparse.npy";
  CHECK_FALSE(readNpy(folder.path + "/none.npy", npy, error));
  CHECK(error.find("No such file") != std::string::npos);
  CHECK_FALSE(readNpy(folder.path, npy, error));
  CHECK_FALSE(readNpy("/dev/zero", npy, error));
  ::mkfifo(pipe.c_str(), 0600);
  CHECK_FALSE(readNpy(pipe, npy, error)); // does not wait
  CHECK(error.find("not a regular file") != std::string::npos);
  // A promise of a terabyte costs nothing when the file is short.
  std::ofstream(sparse, std::ios::binary) << file(dict("<f8", "(137438953472,)"), "12345678");
  CHECK_FALSE(readNpy(sparse, npy, error));
  CHECK(error.find("promises 1099511627776 bytes of data, 8 are there") != std::string::npos);
}
