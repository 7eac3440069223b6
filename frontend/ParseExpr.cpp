//===- ParseExpr.cpp - expressions ---------------------------------------------===//
#include "frontend/Parser.h"
#include <algorithm>

namespace einfall::frontend {

using namespace ast;

ExprPtr Parser::make(ExprForm form) {
  auto result = std::make_shared<Expr>();
  result->form = form;
  return result;
}

Parser::Tree Parser::grown(ExprPtr expr, int height) {
  if (height > maxHeight)
    fail(fmt::format("an expression has at most {} operations on a path; split it over several equations",
                     maxHeight));
  return {std::move(expr), height};
}

Parser::Tree Parser::expr() {
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

Parser::Tree Parser::binary(Tree x, const Token &op, Tree y) {
  ExprPtr result = make(ExprForm::Binary);
  result->op = op.text;
  result->opRange = op.range;
  result->range = {x.expr->range.begin, last().range.end, op.range.file};
  result->args = {std::move(x.expr), std::move(y.expr)};
  return grown(std::move(result), std::max(x.height, y.height) + 1);
}

Parser::Tree Parser::disjunction() {
  Tree result = conjunction();
  while (is("or")) {
    const Token op = here();
    ++at;
    Tree right = conjunction();
    result = binary(std::move(result), op, std::move(right));
  }
  return result;
}

Parser::Tree Parser::conjunction() {
  Tree result = negation();
  while (is("and")) {
    const Token op = here();
    ++at;
    Tree right = negation();
    result = binary(std::move(result), op, std::move(right));
  }
  return result;
}

Parser::Tree Parser::unary(const Token &op, Tree operand) {
  ExprPtr result = make(ExprForm::Unary);
  result->op = op.text;
  result->opRange = op.range;
  result->args = {std::move(operand.expr)};
  result->range = since(op);
  return grown(std::move(result), operand.height + 1);
}

Parser::Tree Parser::negation() {
  if (!is("not"))
    return comparison();
  Nest nest(*this);
  const Token op = here();
  ++at;
  return unary(op, negation());
}

bool Parser::atComparison() const {
  for (std::string_view op : {"<", "<=", ">", ">=", "==", "!="})
    if (is(op))
      return true;
  return false;
}

Parser::Tree Parser::comparison() {
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

Parser::Tree Parser::sum() {
  Tree result = product();
  while (is("+") || is("-")) {
    const Token op = here();
    ++at;
    Tree right = product();
    result = binary(std::move(result), op, std::move(right));
  }
  return result;
}

Parser::Tree Parser::product() {
  Tree result = factor();
  while (is("*") || is("/") || is("div") || is("mod")) {
    const Token op = here();
    ++at;
    Tree right = factor();
    result = binary(std::move(result), op, std::move(right));
  }
  return result;
}

Parser::Tree Parser::factor() {
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

Parser::Tree Parser::reduction() {
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

Parser::Tree Parser::leaf(ExprForm form) {
  ExprPtr result = make(form);
  result->range = here().range;
  result->text = here().text;
  ++at;
  return {std::move(result), 1};
}

Parser::Tree Parser::atom() {
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

Parser::Tree Parser::operandMissing() {
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

Parser::Tree Parser::operatorAtom() {
  if ((here().text == "min" || here().text == "max") && is(peek(1), "("))
    return nameAtom();
  std::string op(here().text);
  fail(fmt::format("'{}' is an operator and needs its variables: {}[..] ..", op, op), "ein-r18");
}

Parser::Tree Parser::extent() {
  const Token first = here();
  ++at;
  ExprPtr result = make(ExprForm::Extent);
  result->name = name("a rank or a variable between '|' and '|'");
  if (!accept("|"))
    fail(fmt::format("expected '|' after '|{}': bars hold one rank or variable (absolute values are abs(..))",
                     result->name.text));
  result->range = since(first);
  return {std::move(result), 1};
}

Parser::Tree Parser::parenthesis() {
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

Parser::Tree Parser::castAtom() {
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

Parser::Tree Parser::nameAtom() {
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

Parser::Tree Parser::call(const Token &first, Name name) {
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

Subscript Parser::subscript(int &height) {
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

} // namespace einfall::frontend
