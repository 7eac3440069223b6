//===- Parser.cpp - files, headers, statements, and recovery -------------------===//
#include "frontend/Parser.h"
#include <algorithm>
#include <charconv>

namespace einfall::frontend {

using namespace ast;

bool Parser::beginsEquation(size_t i) const {
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

bool Parser::beginsStatement(size_t i) const {
  return is(tokens[i], "rank") || is(tokens[i], "param") || is(tokens[i], "split") || beginsEquation(i);
}

bool Parser::beginsDecl(size_t i) const {
  if (tokens[i].kind != TokenKind::Name)
    return false;
  ++i;
  if (is(tokens[i], "[") && tokens[i].partner >= 0)
    i = tokens[i].partner + 1;
  return is(tokens[i], ":");
}

void Parser::skipStatement(size_t start) {
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
    if (is("return") && at > start && (fresh || open == 0))
      return;
    count(here());
  }
  endReported = true; // whatever else is missing, is missing because of this
}

void Parser::skipDecl(size_t start) {
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

void Parser::skipItem() {
  while (here().kind != TokenKind::End && !(beginsItem(at) && here().firstOnLine))
    ++at;
  endReported = endReported || here().kind == TokenKind::End;
}

void Parser::item() {
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

void Parser::cascadeItem(Cascade &cascade) {
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

void Parser::header(std::vector<Decl> &decls, bool mayBeEmpty) {
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

Decl Parser::decl() {
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

void Parser::limitRanks(const Name &name, size_t count) {
  if (count > Limits::ranks)
    error(name.range,
          fmt::format("'{}' has {} ranks; at most {} are possible", name.text, count, Limits::ranks));
}

int64_t Parser::integerValue(const Token &token) {
  int64_t value = 0; // the lexer has checked the range
  std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  return value;
}

void Parser::functionItem(Function &function) {
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
        fail(fmt::format("a local of a function has no subscripts: write '{} = ..'", here().text), "ein-r22");
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

Stmt Parser::stmt() {
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

void Parser::split(Stmt &result) {
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

void Parser::equation(Stmt &result) {
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

void Parser::refuseNonStatement() {
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

Left Parser::left() {
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

Bind Parser::bind(std::string_view what) {
  const Token first = here();
  Bind result;
  result.var = variable(what);
  if (accept("in"))
    result.in = name("a rank or a variable after 'in'");
  result.range = since(first);
  return result;
}

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
