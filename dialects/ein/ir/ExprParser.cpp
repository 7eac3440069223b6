//===- ExprParser.cpp - reader of expression text ---------------------------===//
//
// Recursive descent, one function per binding strength. Every node is made by
// the builders of Expr.h, so that the kinds left out by the printer come back.
//
//===----------------------------------------------------------------------===//
#include "dialects/ein/ir/ExprText.h"
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

namespace einfall::ein::ir {

namespace {
/// Deeper texts are refused, not followed into a stack overflow.
constexpr int maxNesting = 2000;

bool isNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '#'; }
bool isNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '#';
}

template <class Enum>
std::optional<Enum> byName(std::string_view text, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name(static_cast<Enum>(i)) == text)
      return static_cast<Enum>(i);
  return std::nullopt;
}

class Parser {
public:
  Parser(std::string_view text, Names &names) : text(text), names(names) {}

  ExprRef parse(std::string &message) {
    ExprRef e = expression();
    skip();
    if (error.empty() && at < text.size())
      fail("unexpected text");
    message = error;
    return error.empty() ? e : nullptr;
  }

private:
  std::string_view text;
  Names &names;
  size_t at = 0;
  int nesting = 0;
  std::string error;

  /// After a failure the rest of the text is skipped; every caller unwinds.
  ExprRef fail(std::string_view what) {
    if (error.empty())
      error = fmt::format("{} at '{}'", what, text.substr(at, 20));
    at = text.size();
    return integer(0);
  }

  void skip() {
    while (at < text.size() && text[at] == ' ')
      ++at;
  }
  bool accept(std::string_view token) {
    skip();
    if (text.substr(at, token.size()) != token)
      return false;
    at += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token))
      fail(fmt::format("expected '{}'", token));
  }
  std::string_view peekName() {
    skip();
    size_t end = at;
    if (end < text.size() && isNameStart(text[end]))
      while (end < text.size() && isNameChar(text[end]))
        ++end;
    return text.substr(at, end - at);
  }
  bool acceptWord(std::string_view word) {
    if (peekName() != word)
      return false;
    at += word.size();
    return true;
  }
  std::string takeName() {
    std::string name(peekName());
    at += name.size();
    if (name.empty())
      fail("expected a name");
    return name;
  }
  int idOf(std::vector<std::string> &table, const std::string &name) {
    if (!name.empty() && name[0] == '#') {
      int id = -1;
      auto [end, status] = std::from_chars(name.data() + 1, name.data() + name.size(), id);
      if (status != std::errc() || end != name.data() + name.size())
        fail("expected a number after '#'");
      return id;
    }
    auto it = std::find(table.begin(), table.end(), name);
    if (it == table.end())
      it = table.insert(table.end(), name);
    return static_cast<int>(it - table.begin());
  }

  std::vector<ExprRef> list(std::string_view close) {
    std::vector<ExprRef> items;
    if (accept(close))
      return items;
    do
      items.push_back(expression());
    while (accept(","));
    expect(close);
    return items;
  }

  ExprRef expression() {
    if (++nesting > maxNesting)
      return fail("expression nested too deeply");
    ExprRef e;
    if (acceptWord("if")) {
      ExprRef condition = disjunction();
      if (!acceptWord("then"))
        return fail("expected 'then'");
      ExprRef x = disjunction();
      if (!acceptWord("else"))
        return fail("expected 'else'");
      e = select(condition, x, expression());
    } else {
      e = disjunction();
    }
    --nesting;
    return e;
  }
  ExprRef disjunction() {
    ExprRef e = conjunction();
    while (acceptWord("or"))
      e = binary(ExprOp::Or, e, conjunction());
    return e;
  }
  ExprRef conjunction() {
    ExprRef e = negation();
    while (acceptWord("and"))
      e = binary(ExprOp::And, e, negation());
    return e;
  }
  ExprRef negation() {
    int count = 0;
    while (acceptWord("not"))
      ++count;
    if (count > maxNesting)
      return fail("expression nested too deeply");
    ExprRef e = comparison();
    while (count-- > 0)
      e = unary(ExprOp::Not, e);
    return e;
  }
  ExprRef comparison() {
    ExprRef e = sum();
    for (ExprOp op : {ExprOp::Le, ExprOp::Lt, ExprOp::Ge, ExprOp::Gt, ExprOp::Eq, ExprOp::Ne})
      if (accept(symbol(op)))
        return binary(op, e, sum());
    return e;
  }
  ExprRef sum() {
    ExprRef e = product();
    for (;;) {
      if (accept("+"))
        e = binary(ExprOp::Add, e, product());
      else if (accept("-"))
        e = binary(ExprOp::Sub, e, product());
      else
        return e;
    }
  }
  ExprRef product() {
    ExprRef e = sign();
    for (;;) {
      if (accept("*"))
        e = binary(ExprOp::Mul, e, sign());
      else if (accept("/"))
        e = binary(ExprOp::Div, e, sign());
      else if (acceptWord("div"))
        e = binary(ExprOp::IDiv, e, sign());
      else if (acceptWord("mod"))
        e = binary(ExprOp::Mod, e, sign());
      else
        return e;
    }
  }
  /// `-1` is a literal, any other `-x` a negation.
  ExprRef sign() {
    if (!accept("-"))
      return power();
    if (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])))
      return literal(true);
    if (acceptWord("inf"))
      return number(-std::numeric_limits<double>::infinity());
    if (++nesting > maxNesting)
      return fail("expression nested too deeply");
    ExprRef e = unary(ExprOp::Neg, sign());
    --nesting;
    return e;
  }
  ExprRef power() {
    ExprRef e = atom();
    return accept("^") ? binary(ExprOp::Pow, e, atom()) : e;
  }

  /// An atom and its kind suffix.
  ExprRef atom() {
    if (++nesting > maxNesting)
      return fail("expression nested too deeply");
    ExprRef e = primary();
    --nesting;
    if (!accept(":"))
      return e;
    auto copy = std::make_shared<Expr>(*e);
    if (acceptWord("f"))
      copy->kind = Kind::Float;
    else if (acceptWord("i"))
      copy->kind = Kind::Int;
    else if (acceptWord("b"))
      copy->kind = Kind::Bool;
    else
      return fail("expected one of the kinds f, i, b");
    return copy;
  }

  ExprRef literal(bool negative) {
    size_t end = at;
    bool real = false;
    while (end < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[end])) || text[end] == '.' || text[end] == 'e' ||
            ((text[end] == '+' || text[end] == '-') && text[end - 1] == 'e'))) {
      real |= text[end] == '.' || text[end] == 'e';
      ++end;
    }
    std::string digits = (negative ? "-" : "") + std::string(text.substr(at, end - at));
    const char *last = digits.data() + digits.size();
    int64_t whole = 0;
    double value = 0;
    auto [stop, status] =
        real ? std::from_chars(digits.data(), last, value) : std::from_chars(digits.data(), last, whole);
    if (stop != last || status != std::errc())
      return fail("expected a number");
    at = end;
    return real ? number(value) : integer(whole);
  }

  /// The bracket and body of a reduction whose operator has been read.
  ExprRef reduction(ReduceOp op) {
    bool partial = accept("?");
    expect("[");
    std::vector<VarId> vars;
    do
      vars.push_back(idOf(names.vars, takeName()));
    while (accept(","));
    std::vector<ExprRef> places;
    if (acceptWord("at"))
      do
        places.push_back(expression());
      while (accept(","));
    ExprRef filter = acceptWord("where") ? expression() : nullptr;
    ExprRef aux = accept(";") ? expression() : nullptr;
    expect("]");
    auto copy = std::make_shared<Expr>(*reduce(op, vars, product(), filter));
    copy->at = std::move(places);
    copy->aux = aux;
    copy->partial = partial;
    return copy;
  }

  /// `(x)`, `(x else v)` or `(x, y) of S`; the parenthesis has been read.
  ExprRef parenthesis() {
    ExprRef e = expression();
    if (acceptWord("else")) {
      e = binary(ExprOp::Else, e, expression());
      expect(")");
      return e;
    }
    if (!accept(",")) {
      expect(")");
      return e;
    }
    std::vector<ExprRef> entries = list(")");
    entries.insert(entries.begin(), e);
    if (!acceptWord("of"))
      return fail("expected 'of' and the name of a split");
    return tuple(idOf(names.splits, takeName()), std::move(entries));
  }

  ExprRef function(const std::string &word) {
    bool isCast = word == "cast";
    std::optional<Type> type;
    if (isCast) {
      expect("<");
      type = parseType(takeName());
      expect(">");
      if (!type)
        return fail("unknown type");
    }
    expect("(");
    std::vector<ExprRef> args = list(")");
    auto arity = [&](size_t n) { return args.size() == n && error.empty(); };
    if (isCast && arity(1))
      return cast(*type, args[0]);
    if (word == "float" && arity(1))
      return unary(ExprOp::ToFloat, args[0]);
    if (word == "exists" && arity(1))
      return unary(ExprOp::Exists, args[0]);
    if ((word == "min" || word == "max") && arity(2))
      return binary(word == "min" ? ExprOp::Min : ExprOp::Max, args[0], args[1]);
    if (auto fn = byName(word, Fn::BitXor)) {
      bool two = *fn == Fn::BitAnd || *fn == Fn::BitOr || *fn == Fn::BitXor;
      if (arity(two ? 2 : 1))
        return call(*fn, std::move(args));
    }
    return fail(fmt::format("no function '{}' of {} arguments", word, args.size()));
  }

  ExprRef primary() {
    skip();
    if (at >= text.size())
      return fail("unexpected end of expression");
    char c = text[at];
    if (std::isdigit(static_cast<unsigned char>(c)))
      return literal(false);
    if (accept("("))
      return parenthesis();
    if (accept("|")) {
      ExprRef e = extent(idOf(names.ranks, takeName()));
      expect("|");
      return e;
    }
    if (accept("@"))
      return scalar(idOf(names.scalars, takeName()), Kind::Float);
    if (acceptWord("true"))
      return boolean(true);
    if (acceptWord("false"))
      return boolean(false);
    if (acceptWord("inf"))
      return number(std::numeric_limits<double>::infinity());
    if (acceptWord("nan"))
      return number(std::numeric_limits<double>::quiet_NaN());
    std::string word = takeName();
    if (!error.empty())
      return integer(0);
    skip();
    char next = at < text.size() ? text[at] : '\0';
    if (next == '(' || (word == "cast" && next == '<'))
      return function(word);
    // `max[m] ..` reduces, `max[..]` cannot be a tensor: operators are reserved (ein-r2).
    if (next == '[' || next == '?')
      if (auto op = byName(word, ReduceOp::Coordinates))
        return reduction(*op);
    if (accept("["))
      return read(idOf(names.tensors, word), Kind::Float, list("]"));
    return coord(idOf(names.vars, word));
  }
};
} // namespace

ExprRef parseExpr(std::string_view text, Names &names, std::string &error) {
  return Parser(text, names).parse(error);
}

} // namespace einfall::ein::ir
