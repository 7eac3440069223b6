//===- Parser.cpp - recursive descent over appendix A of the language ---------===//
//
// One function a production. A syntax error is thrown as `Bail` after it was
// reported; whoever parses a list of independent things (statements, header
// entries, top-level items) catches it, skips to the next thing that certainly
// begins there, and goes on: one mistake is one diagnostic, and the next
// statement is parsed as if nothing had happened.
//
// Depth: every recursion passes `Nest`, which bounds the stack; left-associative
// chains do not recurse here, but their trees are deep on the left and later
// stages walk them, so the height of every tree is bounded as well.
//
//===----------------------------------------------------------------------===//
#include "frontend/Frontend.h"
#include "frontend/Lexer.h"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace einfall::frontend {

using namespace ast;

namespace {

/// Operations on the longest path of one expression.
constexpr int maxHeight = 1000;
/// More syntax errors than this mean that the text is no .ein file.
constexpr size_t maxErrors = 64;

struct Bail {};
struct GiveUp {};

/// An expression and the height of its tree.
struct Tree {
  ExprPtr expr;
  int height = 1;
};

class Parser {
public:
  Parser(Diagnostics &diagnostics, uint32_t file)
      : diagnostics(diagnostics), errorsBefore(diagnostics.list().size()) {
    TokenList list = lex(diagnostics, file);
    tokens = std::move(list.tokens);
    out.comments = std::move(list.comments);
  }

  File run() {
    if (here().kind == TokenKind::End && diagnostics.list().size() == errorsBefore)
      error({0, 0, here().range.file}, "the file holds neither a cascade nor a function");
    try {
      while (here().kind != TokenKind::End)
        item();
    } catch (GiveUp &) {
    }
    return std::move(out);
  }

private:
  Diagnostics &diagnostics;
  size_t errorsBefore;
  std::vector<Token> tokens;
  size_t at = 0;
  int depth = 0;
  bool endReported = false;
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
  bool beginsEquation(size_t i) const {
    TokenKind kind = tokens[i].kind;
    if (kind != TokenKind::Name && kind != TokenKind::Operator)
      return false;
    ++i;
    if (is(tokens[i], "[")) {
      if (tokens[i].partner < 0)
        return false;
      i = tokens[i].partner + 1;
    }
    if (is(tokens[i], ":") && i + 2 < tokens.size())
      i += 2;
    return is(tokens[i], "=");
  }
  bool beginsStatement(size_t i) const {
    return is(tokens[i], "rank") || is(tokens[i], "param") || is(tokens[i], "split") || beginsEquation(i);
  }
  bool beginsDecl(size_t i) const {
    if (tokens[i].kind != TokenKind::Name)
      return false;
    ++i;
    if (is(tokens[i], "[") && tokens[i].partner >= 0)
      i = tokens[i].partner + 1;
    return is(tokens[i], ":");
  }
  bool beginsItem(size_t i) const { return is(tokens[i], "cascade") || is(tokens[i], "fn"); }

  // ---- recovery ----

  /// After an error in the statement that began at `start`: to the next thing
  /// that begins a statement, the end of the body, or the next item.
  void skipStatement(size_t start) {
    int open = 0;
    auto count = [&](const Token &token) {
      if (is(token, "(") || is(token, "["))
        ++open;
      else if ((is(token, ")") || is(token, "]")) && open > 0)
        --open;
    };
    for (size_t i = start; i < at; ++i)
      count(tokens[i]);
    for (bool first = true; here().kind != TokenKind::End; first = false, ++at) {
      if (is("}") || (beginsItem(at) && here().firstOnLine))
        return;
      bool fresh = here().firstOnLine && at > start;
      if (beginsStatement(at) && at > start && (fresh || (!first && open == 0)))
        return;
      // A line that is indented like the one where the statement began.
      if (fresh && tokens[start].firstOnLine && here().column == tokens[start].column &&
          here().kind == TokenKind::Name)
        return;
      if (is("return") && (fresh || open == 0))
        return;
      count(here());
    }
  }

  /// After an error in a header entry: to the next entry or the closing `)`.
  void skipDecl(size_t start) {
    std::vector<char> open;
    auto count = [&](const Token &token) {
      if (is(token, "(") || is(token, "["))
        open.push_back(token.text[0]);
      else if ((is(token, ")") && !open.empty() && open.back() == '(') ||
               (is(token, "]") && !open.empty() && open.back() == '['))
        open.pop_back();
      else if (is(token, ")"))
        while (!open.empty()) { // an unclosed `[` inside
          char top = open.back();
          open.pop_back();
          if (top == '(')
            break;
        }
    };
    for (size_t i = start; i < at; ++i)
      count(tokens[i]);
    for (; here().kind != TokenKind::End; ++at) {
      if (is("{") || is("}") || is("->") || beginsItem(at))
        return;
      bool unclosedSquare = std::find(open.begin(), open.end(), '(') == open.end();
      if (is(")") && unclosedSquare)
        return;
      if (is(",") && (open.empty() || beginsDecl(at + 1)))
        return;
      count(here());
    }
  }

  void skipItem() {
    while (here().kind != TokenKind::End && !(beginsItem(at) && here().firstOnLine))
      ++at;
  }

  // ---- file ----

  void item() {
    size_t start = at;
    try {
      if (is("cascade")) {
        // Added first: what was parsed before an error stays in the tree.
        auto cascade = std::make_shared<Cascade>();
        out.items.push_back({nullptr, cascade});
        cascadeItem(*cascade);
      } else if (is("fn")) {
        auto function = std::make_shared<Function>();
        function->result = make(ExprForm::Error);
        out.items.push_back({function, nullptr});
        functionItem(*function);
      } else {
        expected("'cascade' or 'fn'");
      }
    } catch (Bail &) {
      if (at == start)
        ++at;
      skipItem();
    }
  }

  void cascadeItem(Cascade &cascade) {
    const Token first = here();
    ++at;
    cascade.name = name("the name of the cascade");
    cascade.range = since(first);
    header(cascade.inputs, true);
    expect("->", "before the outputs");
    header(cascade.outputs, false);
    size_t open = at;
    expect("{", "before the equations");
    size_t equations = 0;
    while (!is("}")) {
      if (here().kind == TokenKind::End || (beginsItem(at) && here().firstOnLine)) {
        if (speaks()) {
          Diagnostic &d = error(gap(), fmt::format("expected '}}' to close cascade '{}', found {}",
                                                   cascade.name.text, describe(here())));
          d.notes.push_back({tokens[open].range, "the '{' is here"});
        }
        break;
      }
      size_t start = at;
      try {
        Stmt parsed = stmt();
        if (parsed.form == Stmt::Form::Equation && ++equations == Limits::equations + 1)
          error(parsed.name.range,
                fmt::format("a cascade has at most {} equations; this is one more", Limits::equations));
        cascade.body.push_back(std::move(parsed));
      } catch (Bail &) {
        skipStatement(start);
        if (at == start)
          ++at;
      }
    }
    accept("}");
    cascade.range = since(first);
  }

  void header(std::vector<Decl> &decls, bool mayBeEmpty) {
    size_t open = at;
    expect("(", mayBeEmpty ? "before the inputs" : "before the outputs");
    if (mayBeEmpty && accept(")"))
      return;
    while (true) {
      size_t start = at;
      try {
        decls.push_back(decl());
        if (!is(",") && !is(")"))
          close(open, ")", "',' or ");
      } catch (Bail &) {
        skipDecl(start);
      }
      if (accept(","))
        continue;
      if (accept(")") || is(mayBeEmpty ? "->" : "{"))
        return;
      throw Bail();
    }
  }

  Decl decl() {
    const Token first = here();
    Decl result;
    result.name = name("the name of a tensor or scalar");
    if (is("[")) {
      size_t open = at++;
      result.bracketed = true;
      do {
        Dim dim;
        const Token dimFirst = here();
        dim.rank = rank();
        if (accept("+")) {
          if (here().kind != TokenKind::Integer)
            expected("an integer after '+'");
          dim.plus = integerValue(here());
          ++at;
        }
        dim.range = since(dimFirst);
        result.dims.push_back(std::move(dim));
      } while (accept(","));
      close(open, "]", "',' or ");
      limitRanks(result.name, result.dims.size());
    }
    expect(":", "and an element type");
    result.type = type();
    if (accept("="))
      result.defaultValue = expr().expr;
    if (accept("empty"))
      result.empty = expr().expr;
    result.range = since(first);
    return result;
  }

  void limitRanks(const Name &name, size_t count) {
    if (count > Limits::ranks)
      error(name.range,
            fmt::format("'{}' has {} ranks; at most {} are possible", name.text, count, Limits::ranks));
  }

  Name type() { return name("an element type"); }

  static int64_t integerValue(const Token &token) {
    int64_t value = 0; // the lexer has checked the range
    std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    return value;
  }

  void functionItem(Function &function) {
    const Token first = here();
    ++at;
    function.name = name("the name of the function");
    function.range = since(first);
    size_t open = at;
    expect("(", "before the parameters");
    if (!is(";") && !is(")"))
      do
        function.parameters.push_back(name("the name of a parameter"));
      while (accept(","));
    if (accept(";"))
      do
        function.variables.push_back(variable());
      while (accept(","));
    close(open, ")", "',' or ");
    open = at;
    expect("{", "before the function's body");
    bool bailed = false;
    while (!is("return")) {
      if (is("}") || here().kind == TokenKind::End || beginsItem(at)) {
        if (!bailed)
          expected("'return' and the value of the function");
        break;
      }
      size_t start = at;
      try {
        Local local;
        if (here().kind == TokenKind::Name && is(peek(1), "["))
          fail(fmt::format("a local of a function has no subscripts: write '{} = ..'", here().text),
               "ein-r22");
        local.name = name("a local definition or 'return'");
        expect("=", fmt::format("after '{}'", local.name.text));
        local.value = expr().expr;
        function.locals.push_back(std::move(local));
      } catch (Bail &) {
        bailed = true;
        skipStatement(start);
        if (at == start)
          ++at;
      }
    }
    if (accept("return"))
      function.result = expr().expr;
    if (!is("}") && bailed)
      throw Bail();
    if (beginsStatement(at))
      fail("nothing follows the value of a function: definitions stand before 'return'");
    close(open, "}", "an operator or ");
    function.range = since(first);
  }

  // ---- statements ----

  Stmt stmt() {
    const Token first = here();
    Stmt result;
    if (accept("rank")) {
      result.form = Stmt::Form::Rank;
      result.name = rank();
      expect("=", fmt::format("after 'rank {}'", result.name.text));
      result.value = expr().expr;
    } else if (accept("param")) {
      result.form = Stmt::Form::Param;
      result.name = name("the name of a parameter");
      expect(":", "and the parameter's type");
      result.type = type();
      expect("=", "and the parameter's value");
      result.value = expr().expr;
    } else if (accept("split")) {
      split(result);
    } else {
      equation(result);
    }
    result.range = since(first);
    return result;
  }

  void split(Stmt &result) {
    result.form = Stmt::Form::Split;
    result.name = rank();
    expect("=", fmt::format("after 'split {}'", result.name.text));
    size_t open = at;
    expect("(", "before the parts");
    do {
      Part part;
      part.rank = rank("the name of a part");
      if (accept("="))
        part.extent = expr().expr;
      result.parts.push_back(std::move(part));
    } while (accept(","));
    close(open, ")", "',' or ");
    if (result.parts.size() < 2)
      error(since(result.name.range),
            fmt::format("split {} has one part; it needs two or more", result.name.text), "ein-r7");
    limitRanks(result.name, result.parts.size());
  }

  void equation(Stmt &result) {
    result.form = Stmt::Form::Equation;
    bool begins = beginsEquation(at);
    if (!begins)
      refuseNonStatement();
    result.name = name("the name of a tensor");
    if (is("[")) {
      size_t open = at++;
      result.bracketed = true;
      do
        result.left.push_back(left());
      while (accept(","));
      if (tokens[open].partner >= 0 && !is("]"))
        fail(fmt::format(
                 "the left side of '{}' lists variables and tuples of them, separated by commas; {} cannot "
                 "stand here",
                 result.name.text, describe(here())),
             "ein-r5");
      close(open, "]", "',' or ");
      limitRanks(result.name, result.left.size());
    }
    if (accept(":"))
      result.type = type();
    expect("=", fmt::format("after the left side of '{}'", result.name.text));
    result.value = expr().expr;
    if (accept("where"))
      result.where = expr().expr;
    if (accept("init"))
      result.init = expr().expr;
    if (is("where"))
      fail(result.init && !result.where ? "'where' stands before 'init'"
                                        : "a second 'where': join the conditions with 'and'");
    if (is("init"))
      fail("a second 'init'");
    if (is("="))
      fail("'=' defines; a comparison is written '=='");
    if (is("empty"))
      fail("'empty' stands in the header, after the type of an output", "ein-r19");
  }

  /// What stands here begins no statement: says what is wrong as precisely as
  /// the neighbours allow.
  void refuseNonStatement() {
    const Token &token = here();
    if (is(")") || is("]"))
      fail(fmt::format("'{}' closes nothing", token.text));
    if (is(";") || is(","))
      fail(fmt::format("equations are not separated by '{}': leave it out", token.text));
    if (is("where") || is("init"))
      return fail(fmt::format("keyword '{}' does not belong here: it follows the right side of an equation",
                              token.text));
    if (is("return"))
      fail("a cascade has no 'return'; its outputs are named in the header");
    bool afterExpression = at > 0 && !is(last(), "{") && !token.firstOnLine;
    if (afterExpression && token.kind != TokenKind::Keyword)
      fail(fmt::format("expected an operator or the next equation before {}", describe(token)));
    if (token.kind == TokenKind::Operator && is(peek(1), "["))
      fail(fmt::format("expected an equation; '{}' is an operator, its name is reserved", token.text),
           "ein-r2");
    if (token.kind == TokenKind::Name && (is(peek(1), "(") || is(peek(1), "[") || is(peek(1), "=")))
      return; // the equation's own productions say what is missing
    if (token.kind == TokenKind::Name || token.kind == TokenKind::Operator)
      fail(fmt::format("expected an equation: '{}' is not followed by '[..] ='", token.text));
    expected("an equation, 'rank', 'param', 'split' or '}'");
  }

  Left left() {
    const Token first = here();
    Left result;
    if (is("(")) {
      size_t open = at++;
      result.tuple = true;
      do
        result.binds.push_back(bind());
      while (accept(","));
      close(open, ")", "',' or ");
      if (result.binds.size() < 2)
        error(since(first), "a tuple has two entries or more; write the variable without parentheses");
      limitRanks({"(..)", since(first)}, result.binds.size());
    } else {
      result.binds.push_back(bind("a variable; the left side lists variables or tuples of them"));
    }
    result.range = since(first);
    return result;
  }

  Bind bind(std::string_view what = "a variable") {
    const Token first = here();
    Bind result;
    result.var = variable(what);
    if (accept("in"))
      result.in = name("a rank or a variable after 'in'");
    result.range = since(first);
    return result;
  }

  // ---- expressions ----

  static ExprPtr make(ExprForm form) {
    auto result = std::make_shared<Expr>();
    result->form = form;
    return result;
  }

  Tree grown(ExprPtr expr, int height) {
    if (height > maxHeight)
      fail(fmt::format("an expression has at most {} operations on a path; split it over several equations",
                       maxHeight));
    return {std::move(expr), height};
  }

  Tree expr() {
    Nest nest(*this);
    if (!is("if"))
      return disjunction();
    const Token first = here();
    ++at;
    Tree condition = expr();
    expect("then", "after the condition of 'if'");
    Tree yes = expr();
    expect("else", "of this 'if' (it has two branches)");
    Tree no = expr();
    ExprPtr result = make(ExprForm::If);
    result->args = {condition.expr, yes.expr, no.expr};
    result->range = since(first);
    return grown(std::move(result), std::max({condition.height, yes.height, no.height}) + 1);
  }

  Tree binary(Tree x, const Token &op, Tree y) {
    ExprPtr result = make(ExprForm::Binary);
    result->op = op.text;
    result->opRange = op.range;
    result->range = {x.expr->range.begin, last().range.end, op.range.file};
    result->args = {std::move(x.expr), std::move(y.expr)};
    return grown(std::move(result), std::max(x.height, y.height) + 1);
  }

  Tree disjunction() {
    Tree result = conjunction();
    while (is("or")) {
      const Token op = here();
      ++at;
      Tree right = conjunction();
      result = binary(std::move(result), op, std::move(right));
    }
    return result;
  }

  Tree conjunction() {
    Tree result = negation();
    while (is("and")) {
      const Token op = here();
      ++at;
      Tree right = negation();
      result = binary(std::move(result), op, std::move(right));
    }
    return result;
  }

  Tree unary(const Token &op, Tree operand) {
    ExprPtr result = make(ExprForm::Unary);
    result->op = op.text;
    result->opRange = op.range;
    result->args = {std::move(operand.expr)};
    result->range = since(op);
    return grown(std::move(result), operand.height + 1);
  }

  Tree negation() {
    if (!is("not"))
      return comparison();
    Nest nest(*this);
    const Token op = here();
    ++at;
    return unary(op, negation());
  }

  bool atComparison() const {
    for (std::string_view op : {"<", "<=", ">", ">=", "==", "!="})
      if (is(op))
        return true;
    return false;
  }

  Tree comparison() {
    Tree first = sum();
    if (is("=") && depth > 1)
      fail("'=' defines; a comparison is written '=='");
    if (!atComparison())
      return first;
    ExprPtr result = make(ExprForm::Compare);
    int height = first.height;
    result->args.push_back(first.expr);
    while (atComparison()) {
      result->ops.emplace_back(here().text);
      ++at;
      Tree next = sum();
      height = std::max(height, next.height);
      result->args.push_back(std::move(next.expr));
      if (result->ops.size() > maxHeight)
        fail(fmt::format("a chain of comparisons has at most {} members", maxHeight));
    }
    result->range = since(first.expr->range);
    return grown(std::move(result), height + 1);
  }

  Tree sum() {
    Tree result = product();
    while (is("+") || is("-")) {
      const Token op = here();
      ++at;
      Tree right = product();
      result = binary(std::move(result), op, std::move(right));
    }
    return result;
  }

  Tree product() {
    Tree result = factor();
    while (is("*") || is("/") || is("div") || is("mod")) {
      const Token op = here();
      ++at;
      Tree right = factor();
      result = binary(std::move(result), op, std::move(right));
    }
    return result;
  }

  Tree factor() {
    if (is("-")) {
      Nest nest(*this);
      const Token op = here();
      ++at;
      return unary(op, factor());
    }
    if (here().kind == TokenKind::Operator && is(peek(1), "["))
      return reduction();
    Tree base = atom();
    if (!is("^"))
      return base;
    Nest nest(*this);
    const Token op = here();
    ++at;
    return binary(std::move(base), op, factor());
  }

  Tree reduction() {
    Nest nest(*this);
    const Token first = here();
    ExprPtr result = make(ExprForm::Reduce);
    result->opRange = first.range;
    result->name = nameToken();
    size_t open = at++;
    int height = 0;
    do
      result->binds.push_back(bind("a variable to reduce over"));
    while (accept(","));
    if (accept("where")) {
      Tree filter = expr();
      height = filter.height;
      result->filter = filter.expr;
    }
    if (accept(";")) {
      Tree aux = expr();
      height = std::max(height, aux.height);
      result->aux = aux.expr;
    }
    if (is("where"))
      fail("'where' stands before ';' in the bracket of a reduction", "ein-r10");
    close(open, "]", result->aux ? "" : result->filter ? "';' or " : "',', 'where', ';' or ");
    Tree body = product();
    result->args = {body.expr};
    result->range = since(first);
    return grown(std::move(result), std::max(height, body.height) + 1);
  }

  Tree leaf(ExprForm form) {
    ExprPtr result = make(form);
    result->range = here().range;
    result->text = here().text;
    ++at;
    return {std::move(result), 1};
  }

  Tree atom() {
    const Token first = here();
    switch (first.kind) {
    case TokenKind::Integer:
      return leaf(ExprForm::Integer);
    case TokenKind::Float:
      return leaf(ExprForm::Float);
    case TokenKind::Name:
      return beginsStatementHere() ? operandMissing() : nameAtom();
    case TokenKind::Operator:
      return beginsStatementHere() ? operandMissing() : operatorAtom();
    case TokenKind::Punctuation:
      if (is("("))
        return parenthesis();
      if (is("|"))
        return extent();
      break;
    case TokenKind::Keyword:
      if (is("inf"))
        return leaf(ExprForm::Inf);
      if (is("true"))
        return leaf(ExprForm::True);
      if (is("false"))
        return leaf(ExprForm::False);
      if (is("cast"))
        return castAtom();
      break;
    default:
      break;
    }
    return operandMissing();
  }

  /// An equation at the start of a line where an operand is due: the operand is
  /// missing. (Within a line `a = b` is rather a misspelt comparison.)
  bool beginsStatementHere() const { return here().firstOnLine && beginsEquation(at); }

  Tree operandMissing() {
    if (is("if"))
      fail("'if' under an operator needs parentheses: (if .. then .. else ..)");
    if (is("not"))
      fail("'not' under an operator needs parentheses: (not ..)");
    if (is("+"))
      fail("there is no sign '+'");
    if (is("{"))
      expected("an expression");
    if (at > 0 && (last().kind == TokenKind::Punctuation || last().kind == TokenKind::Keyword) &&
        !is(last(), "{")) {
      if (speaks())
        error(gap(), fmt::format("expected an expression after '{}', found {}", last().text, found()));
      throw Bail();
    }
    expected("an expression");
  }

  Tree operatorAtom() {
    if ((here().text == "min" || here().text == "max") && is(peek(1), "("))
      return nameAtom();
    std::string op(here().text);
    fail(fmt::format("'{}' is an operator and needs its variables: {}[..] ..", op, op), "ein-r18");
  }

  Tree extent() {
    const Token first = here();
    ++at;
    ExprPtr result = make(ExprForm::Extent);
    result->name = name("a rank or a variable between '|' and '|'");
    if (!accept("|"))
      fail(fmt::format(
          "expected '|' after '|{}': bars hold one rank or variable (absolute values are abs(..))",
          result->name.text));
    result->range = since(first);
    return {std::move(result), 1};
  }

  Tree parenthesis() {
    size_t open = at;
    const Token first = here();
    ++at;
    if (is(")"))
      fail("expected an expression between '(' and ')'");
    Tree inner = expr();
    if (accept("else")) {
      Tree other = expr();
      close(open, ")", "");
      ExprPtr result = make(ExprForm::Else);
      result->args = {inner.expr, other.expr};
      result->range = since(first);
      return grown(std::move(result), std::max(inner.height, other.height) + 1);
    }
    if (is(","))
      fail("a tuple stands only as a subscript: '(a, b)' here is no value");
    close(open, ")", "an operator, 'else' or ");
    ExprPtr result = make(ExprForm::Paren);
    result->args = {inner.expr};
    result->range = since(first);
    return grown(std::move(result), inner.height + 1);
  }

  Tree castAtom() {
    const Token first = here();
    ++at;
    ExprPtr result = make(ExprForm::Cast);
    expect("<", "and a type after 'cast'");
    result->name = type();
    expect(">", "after the type of 'cast'");
    size_t open = at;
    expect("(", "before what is cast");
    Tree inner = expr();
    close(open, ")", "an operator or ");
    result->args = {inner.expr};
    result->range = since(first);
    return grown(std::move(result), inner.height + 1);
  }

  Tree nameAtom() {
    const Token first = here();
    Name name = nameToken();
    if (is("("))
      return call(first, std::move(name));
    ExprPtr result = make(ExprForm::Name);
    result->name = std::move(name);
    int height = 0;
    if (is("[")) {
      size_t open = at++;
      result->bracketed = true;
      do {
        result->subscripts.push_back(subscript(height));
        if (result->subscripts.size() > 4096)
          fail("too many subscripts");
      } while (accept(","));
      close(open, "]", "',' or ");
    }
    result->range = since(first);
    return grown(std::move(result), height + 1);
  }

  Tree call(const Token &first, Name name) {
    size_t open = at++;
    ExprPtr result = make(ExprForm::Call);
    result->name = std::move(name);
    int height = 0;
    if (!is(";") && !is(")"))
      do {
        Tree argument = expr();
        height = std::max(height, argument.height);
        result->args.push_back(std::move(argument.expr));
      } while (accept(","));
    if (accept(";"))
      do
        result->vars.push_back(variable());
      while (accept(","));
    close(open, ")", result->vars.empty() ? "',', ';' or " : "',' or ");
    result->range = since(first);
    return grown(std::move(result), height + 1);
  }

  Subscript subscript(int &height) {
    const Token first = here();
    Subscript result;
    if (is("(") && first.hasComma) {
      Nest nest(*this);
      size_t open = at++;
      result.form = Subscript::Form::Tuple;
      int inner = 0;
      do
        result.parts.push_back(subscript(inner));
      while (accept(","));
      close(open, ")", "',' or ");
      height = std::max(height, inner + 1);
    } else if (here().kind == TokenKind::Name && is(peek(1), "=")) {
      result.form = Subscript::Form::Replace;
      result.var = variable();
      ++at;
      Tree value = expr();
      result.expr = value.expr;
      height = std::max(height, value.height);
    } else {
      Tree value = expr();
      result.expr = value.expr;
      height = std::max(height, value.height);
    }
    result.range = since(first);
    return result;
  }
};

} // namespace

ast::File parse(Diagnostics &diagnostics, uint32_t file) {
  size_t size = diagnostics.sources[file]->text().size();
  if (size > Limits::fileBytes) {
    diagnostics.error("ein-r1", {0, 0, file},
                      fmt::format("the file has {} bytes; at most {} are read", size, Limits::fileBytes));
    return {};
  }
  return Parser(diagnostics, file).run();
}

} // namespace einfall::frontend
