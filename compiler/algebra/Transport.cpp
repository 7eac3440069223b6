//===- Transport.cpp - the matrix exponential that moves an anchor -------------------===//
//
// expm(A * delta) is found block by block, blocks being connected components of
// A's pattern. With c the common diagonal of a block and N = A - c * I:
//
//   N^k = 0        expm = e^(c delta) * (I + N delta + .. + (N delta)^(k-1) / (k-1)!)
//   N^2 = w^2 I    expm = e^(c delta) * (I cosh(w delta) + N sinh(w delta) / w)
//   N^2 = -w^2 I   the same with cos and sin: a rotation
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Closure.h"
#include <numeric>

namespace einfall::algebra {
namespace {

std::vector<std::vector<size_t>> components(const Matrix &A) {
  std::vector<size_t> root(A.size());
  std::iota(root.begin(), root.end(), size_t(0));
  auto find = [&](size_t i) {
    while (root[i] != i)
      i = root[i];
    return i;
  };
  for (size_t i = 0; i < A.size(); ++i)
    for (size_t j = 0; j < A.size(); ++j)
      if (!A[i][j].isNumber(0))
        root[find(j)] = find(i);
  std::vector<std::vector<size_t>> groups(A.size());
  for (size_t i = 0; i < A.size(); ++i)
    groups[find(i)].push_back(i);
  std::erase_if(groups, [](auto &g) { return g.empty(); });
  return groups;
}

Matrix scaled(const Matrix &x, const Sym &k) {
  Matrix r = x;
  for (auto &row : r)
    for (Sym &e : row)
      e = e * k;
  return r;
}

Matrix sum(const Matrix &x, const Matrix &y) {
  Matrix r = x;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j)
      r[i][j] = x[i][j] + y[i][j];
  return r;
}

bool isZeroMatrix(const Matrix &x) {
  for (auto &row : x)
    for (const Sym &e : row)
      if (!isZero(e))
        return false;
  return true;
}

/// x = lambda * I, or nothing.
std::optional<Sym> asMultipleOfIdentity(const Matrix &x) {
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j)
      if (!isZero(i == j ? x[i][i] - x[0][0] : x[i][j]))
        return std::nullopt;
  return x[0][0];
}

Result<Matrix> exponential(const Matrix &A, AnchorKind kind, const Sym &from, const Sym &to) {
  const size_t n = A.size();
  const Sym delta = kind == AnchorKind::Shift ? to - from : log(to / from);
  auto grow = [&](const Sym &c) {
    if (kind == AnchorKind::Shift)
      return exp(c * delta);
    return c.is(Form::Number) ? pow(to / from, c.number()) : exp(c * delta);
  };
  Sym trace;
  for (size_t i = 0; i < n; ++i)
    trace = trace + A[i][i];
  const Sym c = expand(trace * Sym(Number::ratio(1, int64_t(n))));
  Matrix N = sum(A, scaled(identityMatrix(n), -c));

  Matrix power = N, series = identityMatrix(n);
  Sym coefficient = 1;
  for (size_t k = 1; k <= n; ++k) {
    if (isZeroMatrix(power))
      return {scaled(series, grow(c)), {}};
    coefficient = coefficient * delta * Sym(Number::ratio(1, int64_t(k)));
    series = sum(series, scaled(power, coefficient));
    power = multiply(power, N);
  }
  if (auto square = asMultipleOfIdentity(multiply(N, N)); square && isNonZero(*square)) {
    Sym even, odd, half(Number::ratio(1, 2));
    if ((-*square).isPositive()) {
      Sym w = pow(-*square, Number::ratio(1, 2));
      even = call("cos", {w * delta});
      odd = call("sin", {w * delta}) / w;
    } else if (square->isPositive()) {
      Sym w = pow(*square, Number::ratio(1, 2)), up = grow(w), down = grow(-w);
      even = half * (up + down);
      odd = half * (up - down) / w;
    } else {
      return {{}, "the sign of '" + square->print() + "' is not known"};
    }
    return {scaled(sum(scaled(identityMatrix(n), even), scaled(N, odd)), grow(c)), {}};
  }
  return {{}, "the transport matrix has several rates in one block"};
}

} // namespace

Matrix identityMatrix(size_t n) {
  Matrix I(n, std::vector<Sym>(n, Sym(0)));
  for (size_t i = 0; i < n; ++i)
    I[i][i] = Sym(1);
  return I;
}

Matrix multiply(const Matrix &x, const Matrix &y) {
  const size_t n = x.size();
  Matrix r(n, std::vector<Sym>(n, Sym(0)));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      std::vector<Sym> terms;
      for (size_t k = 0; k < n; ++k)
        if (!x[i][k].isNumber(0) && !y[k][j].isNumber(0))
          terms.push_back(x[i][k] * y[k][j]);
      r[i][j] = add(terms);
    }
  return r;
}

Result<Matrix> transport(const Matrix &A, AnchorKind kind, const Sym &from, const Sym &to) {
  Matrix M = identityMatrix(A.size());
  for (const auto &group : components(A)) {
    Matrix block(group.size(), std::vector<Sym>(group.size()));
    for (size_t i = 0; i < group.size(); ++i)
      for (size_t j = 0; j < group.size(); ++j)
        block[i][j] = A[group[i]][group[j]];
    auto e = exponential(block, kind, from, to);
    if (!e)
      return e;
    for (size_t i = 0; i < group.size(); ++i)
      for (size_t j = 0; j < group.size(); ++j)
        M[group[i]][group[j]] = (*e)[i][j];
  }
  return {std::move(M), {}};
}

} // namespace einfall::algebra
