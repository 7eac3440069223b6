// Any bytes as a .npy file: an array that fits its header, or one line of error.
#include "compiler/driver/Npy.h"
#include <cstdlib>

using namespace einfall;

static void require(bool condition) {
  if (!condition)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  driver::Npy npy;
  std::string error;
  if (!driver::parseNpy("fuzz.npy", {reinterpret_cast<const char *>(data), size}, npy, error)) {
    require(!error.empty() && error.find('\n') == std::string::npos);
    return 0;
  }
  for (int t = 0; t <= static_cast<int>(ein::Type::Index); ++t) {
    auto type = static_cast<ein::Type>(t);
    if (!driver::holds(npy, type, error))
      continue;
    std::vector<int64_t> shape = driver::shapeAs(npy, type);
    if (!driver::fits(npy, type, shape))
      continue;
    // What was read is written back as an equal file, NaN patterns aside.
    ein::Array array = driver::toArray(npy, type, shape);
    driver::Npy again = driver::fromArray(array);
    require(again.shape == npy.shape && again.data.size() == npy.data.size());
    ein::Array twice = driver::toArray(again, type, shape);
    for (size_t i = 0; i < array.value.size(); ++i)
      require(array.value[i].i == twice.value[i].i || array.value[i].f != array.value[i].f);
  }
  return 0;
}
