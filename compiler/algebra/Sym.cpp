//===- Sym.cpp - interning, order, sign -----------------------------------------===//
//
// The table of live nodes is shared by all threads and never destroyed; a node
// leaves it when its last handle goes.
//
//===----------------------------------------------------------------------===//
#include "compiler/algebra/Sym.h"
#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_map>

namespace einfall::algebra {
namespace {

struct Table {
  std::mutex mutex;
  std::unordered_multimap<size_t, std::pair<const Node *, std::weak_ptr<const Node>>> nodes;
};

Table &table() {
  static Table *theTable = new Table;
  return *theTable;
}

/// Takes the node out of the table, then frees it outside the lock: its
/// operands may be freed in turn.
void release(const Node *node) {
  {
    std::lock_guard lock(table().mutex);
    auto [begin, end] = table().nodes.equal_range(node->hash);
    for (auto it = begin; it != end; ++it)
      if (it->second.first == node) {
        table().nodes.erase(it);
        break;
      }
  }
  delete node;
}

bool same(const Node &a, const Node &b) {
  return a.form == b.form && a.id == b.id && a.analytic == b.analytic && a.number == b.number &&
         a.name == b.name && a.args == b.args && (a.form != Form::Atom || a.sign == b.sign);
}

size_t hashOf(const Node &n) {
  auto mix = [](size_t h, size_t x) { return h ^ (x + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2)); };
  size_t h = mix(size_t(n.form), n.number.hash());
  h = mix(h, size_t(n.id));
  h = mix(h, std::hash<std::string>()(n.name));
  for (const Sym &a : n.args)
    h = mix(h, a.hash());
  return h;
}

Sign weaker(Sign a, Sign b) { return a < b ? a : b; }

bool evenInteger(const Number &n) { return n.isInteger() && n.num() % 2 == 0; }

Sign signOf(const Node &n) {
  auto ofNumber = [](const Number &x) {
    return x.sign() > 0 ? Sign::Positive : x.isZero() ? Sign::NonNegative : Sign::Any;
  };
  switch (n.form) {
  case Form::Number:
    return ofNumber(n.number);
  case Form::Atom:
    return n.sign;
  case Form::Exp:
    return Sign::Positive;
  case Form::Log: { // constants such as log(2) are the rate of base-2 exponentials
    const Sym &x = n.args[0];
    return x.is(Form::Number) && x.number().value() > 1 ? Sign::Positive : Sign::Any;
  }
  case Form::Pow:
    if (n.args[0].isPositive())
      return Sign::Positive;
    // A power that is defined: even, or a root of something not negative.
    if (evenInteger(n.number) || n.args[0].sign() == Sign::NonNegative || !n.number.isInteger())
      return n.number.sign() < 0 ? Sign::Positive : Sign::NonNegative;
    return Sign::Any;
  case Form::Mul: {
    Sign s = ofNumber(n.number);
    for (const Sym &a : n.args)
      s = weaker(s, a.sign());
    return s;
  }
  case Form::Add: {
    // Nobody negative, and one positive, is positive.
    Sign least = ofNumber(n.number), most = least;
    for (const Sym &a : n.args) {
      least = weaker(least, a.sign());
      if (a.isPositive())
        most = Sign::Positive;
    }
    return least == Sign::Any ? Sign::Any : most;
  }
  case Form::Call:
    if (n.name == "sigmoid" || n.name == "softplus" || n.name == "inf")
      return Sign::Positive;
    if (n.name == "abs" || n.name == "relu")
      return Sign::NonNegative;
    if (n.name == "max" || n.name == "min") {
      Sign least = Sign::Positive, most = Sign::Any;
      for (const Sym &a : n.args) {
        least = weaker(least, a.sign());
        if (a.sign() > most)
          most = a.sign();
      }
      return n.name == "max" ? most : least;
    }
    return Sign::Any;
  }
  return Sign::Any;
}

} // namespace

Sym Sym::intern(Node n) {
  n.sign = signOf(n);
  n.infinite = n.form == Form::Call && (n.name == "inf" || n.name == "nan");
  for (const Sym &a : n.args) {
    n.infinite |= a.hasInfinity();
    if (a.is(Form::Atom))
      n.atoms.push_back(a);
    else
      n.atoms.insert(n.atoms.end(), a.atoms().begin(), a.atoms().end());
  }
  std::sort(n.atoms.begin(), n.atoms.end());
  n.atoms.erase(std::unique(n.atoms.begin(), n.atoms.end()), n.atoms.end());
  n.hash = hashOf(n);
  std::lock_guard lock(table().mutex);
  auto [begin, end] = table().nodes.equal_range(n.hash);
  for (auto it = begin; it != end; ++it)
    if (same(*it->second.first, n))
      if (auto node = it->second.second.lock())
        return Sym(std::move(node));
  size_t hash = n.hash;
  std::shared_ptr<const Node> node(new Node(std::move(n)), release);
  table().nodes.emplace(hash, std::make_pair(node.get(), std::weak_ptr<const Node>(node)));
  return Sym(std::move(node));
}

Sym::Sym(Number n) {
  Node node;
  node.number = n;
  *this = intern(std::move(node));
}

Sym::Sym(double x) {
  if (std::isfinite(x))
    *this = Sym(Number::of(x));
  else if (std::isnan(x))
    *this = call("nan", {});
  else
    *this = x > 0 ? call("inf", {}) : -call("inf", {});
}

Sym Sym::atom(int id, std::string name, Sign sign) {
  Node n;
  n.form = Form::Atom;
  n.id = id;
  n.name = std::move(name);
  n.sign = sign;
  return intern(std::move(n));
}

Form Sym::form() const { return node_->form; }
const Number &Sym::number() const { return node_->number; }
const std::vector<Sym> &Sym::args() const { return node_->args; }
int Sym::id() const { return node_->id; }
const std::string &Sym::name() const { return node_->name; }
bool Sym::analytic() const { return node_->analytic; }
Sign Sym::sign() const { return node_->sign; }
const std::vector<Sym> &Sym::atoms() const { return node_->atoms; }
bool Sym::hasInfinity() const { return node_->infinite; }
size_t Sym::hash() const { return node_->hash; }

int Sym::compare(const Sym &a, const Sym &b) {
  if (a == b)
    return 0;
  const Node &x = *a.node_, &y = *b.node_;
  if (x.form != y.form)
    return x.form < y.form ? -1 : 1;
  if (x.id != y.id)
    return x.id < y.id ? -1 : 1;
  if (int c = x.name.compare(y.name))
    return c;
  if (x.args.size() != y.args.size())
    return x.args.size() < y.args.size() ? -1 : 1;
  for (size_t i = 0; i < x.args.size(); ++i)
    if (int c = compare(x.args[i], y.args[i]))
      return c;
  if (int c = x.number.compare(y.number))
    return c;
  if (x.analytic != y.analytic)
    return x.analytic ? -1 : 1;
  return int(x.sign) - int(y.sign);
}

} // namespace einfall::algebra
