//===- ParserTest.cpp - the grammar of appendix A and its errors ----------------===//
#include "SyntaxSupport.h"
#include <catch2/catch.hpp>

using namespace syntax;

/// The grouping of the right side of one equation, or the diagnostics.
static std::string value(const std::string &expression) {
  Parsed p = parse(wrap("O[p] = " + expression));
  if (!p.diagnostics.empty())
    return p.diagnostics.render();
  return shape(p.file.items[0].cascade->body[0].value);
}

/// `line:column message` of every error of a text.
static std::vector<std::string> errors(const std::string &text) {
  Parsed p = parse(text);
  std::vector<std::string> out;
  for (auto &d : p.diagnostics.list()) {
    auto at = p.diagnostics.sources[0]->position(d.range.begin);
    out.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + " " + d.message);
  }
  return out;
}

static void oneError(const std::string &text, const std::string &part) {
  auto list = errors(text);
  INFO(text.substr(0, 200));
  REQUIRE(list.size() == 1);
  INFO(list[0]);
  CHECK(list[0].find(part) != std::string::npos);
}

TEST_CASE("precedence") {
  CHECK(value("a + b * c") == "(a + (b * c))");
  CHECK(value("a - b - c") == "((a - b) - c)");
  CHECK(value("-x^2") == "(- (x ^ 2))");
  CHECK(value("2^-x^y") == "(2 ^ (- (x ^ y)))");
  CHECK(value("a < b <= c") == "(a < b <= c)");
  CHECK(value("not a == b and c or d") == "(((not (a == b)) and c) or d)");
  CHECK(value("a mod b div c") == "((a mod b) div c)");
  CHECK(value("if a then b else if c then d else e") == "(if a then b else (if c then d else e))");
  CHECK(value("(x else v)") == "(x else v)");
  CHECK(value("(a + b) * c") == "({(a + b)} * c)");
}

TEST_CASE("a reduction takes the rest of its product") {
  CHECK(value("sum[k] a*b + c") == "((sum[k] (a * b)) + c)");
  CHECK(value("x * sum[k in K where k < 3] a * b / c") == "(x * (sum[k in K where (k < 3)] ((a * b) / c)))");
  CHECK(value("top[p, n; k] -x[n]") == "(top[p,n;k] (- x[n]))");
  CHECK(value("max(a, max[m] b)") == "max(a,(max[m] b))");
}

TEST_CASE("subscripts, tuples, calls") {
  CHECK(value("A[b,(j,g),(a+b)*c]") == "A[b,<j,g>,({(a + b)} * c)]");
  CHECK(value("x[e = e + h]") == "x[e=(e + h)]");
  CHECK(value("f(; p, m) + g(a; m) + |M|") == "((f(;p,m) + g(a;m)) + |M|)");
  CHECK(value("cast<f32>(a) + inf") == "(cast<f32>(a) + inf)");
}

TEST_CASE("line ends mean nothing") {
  Parsed p = parse(wrap("X[p] = A[p]\n[p]\n").replace(0, 0, ""));
  CHECK(!p.diagnostics.empty());
  p = parse(wrap(
      "X[p] = a Y[p] : f64 = b where c init d rank M = P split M = (N, C = 64) param w : index = 3 Z = |N|"));
  CHECK(p.diagnostics.render() == "");
  auto &body = p.file.items[0].cascade->body;
  REQUIRE(body.size() == 6);
  CHECK(body[1].type->text == "f64");
  CHECK(shape(body[1].where) == "c");
  CHECK(shape(body[1].init) == "d");
  CHECK(shape(body[2].value) == "P");
  CHECK(shape(body[3].parts[1].extent) == "64");
  CHECK_FALSE(body[5].bracketed);
}

TEST_CASE("one diagnostic a mistake, and the next statement is parsed") {
  auto list =
      errors(wrap("S[p] = a *\nT[p] = (a + b\nU[p] = a $ b\nV[p] = f(a,,b)\nW[p] = sum(a)\nX[p] = a b\n"
                  "Y[p] = 1e\nO[p] = a"));
  std::vector<std::string> expected = {
      "4:10 unexpected character '$'",
      "8:8 malformed number '1e': the exponent has no digits",
      "2:11 expected an expression after '*', found the equation of 'T'",
      "3:14 expected an operator, 'else' or ')' to close '(', found the equation of 'U'",
      "5:12 expected an expression after ',', found ','",
      "6:8 'sum' is an operator and needs its variables: sum[..] ..",
      "7:10 expected an operator or the next equation before 'b'",
  };
  CHECK(list == expected);
}

TEST_CASE("numbers") {
  CHECK(value("0.5 + 1e-6 + 1.5E+3 + 9223372036854775807") ==
        "(((0.5 + 1e-6) + 1.5E+3) + 9223372036854775807)");
  oneError(wrap("O[p] = 9223372036854775808"), "does not fit 64 bits");
  oneError(wrap("O[p] = 1e999"), "beyond float64");
  oneError(wrap("O[p] = .5"), "write 0.5");
  oneError(wrap("O[p] = 1. + 2"), "digits must follow the point");
  oneError(wrap("O[p] = 1.2.3"), "a second point");
  oneError(wrap("O[p] = 0x10"), "cannot follow a number");
  oneError(wrap("O[p] = 1_000"), "cannot follow a number");
}

TEST_CASE("characters outside the language") {
  oneError(wrap("O[p] = a \u2264 b"), "write '<='");
  oneError(wrap("O[p] = a && b"), "write 'and'");
  oneError(std::string("cas\0cade", 8), "NUL byte");
  oneError("\xEF\xBB\xBF" + wrap("O[p] = a"), "byte order mark");
  oneError("\xFF\xFE"
           "c",
           "UTF-16");
  oneError(wrap("O[p] = _x + _x"), "begins with a letter");
  CHECK(errors("// \u00e9\xFF\n" + wrap("O[p] = a // \u2264")).empty());
}

TEST_CASE("texts that break off are one mistake") {
  std::string text = "cascade c(A[P] : f32) -> (O[P] : f32) { O[p] = (A[p] + if a then 3 else 4) where sum[m "
                     "where a; 2] x }";
  std::string body =
      "cascade c(A[P] : f32) -> (O[P] : f32) { O[p] = (A[p] + max(3, 4)) where sum[m where a; 2] x }";
  for (size_t length = 1; length + 1 < body.size(); ++length) {
    INFO(body.substr(0, length));
    CHECK(errors(body.substr(0, length)).size() == 1);
  }
  oneError(text, "'if' under an operator needs parentheses");
}

TEST_CASE("an empty file") {
  for (const char *text : {"", "\n\n", "// only a comment"})
    oneError(text, "neither a cascade nor a function");
}

TEST_CASE("nesting is bounded, nothing recurses without limit") {
  auto repeat = [](std::string s, int n) {
    std::string out;
    for (int i = 0; i < n; ++i)
      out += s;
    return out;
  };
  for (const char *deep :
       {"(", "A[", "not ", "-", "1^", "if a then ", "if a then b else ", "sum[m] ", "f(", "A[(1,"})
    oneError(wrap("O[p] = " + repeat(deep, 30000) + "1"), "nest more than 200 deep");
  oneError(wrap("O[p] = 1" + repeat(" + 1", 100000)), "at most 1000 operations");
  oneError(wrap("O[p] = 1" + repeat(" and 1", 100000)), "at most 1000 operations");
  oneError(wrap("O[p] = 1" + repeat(" < 1", 100000)), "at most 1000 members");
  CHECK(errors(wrap("O[p] = 1" + repeat(" + 1", 900))).empty());
  CHECK(errors(wrap("O[p] = " + repeat("(", 150) + "1" + repeat(")", 150))).empty());
  oneError(std::string(2 << 20, ' '), "bytes; at most");
  CHECK(errors(repeat("(", 300000) + repeat("]", 300000)).size() == 1);
}

TEST_CASE("reserved names and the case of names") {
  oneError(wrap("max[p] = 3"), "'max' is an operator, its name is reserved");
  oneError(wrap("O[p] = a + rank"), "keyword 'rank'");
  oneError(wrap("rank m = 3"), "begins upper-case");
  oneError(wrap("O[P] = 3"), "begins lower-case");
  oneError("fn f(x; M) { return x }", "begins lower-case");
  oneError("cascade cascade() -> (O : f32) { O = 1 }", "'cascade' is a keyword");
}

TEST_CASE("header errors") {
  auto list = errors("cascade c(A[B,H : f32, B[P] : f32, C[M + x] : f32) -> (O[P] : f32\n{ O[p] = 1 }");
  REQUIRE(list.size() == 3);
  oneError("cascade c(A[B] f32) -> (O[P] : f32) { O[p] = 1 }", "expected ':' and an element type");
  oneError("cascade c(A[B] : f32) (O[P] : f32) { O[p] = 1 }", "expected '->'");
  oneError("cascade c(A[B] : f32,) -> (O[P] : f32) { O[p] = 1 }", "expected the name of a tensor");
}

TEST_CASE("statement errors") {
  oneError(wrap("O[p+1] = 3"), "lists variables and tuples");
  oneError(wrap("O[p] = a where b = c"), "a comparison is written '=='");
  oneError(wrap("O[p] = (a, b)"), "a tuple stands only as a subscript");
  oneError(wrap("O[p] = |a * b|"), "absolute values are abs(..)");
  oneError(wrap("O[p] = a init 3 where b"), "'where' stands before 'init'");
  oneError(wrap("O[p] = a)"), "')' closes nothing");
  oneError(wrap("split M = (N)"), "two or more");
  oneError(wrap("return 3"), "no 'return'");
  oneError(wrap("O[p] = if a then b"), "expected 'else'");
  oneError(wrap("O[p] = a;"), "not separated by ';'");
  oneError("fn f(x) { y[m] = 3 return y }", "has no subscripts");
  oneError("fn f(x) { y = 3 }", "expected 'return'");
}
