//===- ExprText.h - scalar expressions as self-contained text ---------------===//
//
// The `ein` and `tile` dialects carry scalar expressions as attributes. Their
// text is close to `.ein` text but needs no tables beside it: what the frontend
// inferred is written out, so that text -> tree -> text is the identity.
//
//   @scale * Q[b, (j, g) of H.J.G, p, e] * K[b, j, m, e]
//   sum?[m where m <= p] N[p, m]        // `?`: the points that exist (ein-r17)
//   top[n at n.1; 3] R[t, n]            // bound n, taken at coordinate n.1
//   if x[] < 1.0 then len[b]:i else 0   // `:i`: an integer tensor is read
//
//   @s        scalar argument            |M|       extent of a rank
//   T[..]     tensor read                (..) of S tuple of split S
//   float(x)  implicit integer-to-float  x:f :i :b kind, where not implied
//
// Names are only labels: a parsed tree numbers them in order of first use and
// returns the tables. Where there are no names, ids are written `#3`.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Expr.h"
#include <string>
#include <string_view>
#include <vector>

namespace einfall::ein::ir {

/// What the ids of an expression are called; one table for each kind of id.
struct Names {
  std::vector<std::string> vars, ranks, tensors, scalars, splits;
  bool operator==(const Names &) const = default;
};

/// The text of `e`. Without `names`, or past the end of a table, ids are `#id`.
std::string printExpr(const ExprRef &e, const Names *names = nullptr);

/// The tree of a text, or null and a message in `error`. Names become indices
/// into `names`, which is extended by those not yet in it; `#3` is the id 3.
ExprRef parseExpr(std::string_view text, Names &names, std::string &error);

/// `e` with every id replaced by the index of its name in `to`. Returns null
/// and the offending name in `missing` when there is no such name. Ids without
/// a name in `from` are kept.
ExprRef rename(const ExprRef &e, const Names &from, const Names &to, std::string &missing);

} // namespace einfall::ein::ir
