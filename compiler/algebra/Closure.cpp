//===- Closure.cpp - closing an expression under derivations ------------------------===//
#include "compiler/algebra/Closure.h"
#include "compiler/algebra/Linear.h"

namespace einfall::algebra {
namespace {

std::vector<Sym> termsOf(const Sym &e) {
  if (!e.is(Form::Add))
    return {e};
  std::vector<Sym> t = e.args();
  if (!e.number().isZero())
    t.push_back(Sym(e.number()));
  return t;
}

bool occurs(const Sym &part, const Sym &whole) {
  bool found = false;
  walk(whole, [&](const Sym &x) { found |= x == part; });
  return found;
}

/// The new basis element for a derivative `d` outside the span: terms already in
/// the span are dropped, factors of the row are dropped, and of x and -x the one
/// that `f` is written with is taken.
Sym newElement(const Sym &d, const std::vector<Sym> &basis, const AtomTest &varies) {
  std::vector<Sym> rest;
  for (const Sym &t : termsOf(d))
    if (!combination(t, basis, varies))
      rest.push_back(t);
  // Terms may be in the span only together; then all of d is the element.
  Sym e = rest.empty() ? d : add(rest);
  if (combination(e, basis, varies))
    e = d;
  e = pull(e, varies).inside;
  if (e.is(Form::Add)) {
    // 2v - 2g and v - g span the same.
    Sym lead = e.args()[0];
    if (lead.is(Form::Mul) && lead.number().exact())
      e = e * Sym(lead.number().inverse());
    if (!occurs(e, basis[0]) && occurs(-e, basis[0]))
      e = -e;
  }
  return e;
}

/// Functions of an anchor that have no derivative somewhere.
std::string notAnalytic(const Sym &f, const std::vector<Anchor> &anchors) {
  std::string reason;
  walk(f, [&](const Sym &x) {
    if (!reason.empty() || !x.is(Form::Call) || x.analytic())
      return;
    for (const Anchor &a : anchors)
      if (mentions(x, a.atom)) {
        reason = "'" + x.print() + "' is not analytic in '" + a.atom.name() + "'";
        return;
      }
  });
  return reason;
}

Result<Closure> close(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream, int limit) {
  AtomTest varies = [&](const Sym &atom) {
    for (const Anchor &a : anchors)
      if (a.atom == atom)
        return true;
    return isStream(atom);
  };
  Closure c{{f}, std::vector<Matrix>(anchors.size()), anchors};
  for (size_t next = 0; next < c.basis.size(); ++next)
    for (size_t k = 0; k < anchors.size(); ++k) {
      Sym d = derivation(c.basis[next], anchors[k]);
      auto row = combination(d, c.basis, varies);
      while (!row) {
        if (int(c.basis.size()) == limit)
          return {{}, "limit"};
        c.basis.push_back(newElement(d, c.basis, varies));
        row = combination(d, c.basis, varies);
      }
      c.A[k].push_back(std::move(*row));
    }
  for (Matrix &A : c.A)
    for (auto &row : A)
      row.resize(c.basis.size(), Sym(0));
  return {std::move(c), {}};
}

/// The innermost function of an anchor that does not close by itself.
std::string culprit(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream, int limit) {
  for (const Sym &a : f.args()) {
    std::string inner = culprit(a, anchors, isStream, limit);
    if (!inner.empty())
      return inner;
  }
  if (f.args().empty() || f.is(Form::Add) || f.is(Form::Mul))
    return {};
  for (const Anchor &a : anchors)
    if (mentions(f, a.atom) && !close(f, {a}, isStream, limit))
      return "the derivatives of '" + f.print() + "' in '" + a.atom.name() +
             "' do not close: the value at one '" + a.atom.name() + "' does not give the value at another";
  return {};
}

} // namespace

Sym derivation(const Sym &e, const Anchor &anchor) {
  Sym d = diff(e, anchor.atom);
  if (anchor.kind == AnchorKind::Shift)
    return d;
  if (!d.is(Form::Add))
    return anchor.atom * d;
  std::vector<Sym> terms;
  for (const Sym &t : termsOf(d))
    terms.push_back(anchor.atom * t);
  return add(terms);
}

Result<Closure> closure(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream,
                        int limit) {
  if (hasInfinity(f))
    return {{}, "'" + f.print() + "' has an infinite constant"};
  if (std::string reason = notAnalytic(f, anchors); !reason.empty())
    return {{}, reason};
  auto c = close(f, anchors, isStream, limit);
  if (c)
    return c;
  c.reason = culprit(f, anchors, isStream, limit);
  if (c.reason.empty()) {
    std::string names;
    for (const Anchor &a : anchors)
      if (mentions(f, a.atom))
        names += (names.empty() ? "'" : ", '") + a.atom.name() + "'";
    c.reason = "the derivatives of '" + f.print() + "' in " + names + " do not close within " +
               std::to_string(limit) + " accumulators";
  }
  return c;
}

Result<Closure> closureOfAnyKind(const Sym &f, const std::vector<Sym> &atoms, const AtomTest &isStream,
                                 int limit) {
  Result<Closure> best;
  std::string reason;
  // All assignments for a few anchors; beyond, each anchor is chosen alone.
  auto attempt = [&](const std::vector<Sym> &of, uint64_t bits) {
    std::vector<Anchor> anchors;
    for (size_t i = 0; i < of.size(); ++i)
      anchors.push_back({of[i], bits >> i & 1 ? AnchorKind::Scale : AnchorKind::Shift});
    auto c = closure(f, anchors, isStream, limit);
    for (size_t k = 0; c && k < anchors.size(); ++k) {
      Sym from = Sym::atom(-1, "from", anchors[k].atom.sign()),
          to = Sym::atom(-2, "to", anchors[k].atom.sign());
      if (auto M = transport(c->A[k], anchors[k].kind, from, to); !M)
        c = {{}, M.reason};
    }
    return c;
  };
  auto search = [&](const std::vector<Sym> &of) {
    Result<Closure> found;
    for (uint64_t bits = 0; bits < (uint64_t(1) << of.size()); ++bits) {
      auto c = attempt(of, bits);
      if (c && (!found || c->basis.size() < found->basis.size()))
        found = std::move(c);
      // The reason for the plain reading (all shifts, or scales where the anchor
      // only stands below a fraction bar) says most; keep the first.
      else if (!c && reason.empty())
        reason = c.reason;
    }
    return found;
  };
  if (atoms.size() <= 4) {
    best = search(atoms);
  } else {
    uint64_t bits = 0;
    bool all = true;
    for (size_t i = 0; i < atoms.size() && all; ++i) {
      auto one = search({atoms[i]});
      all = bool(one);
      if (one && one->anchors[0].kind == AnchorKind::Scale)
        bits |= uint64_t(1) << i;
    }
    if (all) {
      best = attempt(atoms, bits);
      if (!best)
        reason = best.reason;
    }
  }
  if (!best)
    best.reason = reason;
  return best;
}

} // namespace einfall::algebra
