//===- Linear.cpp - monomials over a field of row expressions; elimination ----------===//
#include "compiler/algebra/Linear.h"
#include <cmath>
#include <numeric>
#include <random>
#include <unordered_map>

namespace einfall::algebra {
namespace {

std::vector<Sym> factorsOf(const Sym &e) { return e.is(Form::Mul) ? e.args() : std::vector<Sym>{e}; }

/// One expanded term, as (coefficient, monomial).
std::pair<Sym, Sym> splitTerm(const Sym &t, const AtomTest &varies) {
  std::vector<Sym> fixed, moving;
  if (t.is(Form::Mul))
    fixed.push_back(Sym(t.number()));
  for (const Sym &f : factorsOf(t)) {
    if (!mentions(f, varies)) {
      fixed.push_back(f);
    } else if (f.is(Form::Exp) && f.args()[0].is(Form::Add)) {
      // exp(s - x - g), x of the row: exp(-x) belongs to the coefficient.
      const Sym &sum = f.args()[0];
      std::vector<Sym> still{Sym(sum.number())}, flow;
      for (const Sym &a : sum.args())
        (mentions(a, varies) ? flow : still).push_back(a);
      fixed.push_back(exp(add(still)));
      moving.push_back(exp(add(flow)));
    } else {
      moving.push_back(f);
    }
  }
  return {mul(fixed), mul(moving)};
}

/// Numbers tell quickly that `d` is no combination: with the row fixed, and the
/// varying atoms at random, a least-squares fit leaves a residue. Without one, or
/// where something is not finite, the question stays open.
bool surelyIndependent(const Sym &d, const std::vector<Sym> &basis, const AtomTest &varies) {
  const size_t n = basis.size(), points = n + 4;
  std::mt19937_64 random(4711);
  std::uniform_real_distribution<double> any(0.2, 2.4);
  std::unordered_map<Sym, double> row;
  std::vector<std::vector<double>> columns(n + 1, std::vector<double>(points));
  for (size_t p = 0; p < points; ++p) {
    std::unordered_map<Sym, double> here;
    auto at = [&](const Sym &a) {
      auto [it, isNew] = (varies(a) ? here : row).emplace(a, 0);
      if (isNew)
        it->second = any(random);
      return it->second;
    };
    for (size_t i = 0; i <= n; ++i) {
      columns[i][p] = evaluate(i < n ? basis[i] : d, at);
      if (!std::isfinite(columns[i][p]))
        return false;
    }
  }
  // Gram-Schmidt, twice for accuracy; what is left of the last column is the residue.
  auto dot = [&](const std::vector<double> &x, const std::vector<double> &y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  const double size = std::sqrt(dot(columns[n], columns[n]));
  for (size_t i = 0; i <= n; ++i) {
    double before = std::sqrt(dot(columns[i], columns[i]));
    for (int twice = 0; twice < 2; ++twice)
      for (size_t j = 0; j < i; ++j) {
        double k = dot(columns[i], columns[j]);
        for (size_t p = 0; p < points; ++p)
          columns[i][p] -= k * columns[j][p];
      }
    double left = std::sqrt(dot(columns[i], columns[i]));
    if (i == n)
      return left > 1e-6 * size;
    for (double &x : columns[i])
      x = left > 1e-12 * before ? x / left : 0;
  }
  return false;
}

/// Row expressions grow during elimination; a shorter form of a quotient is
/// its expanded numerator where nothing is left below.
Sym tidy(const Sym &e) {
  if (e.is(Form::Number))
    return e;
  if (isZero(e))
    return Sym(0);
  Sym x = expand(e);
  return x.is(Form::Number) ? x : e;
}

} // namespace

std::map<Sym, Sym> monomials(const Sym &e, const AtomTest &varies) {
  std::map<Sym, std::vector<Sym>> parts;
  Sym x = expand(e);
  auto take = [&](const Sym &t) {
    auto [c, m] = splitTerm(t, varies);
    parts[m].push_back(c);
  };
  if (x.is(Form::Add)) {
    for (const Sym &t : x.args())
      take(t);
    if (!x.number().isZero())
      take(Sym(x.number()));
  } else if (!x.isNumber(0)) {
    take(x);
  }
  std::map<Sym, Sym> out;
  for (auto &[m, cs] : parts)
    out.emplace(m, add(cs));
  return out;
}

Pulled pull(const Sym &e, const AtomTest &varies) {
  std::vector<Sym> outside, inside;
  if (e.is(Form::Mul))
    outside.push_back(Sym(e.number()));
  for (const Sym &f : factorsOf(e))
    (mentions(f, varies) ? inside : outside).push_back(f);
  return {mul(outside), mul(inside)};
}

std::optional<std::vector<Sym>> combination(const Sym &d, const std::vector<Sym> &basis,
                                            const AtomTest &varies) {
  if (surelyIndependent(d, basis, varies))
    return std::nullopt;
  if (isZero(d))
    return std::vector<Sym>(basis.size(), Sym(0));
  std::vector<Sym> all = basis;
  all.push_back(d);
  all = overCommonDenominator(all);

  // One equation a monomial: sum_i c_i * rows[m][i] = rows[m].back().
  const size_t n = basis.size();
  std::map<Sym, std::vector<Sym>> table;
  for (size_t i = 0; i <= n; ++i)
    for (auto &[m, c] : monomials(all[i], varies))
      table.emplace(m, std::vector<Sym>(n + 1)).first->second[i] = c;
  std::vector<std::vector<Sym>> rows;
  for (auto &[m, row] : table)
    rows.push_back(row);

  // Gauss-Jordan; numbers are preferred as pivots, a pivot is certainly not 0.
  std::vector<int> pivotRow(n, -1);
  size_t used = 0;
  for (size_t col = 0; col < n; ++col) {
    size_t best = rows.size();
    for (size_t r = used; r < rows.size(); ++r) {
      if (isZero(rows[r][col]) || !isNonZero(rows[r][col]))
        continue;
      if (best == rows.size() || (rows[r][col].is(Form::Number) && !rows[best][col].is(Form::Number)))
        best = r;
    }
    if (best == rows.size())
      continue;
    std::swap(rows[used], rows[best]);
    Sym inverse = 1 / rows[used][col];
    for (Sym &x : rows[used])
      x = tidy(x * inverse);
    for (size_t r = 0; r < rows.size(); ++r) {
      if (r == used || rows[r][col].isNumber(0))
        continue;
      Sym k = rows[r][col];
      for (size_t i = 0; i <= n; ++i)
        if (!rows[used][i].isNumber(0))
          rows[r][i] = tidy(rows[r][i] - k * rows[used][i]);
      rows[r][col] = Sym(0);
    }
    pivotRow[col] = int(used++);
  }
  for (size_t r = used; r < rows.size(); ++r)
    if (!isZero(rows[r][n]))
      return std::nullopt;

  std::vector<Sym> c(n), terms{-d};
  for (size_t i = 0; i < n; ++i) {
    if (pivotRow[i] >= 0)
      c[i] = rows[pivotRow[i]][n];
    terms.push_back(c[i] * basis[i]);
  }
  if (!isZero(add(terms)))
    return std::nullopt;
  return c;
}

} // namespace einfall::algebra
