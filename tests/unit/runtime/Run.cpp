//===- Run.cpp - a call from binding to result -------------------------------------===//
#include "Fixture.h"
#include <catch2/catch.hpp>
#include <cstring>

// A refused allocation is what one test is about; sanitizers would stop there.
extern "C" const char *__asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char *__tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {
int64_t workspaceBytes = 0, scratchBytes = 0;
bool ran = false;
void sizes(const einfall_frame *frame, int64_t *out) {
  REQUIRE(frame->extent[0] >= 0);
  out[0] = workspaceBytes;
  out[1] = scratchBytes;
}

/// Y[p] = X[p] * s + Z[p], with every pointer of the frame checked.
void task(const einfall_frame *frame, void *, int64_t p, int64_t thread) {
  auto element = [&](int t) { return (float *)frame->data[t] + p * frame->stride[t][0]; };
  std::memset(frame->scratch + thread * frame->scratch_bytes, 1, size_t(frame->scratch_bytes));
  *element(2) = *element(0) * float(frame->fscalar[0]) + *element(1);
}
void mainFunction(const einfall_frame *frame) {
  ran = true;
  if (workspaceBytes)
    CHECK(uintptr_t(frame->workspace) % 64 == 0);
  if (scratchBytes) {
    CHECK(uintptr_t(frame->scratch) % 64 == 0);
    CHECK(frame->scratch_bytes % 64 == 0);
  }
  std::memset(frame->workspace, 1, size_t(workspaceBytes));
  einfall_parallel(frame, task, nullptr, frame->extent[0]);
}

struct Scaled : Fixture {
  float half = 0.5f;
  Scaled() {
    int p = rank("P");
    tensor("X", EINFALL_INPUT, EINFALL_F32, {p});
    tensor("Z", EINFALL_INPUT, EINFALL_F32, {p}, {}, &half);
    tensor("Y", EINFALL_OUTPUT, EINFALL_F32, {p});
    scalar("s", EINFALL_F32, {number(2)});
    Fixture::sizes = ::sizes;
    Fixture::main = mainFunction;
    workspaceBytes = 100;
    scratchBytes = 30;
    ran = false;
  }
};
} // namespace

TEST_CASE("a run uses defaults, strides, workspace and scratch") {
  for (int threads : {0, 1, 3}) {
    Scaled f;
    einfall_pool *pool = threads ? einfall_pool_create(threads) : nullptr;
    float x[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, z[5] = {1, 1, 1, 1, 1}, y[5];
    einfall_tensor in = dense(EINFALL_F32, {5}, x);
    in.stride[0] = 2;
    for (int repeat = 0; repeat < 3; ++repeat) {
      Call byDefault, given;
      REQUIRE(byDefault.tensor("X", in).tensor("Y", dense(EINFALL_F32, {5}, y)).run(f, pool) == EINFALL_OK);
      for (int p = 0; p < 5; ++p)
        CHECK(y[p] == 4.0f * float(p) + 0.5f);
      REQUIRE(given.tensor("X", in)
                  .tensor("Y", dense(EINFALL_F32, {5}, y))
                  .tensor("Z", dense(EINFALL_F32, {5}, z))
                  .number("s", 1)
                  .run(f, pool) == EINFALL_OK);
      for (int p = 0; p < 5; ++p)
        CHECK(y[p] == 2.0f * float(p) + 1);
    }
    einfall_pool_destroy(pool);
  }
}

TEST_CASE("out of memory and overflow are errors before the first write") {
  Scaled f;
  float x[5] = {}, y[5];
  auto run = [&] {
    Call call;
    einfall_status status =
        call.tensor("X", dense(EINFALL_F32, {5}, x)).tensor("Y", dense(EINFALL_F32, {5}, y)).run(f);
    CHECK(!ran);
    CHECK(call.error.find("out of memory") == 0);
    return status;
  };
  workspaceBytes = int64_t(1) << 60;
  CHECK(run() == EINFALL_OUT_OF_MEMORY);
  workspaceBytes = INT64_MAX;
  CHECK(run() == EINFALL_OUT_OF_MEMORY);
  workspaceBytes = -1;
  CHECK(run() == EINFALL_OUT_OF_MEMORY);
  workspaceBytes = 0;
  scratchBytes = INT64_MAX - 100;
  CHECK(run() == EINFALL_OUT_OF_MEMORY);
}

TEST_CASE("a description without code does not run") {
  Scaled f;
  f.Fixture::main = nullptr;
  float x[5] = {}, y[5];
  Call call;
  CHECK(call.tensor("X", dense(EINFALL_F32, {5}, x)).tensor("Y", dense(EINFALL_F32, {5}, y)).run(f) ==
        EINFALL_INTERNAL);
}

namespace {
int lastNibbles[3];
void readNibbles(const einfall_frame *frame) {
  for (int p = 0; p < 3; ++p) {
    const auto *row = (const unsigned char *)frame->data[0] + p * frame->stride[0][0] / 2;
    CHECK(frame->stride[0][1] == 1);
    lastNibbles[p] = row[2] & 15;
  }
}
void noSizes(const einfall_frame *, int64_t *) {}
} // namespace

TEST_CASE("an i4 input left out is a row of its default") {
  Fixture f;
  const unsigned char seven = 7;
  int p = f.rank("P", 3), e = f.rank("E", 5);
  f.tensor("X", EINFALL_INPUT, EINFALL_I4, {p, e}, {}, &seven);
  f.sizes = noSizes;
  f.main = readNibbles;
  Call call;
  REQUIRE(call.run(f) == EINFALL_OK);
  for (int n : lastNibbles)
    CHECK(n == 7);
}
