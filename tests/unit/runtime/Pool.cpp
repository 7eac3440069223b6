//===- Pool.cpp - every task once, nested and concurrent --------------------------===//
#include "Fixture.h"
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace {
struct Counts {
  std::vector<std::atomic<int>> hits;
  std::vector<std::atomic<int>> inside; ///< tasks running now, by thread number
  std::atomic<bool> clash{false};
  Counts(int64_t tasks, int threads) : hits(tasks), inside(threads) {}
};

void countTask(const einfall_frame *, void *environment, int64_t task, int64_t thread) {
  auto *counts = static_cast<Counts *>(environment);
  if (counts->inside[thread].fetch_add(1) != 0)
    counts->clash = true;
  counts->hits[task].fetch_add(1);
  counts->inside[thread].fetch_sub(1);
}

void check(Counts &counts) {
  CHECK(!counts.clash);
  for (auto &h : counts.hits)
    REQUIRE(h == 1);
}

einfall_frame frameOf(einfall_pool *pool) {
  einfall_frame frame{};
  frame.pool = pool;
  frame.thread_count = einfall_pool_threads(pool);
  return frame;
}
} // namespace

TEST_CASE("each task runs once") {
  for (int threads : {1, 2, 5}) {
    einfall_pool *pool = einfall_pool_create(threads);
    REQUIRE(pool);
    CHECK(einfall_pool_threads(pool) == threads);
    for (int64_t count : {0, 1, 2, 3, 1000}) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        Counts counts(count, threads);
        einfall_frame frame = frameOf(pool);
        einfall_parallel(&frame, countTask, &counts, count);
        check(counts);
      }
    }
    einfall_pool_destroy(pool);
  }
}

TEST_CASE("without a pool the caller runs everything") {
  Counts counts(10, 1);
  einfall_frame frame = frameOf(nullptr);
  einfall_parallel(&frame, countTask, &counts, 10);
  check(counts);
  einfall_pool_destroy(nullptr);
}

TEST_CASE("default pool has a thread for each core") {
  einfall_pool *pool = einfall_pool_create(0);
  CHECK(einfall_pool_threads(pool) >= 1);
  einfall_pool_destroy(pool);
}

TEST_CASE("concurrent calls on one pool") {
  einfall_pool *pool = einfall_pool_create(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int k = 0; k < 4; ++k)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        Counts counts(97, 3);
        einfall_frame frame = frameOf(pool);
        einfall_parallel(&frame, countTask, &counts, 97);
        for (auto &h : counts.hits)
          wrong += h != 1;
        wrong += counts.clash;
      }
    });
  for (std::thread &t : callers)
    t.join();
  CHECK(wrong == 0);
  einfall_pool_destroy(pool);
}

namespace {
void outerTask(const einfall_frame *frame, void *environment, int64_t, int64_t) {
  Counts counts(13, int(frame->thread_count));
  einfall_parallel(frame, countTask, &counts, 13);
  bool good = !counts.clash;
  for (auto &h : counts.hits)
    good &= h == 1;
  static_cast<std::atomic<int> *>(environment)->fetch_add(good);
}
} // namespace

TEST_CASE("nested calls") {
  einfall_pool *pool = einfall_pool_create(4);
  einfall_frame frame = frameOf(pool);
  std::atomic<int> good{0};
  einfall_parallel(&frame, outerTask, &good, 40);
  CHECK(good == 40);
  einfall_pool_destroy(pool);
}
