//===- Parser.h - recursive descent over appendix A of the language -----------===//
//
// One function a production; items and statements are in Parser.cpp, expressions
// in ParseExpr.cpp. A syntax error is thrown as `Bail` after it was reported;
// whoever parses a list of independent things (statements, header entries,
// top-level items) catches it, skips to the next thing that certainly begins
// there, and goes on: one mistake is one diagnostic, and the next statement is
// parsed as if nothing had happened.
//
// Depth: every recursion passes `Nest`, which bounds the stack; left-associative
// chains do not recurse here, but their trees are deep on the left and later
// stages walk them, so the height of every tree is bounded as well.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "frontend/Frontend.h"
#include "frontend/Lexer.h"
#include <fmt/format.h>
#include <utility>

namespace einfall::frontend {

/// A syntax error was reported; unwinds to the next list.
struct Bail {};
/// Too many syntax errors: the text is no .ein file.
struct GiveUp {};

class Parser {
public:
  Parser(Diagnostics &diagnostics, uint32_t file)
      : diagnostics(diagnostics), errorsBefore(diagnostics.list().size()) {
    TokenList list = lex(diagnostics, file);
    tokens = std::move(list.tokens);
    noText = list.binary;
    out.comments = std::move(list.comments);
  }

  ast::File run() {
    if (here().kind == TokenKind::End && diagnostics.list().size() == errorsBefore)
      error({0, 0, here().range.file}, "the file holds neither a cascade nor a function");
    try {
      while (here().kind != TokenKind::End && !noText)
        item();
    } catch (GiveUp &) {
    }
    return std::move(out);
  }

private:
  using Bind = ast::Bind;
  using Cascade = ast::Cascade;
  using Decl = ast::Decl;
  using Dim = ast::Dim;
  using Expr = ast::Expr;
  using ExprForm = ast::ExprForm;
  using ExprPtr = ast::ExprPtr;
  using File = ast::File;
  using Function = ast::Function;
  using Item = ast::Item;
  using Left = ast::Left;
  using Local = ast::Local;
  using Name = ast::Name;
  using Part = ast::Part;
  using Stmt = ast::Stmt;
  using Subscript = ast::Subscript;

  /// More syntax errors than this mean that the text is no .ein file.
  static constexpr size_t maxErrors = 64;
  /// Operations on the longest path of one expression.
  static constexpr int maxHeight = 1000;
  /// An expression and the height of its tree.
  struct Tree {
    ExprPtr expr;
    int height = 1;
  };

  Diagnostics &diagnostics;
  size_t errorsBefore;
  std::vector<Token> tokens;
  size_t at = 0;
  int depth = 0;
  bool endReported = false;
  bool noText = false; ///< no text at all: the lexer said so, nothing else is worth saying
  File out;

  // ---- tokens ----

  const Token &here() const { return tokens[at]; }
  const Token &peek(size_t ahead) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  const Token &last() const { return tokens[at ? at - 1 : 0]; }
  bool is(std::string_view text) const { return is(here(), text); }
  static bool is(const Token &token, std::string_view text) {
    return (token.kind == TokenKind::Punctuation || token.kind == TokenKind::Keyword) && token.text == text;
  }
  bool accept(std::string_view text) {
    if (!is(text))
      return false;
    ++at;
    return true;
  }
  Range since(const Token &first) const { return {first.range.begin, last().range.end, first.range.file}; }
  Range since(Range first) const { return {first.begin, last().range.end, first.file}; }

  // ---- errors ----

  Diagnostic &error(Range range, std::string message, std::string rule = "ein-r1") {
    if (diagnostics.list().size() - errorsBefore >= maxErrors)
      throw GiveUp();
    return diagnostics.error(std::move(rule), range, std::move(message));
  }

  static std::string describe(const Token &token) {
    if (token.kind == TokenKind::End)
      return "the end of the file";
    std::string text(token.text.substr(0, 40));
    if (token.kind == TokenKind::Keyword)
      return "keyword '" + text + "'";
    return "'" + text + "'";
  }

  /// Whether an error at this token is news: a bad token was reported by the
  /// lexer, and everything open when the text breaks off is one mistake.
  bool speaks() {
    if (here().kind == TokenKind::End)
      return !std::exchange(endReported, true) && tokens.size() > 1 && last().kind != TokenKind::Bad;
    return here().kind != TokenKind::Bad;
  }
  /// Reports a token that cannot stand here; silent where the lexer has spoken.
  [[noreturn]] void fail(std::string message, std::string rule = "ein-r1") {
    if (speaks())
      error(here().range, std::move(message), std::move(rule));
    throw Bail();
  }
  /// Where something is missing: at the end of a line that breaks off, rather
  /// than at the blameless beginning of the next.
  Range gap() const {
    if ((here().firstOnLine || here().kind == TokenKind::End) && at > 0)
      return {last().range.end, last().range.end, last().range.file};
    return here().range;
  }
  [[noreturn]] void expected(std::string_view what) {
    if (speaks())
      error(gap(), fmt::format("expected {}, found {}", what, found()));
    throw Bail();
  }
  std::string found() const {
    return beginsStatementHere() ? fmt::format("the equation of '{}'", here().text) : describe(here());
  }
  void expect(std::string_view text, std::string_view purpose = {}) {
    if (!accept(text))
      expected(purpose.empty() ? fmt::format("'{}'", text) : fmt::format("'{}' {}", text, purpose));
  }
  /// The closing bracket of the one at `open`; an error points at both ends.
  void close(size_t open, std::string_view text, std::string_view orWhat) {
    if (accept(text))
      return;
    if (speaks()) {
      Diagnostic &d = error(gap(), fmt::format("expected {}'{}' to close '{}', found {}", orWhat, text,
                                               tokens[open].text, found()));
      d.notes.push_back({tokens[open].range, fmt::format("the '{}' is here", tokens[open].text)});
    }
    throw Bail();
  }

  /// Counts one level of nesting while it lives.
  struct Nest {
    Parser &parser;
    explicit Nest(Parser &parser) : parser(parser) {
      if (++parser.depth > Limits::nesting) {
        --parser.depth;
        parser.fail(fmt::format("expressions nest more than {} deep; name a part in an equation of its own",
                                Limits::nesting));
      }
    }
    ~Nest() { --parser.depth; }
  };

  // ---- names ----

  Name nameToken() {
    Name name{std::string(here().text), here().range};
    ++at;
    return name;
  }
  Name name(std::string_view what) {
    if (here().kind == TokenKind::Keyword || here().kind == TokenKind::Operator)
      fail(fmt::format("expected {}; '{}' is {}", what, here().text,
                       here().kind == TokenKind::Keyword ? "a keyword" : "an operator, its name is reserved"),
           "ein-r2");
    if (here().kind != TokenKind::Name)
      expected(what);
    return nameToken();
  }
  static bool upper(std::string_view text) { return text[0] >= 'A' && text[0] <= 'Z'; }
  static bool lower(std::string_view text) { return text[0] >= 'a' && text[0] <= 'z'; }
  Name rank(std::string_view what = "the name of a rank") {
    Name result = name(what);
    if (lower(result.text))
      error(result.range, fmt::format("a rank's name begins upper-case, not as in '{}'", result.text),
            "ein-r2");
    return result;
  }
  Name variable(std::string_view what = "a variable") {
    Name result = name(what);
    if (upper(result.text))
      error(result.range, fmt::format("a variable's name begins lower-case, not as in '{}'", result.text),
            "ein-r2");
    return result;
  }

  // ---- where things begin ----

  /// `name [..] [: type] =` begins an equation, and nothing else does outside a
  /// subscript.
  bool beginsEquation(size_t i) const;
  bool beginsStatement(size_t i) const;
  bool beginsDecl(size_t i) const;
  bool beginsItem(size_t i) const { return is(tokens[i], "cascade") || is(tokens[i], "fn"); }

  // ---- recovery ----

  /// After an error in the statement that began at `start`: to the next thing
  /// that begins a statement, the end of the body, or the next item.
  void skipStatement(size_t start);
  /// After an error in a header entry: to the next entry or the closing `)`.
  void skipDecl(size_t start);
  void skipItem();

  // ---- file ----

  void item();
  void cascadeItem(Cascade &cascade);
  void header(std::vector<Decl> &decls, bool mayBeEmpty);
  Decl decl();
  void limitRanks(const Name &name, size_t count);
  Name type() { return name("an element type"); }
  static int64_t integerValue(const Token &token);
  void functionItem(Function &function);

  // ---- statements ----

  Stmt stmt();
  void split(Stmt &result);
  void equation(Stmt &result);
  /// What stands here begins no statement: says what is wrong as precisely as
  /// the neighbours allow.
  void refuseNonStatement();
  Left left();
  Bind bind(std::string_view what = "a variable");

  // ---- expressions ----

  static ExprPtr make(ExprForm form);
  Tree grown(ExprPtr expr, int height);
  Tree expr();
  Tree binary(Tree x, const Token &op, Tree y);
  Tree disjunction();
  Tree conjunction();
  Tree unary(const Token &op, Tree operand);
  Tree negation();
  bool atComparison() const;
  Tree comparison();
  Tree sum();
  Tree product();
  Tree factor();
  Tree reduction();
  Tree leaf(ExprForm form);
  Tree atom();
  /// An equation at the start of a line where an operand is due: the operand is
  /// missing. (Within a line `a = b` is rather a misspelt comparison.)
  bool beginsStatementHere() const { return here().firstOnLine && beginsEquation(at); }
  Tree operandMissing();
  Tree operatorAtom();
  Tree extent();
  Tree parenthesis();
  Tree castAtom();
  Tree nameAtom();
  Tree call(const Token &first, Name name);
  Subscript subscript(int &height);
};

} // namespace einfall::frontend
