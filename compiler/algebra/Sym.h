//===- Sym.h - symbolic scalar expressions in normal form ----------------------===//
//
// One expression type serves all reasoning about formulas: deferral and online
// forms (Closure.h), recurrences, backward. A `Sym` is a handle to an immutable,
// interned node: equal normal forms are the same node, so `==` is a pointer
// comparison. Building *is* normalising, by rules that hold for real numbers
// wherever both sides are defined:
//
//   sums       n-ary, sorted, like terms collected        a + 2*a        -> 3*a
//   products   n-ary, sorted, like bases collected        a * a^-1       -> 1
//   powers     of a base to a number                      (x^2)^3        -> x^6
//   exp        one exp a product                          exp(s)*exp(-g) -> exp(s - g)
//   log        split over factors known to be positive    log(exp(s)/d)  -> s - log(d)
//   exp, log   inverse to each other                      exp(s-log(d))  -> exp(s)*d^-1
//   constants  by primes: log(8) -> 3*log(2), so that base-2 forms, exp(x*log(2)),
//              are exact                                  8^(1/2)        -> 2*2^(1/2)
//
// Products are *not* multiplied out over sums: (v - mu)^2 stays, as the computed
// code should have it. `expand` and `isZero` do so for identity tests.
//
// An atom is an unknown with an id and a name that the caller chooses. Functions
// are calls by name; those not differentiable everywhere (max, abs, floor,
// comparisons, if) are marked `analytic == false`.
//
// Existence and infinities are not the business of this engine: `x * x^-1` is 1.
// An infinite constant is the call `inf()`, which no analysis takes for a number.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/algebra/Number.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace einfall::algebra {

enum class Form : uint8_t {
  Number, ///< number()
  Atom,   ///< id(), name(), sign
  Add,    ///< number() + args; no argument is a number or a sum
  Mul,    ///< number() * args; arguments are atoms, powers, calls, sums, at most one exp
  Pow,    ///< args[0] ^ number(); the number is neither 0 nor 1
  Exp,    ///< exp(args[0])
  Log,    ///< log(args[0])
  Call    ///< name()(args)
};

/// What is known of a value's sign.
enum class Sign : uint8_t { Any, NonNegative, Positive };

struct Node;

class Sym {
public:
  Sym() : Sym(Number(0)) {}
  Sym(int n) : Sym(Number(n)) {}
  Sym(int64_t n) : Sym(Number(n)) {}
  Sym(double x); ///< an infinity or NaN becomes the call inf(), -inf() or nan()
  Sym(Number n);
  static Sym atom(int id, std::string name, Sign sign = Sign::Any);

  Form form() const;
  bool is(Form f) const { return form() == f; }
  const Number &number() const;
  const std::vector<Sym> &args() const;
  int id() const;
  const std::string &name() const;
  bool analytic() const; ///< calls: differentiable wherever defined
  Sign sign() const;
  const std::vector<Sym> &atoms() const; ///< distinct atoms below; empty for an atom itself
  bool hasInfinity() const;
  bool isPositive() const { return sign() == Sign::Positive; }
  bool isNumber(int n) const { return is(Form::Number) && number() == Number(n); }

  bool operator==(const Sym &b) const { return node_ == b.node_; }
  bool operator!=(const Sym &b) const { return node_ != b.node_; }
  /// A total order by structure: the same in every run.
  bool operator<(const Sym &b) const { return compare(*this, b) < 0; }
  static int compare(const Sym &a, const Sym &b);
  size_t hash() const;
  /// `.ein`-like text; beyond some hundred characters the rest is `..`.
  std::string print() const;

  /// Interns a node as it is; only for the normal-form builders.
  static Sym intern(Node node);

private:
  explicit Sym(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

struct Node {
  Form form = Form::Number;
  Number number = 0;
  int id = -1;
  std::string name;
  std::vector<Sym> args;
  bool analytic = true;
  Sign sign = Sign::Any;
  size_t hash = 0;
  // Kept per node, for expressions share sub-expressions many times over.
  std::vector<Sym> atoms; ///< distinct atoms below it; empty for an atom itself
  bool infinite = false;  ///< an infinity or NaN constant occurs
};

// Builders; each returns a normal form.
Sym add(const std::vector<Sym> &terms);
Sym mul(const std::vector<Sym> &factors);
Sym pow(const Sym &base, const Number &exponent);
/// base ^ exponent: by exp and log where the base is positive, else a call `pow`.
Sym pow(const Sym &base, const Sym &exponent);
Sym exp(const Sym &x);
Sym log(const Sym &x);
/// A function by name. exp, exp2, log, log2, sqrt, rsqrt become their normal
/// forms; expm1, log1p, tanh, sigmoid, silu, gelu, softplus, erf, sin, cos are
/// analytic calls; every other name is a call that is not analytic.
Sym call(const std::string &name, const std::vector<Sym> &args);
inline Sym operator+(const Sym &a, const Sym &b) { return add({a, b}); }
inline Sym operator*(const Sym &a, const Sym &b) { return mul({a, b}); }
inline Sym operator-(const Sym &a) { return mul({Sym(-1), a}); }
inline Sym operator-(const Sym &a, const Sym &b) { return add({a, -b}); }
inline Sym operator/(const Sym &a, const Sym &b) { return mul({a, pow(b, Number(-1))}); }

// Operations.
using AtomTest = std::function<bool(const Sym &atom)>;
/// Does an atom for which `test` holds occur in `e`?
bool mentions(const Sym &e, const AtomTest &test);
bool mentions(const Sym &e, const Sym &atom);
/// Is there an infinity or NaN constant in `e`?
bool hasInfinity(const Sym &e);
/// Calls `visit` for `e` and all below it, outside in, each distinct one once.
void walk(const Sym &e, const std::function<void(const Sym &)> &visit);
/// Replaces atoms; `with` returns nothing where the atom stays.
Sym substitute(const Sym &e, const std::function<std::optional<Sym>(const Sym &atom)> &with);
Sym substitute(const Sym &e, const Sym &atom, const Sym &value);
/// The same node over other operands, normalised again.
Sym rebuild(const Sym &e, const std::vector<Sym> &args);
/// Partial derivative. That of a call that is not analytic is a call of its own
/// (`max'0`), so that a chain rule over arguments that do not change still gives 0.
Sym diff(const Sym &e, const Sym &atom);
/// Value in float64; `value` gives those of the atoms.
double evaluate(const Sym &e, const std::function<double(const Sym &atom)> &value);

/// Products and small integer powers of sums multiplied out, also below
/// functions. Gives up (returns what it has) beyond some thousand terms.
Sym expand(const Sym &e);
/// Exact identity test: the normal form over a common denominator is 0. True is
/// a proof; false may be a lack of rules (cos^2 + sin^2 - 1).
bool isZero(const Sym &e);
/// Certainly not identically 0: some random evaluation is far from 0.
bool isNonZero(const Sym &e);
/// Multiplies by what makes the denominators of all `es` (negative powers of
/// sums) vanish, and expands: equal up to one common factor.
std::vector<Sym> overCommonDenominator(const std::vector<Sym> &es);

} // namespace einfall::algebra

template <>
struct std::hash<einfall::algebra::Sym> {
  size_t operator()(const einfall::algebra::Sym &s) const { return s.hash(); }
};
