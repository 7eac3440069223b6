//===- Extents.cpp - every source of an extent, and every conflict ---------------===//
#include "Fixture.h"
#include <catch2/catch.hpp>

using F = Fixture;

TEST_CASE("extents come from shapes and must agree") {
  Fixture f;
  int m = f.rank("M"), e = f.rank("E");
  f.tensor("K", EINFALL_INPUT, EINFALL_F32, {m, e});
  f.tensor("V", EINFALL_INPUT, EINFALL_F32, {m, e});
  Call good, bad;
  REQUIRE(good.tensor("K", dense(EINFALL_F32, {7, 3})).tensor("V", dense(EINFALL_F32, {7, 3})).bind(f) ==
          EINFALL_OK);
  CHECK(good.binding.extent[m] == 7);
  CHECK(good.binding.extent[e] == 3);
  CHECK(good.error.empty());
  REQUIRE(bad.tensor("K", dense(EINFALL_F32, {1024, 3})).tensor("V", dense(EINFALL_F32, {1000, 3})).bind(f) ==
          EINFALL_BAD_ARGUMENT);
  CHECK(bad.error == "rank M: 1024 in 'K', 1000 in 'V' [ein-c1]");
}

TEST_CASE("fixed extents bind the shapes") {
  Fixture f;
  int e = f.rank("E", 64);
  f.tensor("Q", EINFALL_INPUT, EINFALL_F32, {e});
  Call bad;
  REQUIRE(bad.tensor("Q", dense(EINFALL_F32, {32})).bind(f) == EINFALL_BAD_ARGUMENT);
  CHECK(bad.error == "rank E: 64 fixed at compile time, 32 in 'Q' [ein-c1]");
}

TEST_CASE("a header tensor may have one point more than its rank") {
  Fixture f;
  int b = f.rank("B");
  f.tensor("ptr", EINFALL_INPUT, EINFALL_INDEX, {b}, {1});
  f.tensor("Q", EINFALL_INPUT, EINFALL_F32, {b});
  Call good, bad, empty;
  REQUIRE(good.tensor("ptr", dense(EINFALL_I64, {5})).tensor("Q", dense(EINFALL_F32, {4})).bind(f) ==
          EINFALL_OK);
  CHECK(good.binding.extent[b] == 4);
  REQUIRE(bad.tensor("ptr", dense(EINFALL_I64, {4})).tensor("Q", dense(EINFALL_F32, {4})).bind(f) !=
          EINFALL_OK);
  CHECK(bad.error == "rank B: 3 in 'ptr', 4 in 'Q' [ein-c1]");
  REQUIRE(empty.tensor("ptr", dense(EINFALL_I64, {0})).tensor("Q", dense(EINFALL_F32, {4})).bind(f) !=
          EINFALL_OK);
  CHECK(empty.error == "rank B + 1 of 'ptr' needs at least 1 points, 0 given [ein-c1]");
}

TEST_CASE("definitions over other extents and scalars") {
  Fixture f;
  int np = f.rank("NP"), c = f.rank("C");
  int m = f.rank("M", -1, {F::extent(np), F::extent(c), F::op(EINFALL_OP_MUL)});
  int w = f.rank("W", -1, {F::scalarOf(0), F::integer(1), F::op(EINFALL_OP_SUB)});
  f.tensor("page", EINFALL_INPUT, EINFALL_INDEX, {np});
  f.tensor("KQ", EINFALL_INPUT, EINFALL_I8, {c});
  f.tensor("bias", EINFALL_INPUT, EINFALL_F32, {m}, {}, "\0\0\0");
  f.scalar("w", EINFALL_INDEX);
  Call good, bad, negative, huge;
  REQUIRE(good.tensor("page", dense(EINFALL_I64, {3}))
              .tensor("KQ", dense(EINFALL_I8, {16}))
              .integer("w", 5)
              .bind(f) == EINFALL_OK);
  CHECK(good.binding.extent[m] == 48);
  CHECK(good.binding.extent[w] == 4);
  REQUIRE(bad.tensor("page", dense(EINFALL_I64, {3}))
              .tensor("KQ", dense(EINFALL_I8, {16}))
              .tensor("bias", dense(EINFALL_F32, {40}))
              .integer("w", 5)
              .bind(f) != EINFALL_OK);
  CHECK(bad.error == "rank M: 40 in 'bias', 48 by its definition [ein-c1]");
  REQUIRE(negative.tensor("page", dense(EINFALL_I64, {3}))
              .tensor("KQ", dense(EINFALL_I8, {16}))
              .integer("w", 0)
              .bind(f) != EINFALL_OK);
  CHECK(negative.error == "rank W: its definition gives -1, an extent cannot be negative [ein-c1]");
  REQUIRE(huge.tensor("page", dense(EINFALL_I64, {int64_t(1) << 40}))
              .tensor("KQ", dense(EINFALL_I8, {int64_t(1) << 40}))
              .integer("w", 1)
              .bind(f) != EINFALL_OK);
  CHECK(huge.error == "rank M: its definition exceeds 64 bits [ein-c1]");
}

TEST_CASE("a division by 0 in a definition") {
  Fixture f;
  int a = f.rank("A"), c = f.rank("C");
  f.rank("N", -1, {F::extent(a), F::extent(c), F::op(EINFALL_OP_IDIV)});
  f.tensor("X", EINFALL_INPUT, EINFALL_F32, {a, c});
  Call bad;
  REQUIRE(bad.tensor("X", dense(EINFALL_F32, {4, 0})).bind(f) != EINFALL_OK);
  CHECK(bad.error == "rank N: its definition divides by 0 [ein-c1]");
}

TEST_CASE("defaults lose against arguments") {
  Fixture f;
  int t = f.rank("T"), n = f.rank("N"), c = f.rank("C", -1, {F::integer(64)}, true);
  f.split(t, {n, c});
  f.tensor("K", EINFALL_INPUT, EINFALL_F32, {t});
  f.tensor("Blk", EINFALL_INPUT, EINFALL_F32, {c}, {}, "\0\0\0");
  Call byDefault, byArgument;
  REQUIRE(byDefault.tensor("K", dense(EINFALL_F32, {100})).bind(f) == EINFALL_OK);
  CHECK(byDefault.binding.extent[c] == 64);
  CHECK(byDefault.binding.extent[n] == 2);
  REQUIRE(byArgument.tensor("K", dense(EINFALL_F32, {100})).tensor("Blk", dense(EINFALL_F32, {10})).bind(f) ==
          EINFALL_OK);
  CHECK(byArgument.binding.extent[c] == 10);
  CHECK(byArgument.binding.extent[n] == 10);
}

TEST_CASE("splits: whole, first part, other part") {
  Fixture f;
  int h = f.rank("H"), j = f.rank("J"), g = f.rank("G");
  f.split(h, {j, g});
  const char zero[4] = {};
  f.tensor("Q", EINFALL_INPUT, EINFALL_F32, {h}, {}, zero);
  f.tensor("K", EINFALL_INPUT, EINFALL_F32, {j}, {}, zero);
  f.tensor("W", EINFALL_INPUT, EINFALL_F32, {g}, {}, zero);
  auto bind = [&](int64_t q, int64_t k, int64_t w) {
    Call call;
    if (q >= 0)
      call.tensor("Q", dense(EINFALL_F32, {q}));
    if (k >= 0)
      call.tensor("K", dense(EINFALL_F32, {k}));
    if (w >= 0)
      call.tensor("W", dense(EINFALL_F32, {w}));
    call.bind(f);
    return call;
  };
  CHECK(bind(8, 2, -1).binding.extent[g] == 4);
  CHECK(bind(-1, 2, 3).binding.extent[h] == 6);
  CHECK(bind(7, -1, 3).binding.extent[j] == 3); // the first part is rounded up
  CHECK(bind(7, 3, 3).error == "");             // the last block is short
  CHECK(bind(0, -1, 3).binding.extent[j] == 0);
  CHECK(bind(0, 0, -1).binding.extent[g] == 0);
  CHECK(bind(0, -1, 0).binding.extent[j] == 0);
  CHECK(bind(6, 4, -1).error == "|H| = 6 is no multiple of |J| = 4 [ein-c1]");
  CHECK(bind(6, 0, -1).error == "|H| = 6 is no multiple of |J| = 0 [ein-c1]");
  CHECK(bind(6, 3, 3).error ==
        "rank H: 6 in 'Q', but |J| is 3 in 'K' and |G| = 3: 2 blocks are needed [ein-c1]");
  CHECK(bind(10, 3, 3).error ==
        "rank H: 10 in 'Q', but |J| is 3 in 'K' and |G| = 3: 4 blocks are needed [ein-c1]");
  CHECK(bind(6, -1, -1).error.find("rank J has no extent") == 0);
  CHECK(bind(-1, int64_t(1) << 40, int64_t(1) << 40).error ==
        "split H = (J, G): the product of its parts exceeds 64 bits [ein-c1]");
}

TEST_CASE("splits in three parts, and of parts") {
  Fixture f;
  int t = f.rank("T"), a = f.rank("A"), b = f.rank("B", 4), c = f.rank("C", 5), d = f.rank("D"),
      e = f.rank("E", 2);
  f.split(t, {a, b, c});
  f.split(a, {d, e});
  f.tensor("X", EINFALL_INPUT, EINFALL_F32, {t});
  Call call;
  REQUIRE(call.tensor("X", dense(EINFALL_F32, {101})).bind(f) == EINFALL_OK);
  CHECK(call.binding.extent[a] == 6);
  CHECK(call.binding.extent[d] == 3);
}

TEST_CASE("scalars' defaults may need extents, and extents scalars") {
  Fixture f;
  int e = f.rank("E");
  int s = f.scalar("scale", EINFALL_F32,
                   {F::number(1), F::extent(e), F::op(EINFALL_OP_FLOAT_OF), F::op(EINFALL_OP_CALL, 8),
                    F::op(EINFALL_OP_DIV)});
  int w = f.scalar("w", EINFALL_INDEX, {F::extent(e), F::integer(2), F::op(EINFALL_OP_IDIV)});
  int wr = f.rank("W", -1, {F::scalarOf(w)});
  f.tensor("Q", EINFALL_INPUT, EINFALL_F32, {e});
  Call call;
  REQUIRE(call.tensor("Q", dense(EINFALL_F32, {48})).bind(f) == EINFALL_OK);
  CHECK(call.binding.fscalar[s] == double(float(1 / 6.928203230275509)));
  CHECK(call.binding.iscalar[w] == 24);
  CHECK(call.binding.extent[wr] == 24);
}

TEST_CASE("outputs must have the shape that the inputs say") {
  Fixture f;
  int p = f.rank("P");
  f.tensor("X", EINFALL_INPUT, EINFALL_F32, {p});
  f.tensor("Y", EINFALL_OUTPUT, EINFALL_F32, {p});
  Call bad, missing;
  REQUIRE(bad.tensor("X", dense(EINFALL_F32, {4}))
              .tensor("Y", dense(EINFALL_F32, {5}, someMemory(1)))
              .bind(f, true) != EINFALL_OK);
  CHECK(bad.error == "rank P: 4 in 'X', 5 in 'Y' [ein-c1]");
  REQUIRE(missing.tensor("X", dense(EINFALL_F32, {4})).bind(f, true) != EINFALL_OK);
  CHECK(missing.error == "output 'Y' is missing: Y[P] : f32 [ein-c1]");
}
