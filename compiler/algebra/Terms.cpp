//===- Terms.cpp - signatures, splitting, maxima, free anchors --------------------===//
#include "compiler/algebra/Terms.h"
#include "compiler/algebra/Linear.h"

namespace einfall::algebra {
namespace {

/// Anchor index -> exponent (Scale) or rate (Shift). `known` is false where the
/// dependence has no such form as a whole.
struct Signature {
  bool known = true;
  std::map<size_t, Sym> rates;
  bool operator==(const Signature &b) const { return known && b.known && rates == b.rates; }
};

class Signatures {
public:
  Signatures(const std::vector<Anchor> &anchors, const AtomTest &isStream)
      : anchors(anchors), isStream(isStream) {}

  bool anchored(const Sym &e) const {
    return mentions(e, [&](const Sym &a) { return indexOf(a) >= 0; });
  }

  Signature of(const Sym &e) const {
    Signature s;
    if (!anchored(e))
      return s;
    switch (e.form()) {
    case Form::Number:
      return s;
    case Form::Atom:
      if (int i = indexOf(e); i >= 0 && anchors[i].kind == AnchorKind::Scale)
        s.rates[i] = Sym(1);
      return s;
    case Form::Add: {
      s = of(e.args()[0]);
      for (const Sym &t : e.args())
        if (!(of(t) == s))
          s.known = false;
      if (!e.number().isZero() && !s.rates.empty())
        s.known = false;
      return s;
    }
    case Form::Mul:
      for (const Sym &f : e.args())
        accumulate(s, of(f), Sym(1));
      return s;
    case Form::Pow: {
      // A polynomial in a Shift anchor is no polynomial under a root or a bar.
      bool whole = e.number().isInteger() && e.number().sign() > 0;
      accumulate(s, of(e.args()[0]), Sym(e.number()));
      if (!whole && (e.args()[0].is(Form::Add) || mentions(e, [&](const Sym &a) {
                       int i = indexOf(a);
                       return i >= 0 && anchors[i].kind == AnchorKind::Shift;
                     })))
        s.known = false;
      return s;
    }
    case Form::Exp:
      return ofExp(e.args()[0]);
    case Form::Log: // log(g) of a Scale anchor is a polynomial in the shift of log g
      s.known = e.args()[0].is(Form::Atom);
      return s;
    case Form::Call:
      s.known = false;
      return s;
    }
    return s;
  }

private:
  int indexOf(const Sym &atom) const {
    for (size_t i = 0; i < anchors.size(); ++i)
      if (anchors[i].atom == atom)
        return int(i);
    return -1;
  }

  static void accumulate(Signature &s, const Signature &part, const Sym &times) {
    s.known &= part.known;
    for (auto &[i, rate] : part.rates) {
      Sym r = s.rates.count(i) ? s.rates[i] + rate * times : rate * times;
      if (r.isNumber(0))
        s.rates.erase(i);
      else
        s.rates[i] = r;
    }
  }

  Signature ofExp(const Sym &exponent) const {
    Signature s;
    for (size_t i = 0; i < anchors.size(); ++i) {
      if (!mentions(exponent, anchors[i].atom))
        continue;
      Sym rate = derivation(exponent, anchors[i]);
      if (anchored(rate) || mentions(rate, isStream))
        s.known = false;
      else
        s.rates[i] = rate;
    }
    return s;
  }

  const std::vector<Anchor> &anchors;
  const AtomTest &isStream;
};

std::vector<Sym> termsOf(const Sym &e) {
  if (!e.is(Form::Add))
    return {e};
  std::vector<Sym> t = e.args();
  if (!e.number().isZero())
    t.push_back(Sym(e.number()));
  return t;
}

class Splitter {
public:
  Splitter(const Signatures &signatures) : signatures(signatures) {}

  void run(const Sym &e) {
    if (groups.size() > 64)
      return put(e);
    if (signatures.of(e).known)
      return put(e);
    if (e.is(Form::Add)) {
      for (const Sym &t : termsOf(e))
        run(t);
      return;
    }
    // Distribute over the first sum (or square of one) whose summands disagree.
    std::vector<Sym> factors = e.is(Form::Mul) ? e.args() : std::vector<Sym>{e};
    for (size_t i = 0; i < factors.size(); ++i) {
      const Sym &f = factors[i];
      bool power = f.is(Form::Pow) && f.args()[0].is(Form::Add) && f.number().isInteger() &&
                   f.number().sign() > 0 && f.number().num() <= 4;
      if ((!f.is(Form::Add) && !power) || signatures.of(f).known)
        continue;
      Sym sum = power ? f.args()[0] : f;
      if (signatures.of(sum).known)
        continue;
      factors[i] = power ? pow(sum, f.number() - Number(1)) : Sym(1);
      if (e.is(Form::Mul))
        factors.push_back(Sym(e.number()));
      Sym rest = mul(factors);
      for (const Sym &t : termsOf(sum))
        run(rest * t);
      return;
    }
    put(e);
  }

  /// Terms of one signature, added up.
  std::vector<std::pair<Signature, std::vector<Sym>>> groups;

private:
  void put(const Sym &e) {
    Signature s = signatures.of(e);
    for (auto &[signature, terms] : groups)
      if (signature == s)
        return terms.push_back(e);
    groups.push_back({s, {e}});
  }
  const Signatures &signatures;
};

} // namespace

std::vector<Term> splitTerms(const Sym &f, const std::vector<Anchor> &anchors, const AtomTest &isStream) {
  Signatures signatures(anchors, isStream);
  Splitter splitter(signatures);
  splitter.run(f);
  std::vector<Term> out;
  for (auto &[signature, terms] : splitter.groups) {
    Pulled p = pull(add(terms), isStream);
    if (p.outside.isNumber(0))
      continue;
    bool merged = false;
    for (Term &t : out)
      if (t.body == p.inside) {
        t.row = t.row + p.outside;
        merged = true;
      }
    if (!merged)
      out.push_back({p.outside, p.inside});
  }
  return out;
}

Result<MaxTransport> shiftOfMax(const Sym &f, const Sym &anchor, const Sym &from, const Sym &to,
                                const AtomTest &isStream) {
  Sym before = substitute(f, anchor, from), after = substitute(f, anchor, to);
  Sym shift = expand(after - before);
  if (!mentions(shift, isStream))
    return {MaxTransport{false, shift}, {}};
  Sym factor = after / before;
  if (!mentions(factor, isStream)) {
    if (factor.isPositive())
      return {MaxTransport{true, factor}, {}};
    return {{}, "the sign of '" + factor.print() + "' is not known, and with it the order of the maximum"};
  }
  return {{},
          "'" + f.print() + "' moves with '" + anchor.name() + "' by different amounts at different points"};
}

Sym totalDerivation(const Sym &out, const Anchor &anchor, const std::vector<Follows> &follows) {
  std::vector<Sym> terms{derivation(out, anchor)};
  for (const Follows &f : follows)
    for (size_t i = 0; i < f.accumulators.size(); ++i) {
      Sym partial = diff(out, f.accumulators[i]);
      if (partial.isNumber(0))
        continue;
      for (size_t j = 0; j < f.accumulators.size(); ++j)
        if (!f.A[i][j].isNumber(0))
          terms.push_back(partial * f.A[i][j] * f.accumulators[j]);
    }
  return add(terms);
}

namespace {

/// isZero of the total derivation; calls that are not analytic are looked into:
/// relu(N/D) does not change when N/D does not.
bool unmoved(const Sym &e, const Anchor &anchor, const std::vector<Follows> &follows) {
  if (isZero(totalDerivation(e, anchor, follows)))
    return true;
  // Replace calls whose operands do not move by constants and ask again.
  bool changed = false;
  int next = -1000;
  std::map<Sym, Sym> constants;
  auto go = [&](auto &self, const Sym &x) -> Sym {
    if (x.is(Form::Call) && !x.analytic() && !x.args().empty()) {
      bool still = true;
      for (const Sym &a : x.args())
        still &= unmoved(a, anchor, follows);
      if (still) {
        changed = true;
        return constants.try_emplace(x, Sym::atom(next--, "unmoved")).first->second;
      }
      return x;
    }
    std::vector<Sym> args;
    for (const Sym &a : x.args())
      args.push_back(self(self, a));
    return args.empty() ? x : rebuild(x, args);
  };
  Sym replaced = go(go, e);
  return changed && replaced != e && isZero(totalDerivation(replaced, anchor, follows));
}

} // namespace

bool isFreeAnchor(const Sym &out, const Anchor &anchor, const std::vector<Follows> &follows) {
  return unmoved(out, anchor, follows);
}

} // namespace einfall::algebra
