//===- SyntaxSupport.h - texts in, trees and diagnostics out ------------------===//
#pragma once
#include "frontend/Frontend.h"
#include "frontend/Lexer.h"
#include <string>
#include <vector>

namespace syntax {

struct Parsed {
  einfall::frontend::Diagnostics diagnostics;
  einfall::frontend::ast::File file;
};

inline Parsed parse(const std::string &text) {
  Parsed p;
  p.diagnostics.sources.push_back(std::make_shared<einfall::frontend::Source>("t.ein", text));
  p.file = einfall::frontend::parse(p.diagnostics);
  return p;
}

/// A cascade around statements.
inline std::string wrap(const std::string &body) {
  return "cascade c(A[P,M] : f32) -> (O[P] : f32) {\n" + body + "\n}\n";
}

/// Fully parenthesised text of an expression: shows what the grammar grouped.
inline std::string shape(const einfall::frontend::ast::ExprPtr &e);

inline std::string shape(const einfall::frontend::ast::Subscript &s) {
  using Form = einfall::frontend::ast::Subscript::Form;
  if (s.form == Form::Plain)
    return shape(s.expr);
  if (s.form == Form::Replace)
    return s.var.text + "=" + shape(s.expr);
  std::string out = "<";
  for (auto &part : s.parts)
    out += (out.size() > 1 ? "," : "") + shape(part);
  return out + ">";
}

inline std::string shape(const einfall::frontend::ast::ExprPtr &e) {
  using Form = einfall::frontend::ast::ExprForm;
  if (!e)
    return "";
  auto list = [](auto &items, const char *separator) {
    std::string out;
    for (auto &item : items)
      out += (out.empty() ? "" : separator) + shape(item);
    return out;
  };
  switch (e->form) {
  case Form::Integer:
  case Form::Float:
    return e->text;
  case Form::Inf:
    return "inf";
  case Form::True:
    return "true";
  case Form::False:
    return "false";
  case Form::Extent:
    return "|" + e->name.text + "|";
  case Form::Name:
    return e->name.text + (e->bracketed ? "[" + list(e->subscripts, ",") + "]" : "");
  case Form::Call: {
    std::string out = e->name.text + "(" + list(e->args, ",");
    for (size_t i = 0; i < e->vars.size(); ++i)
      out += (i ? "," : ";") + e->vars[i].text;
    return out + ")";
  }
  case Form::Cast:
    return "cast<" + e->name.text + ">(" + shape(e->args[0]) + ")";
  case Form::Unary:
    return "(" + e->op + " " + shape(e->args[0]) + ")";
  case Form::Binary:
    return "(" + shape(e->args[0]) + " " + e->op + " " + shape(e->args[1]) + ")";
  case Form::Compare: {
    std::string out = "(" + shape(e->args[0]);
    for (size_t i = 0; i < e->ops.size(); ++i)
      out += " " + e->ops[i] + " " + shape(e->args[i + 1]);
    return out + ")";
  }
  case Form::If:
    return "(if " + shape(e->args[0]) + " then " + shape(e->args[1]) + " else " + shape(e->args[2]) + ")";
  case Form::Else:
    return "(" + shape(e->args[0]) + " else " + shape(e->args[1]) + ")";
  case Form::Paren:
    return "{" + shape(e->args[0]) + "}";
  case Form::Reduce: {
    std::string out = e->name.text + "[";
    for (size_t i = 0; i < e->binds.size(); ++i)
      out += (i ? "," : "") + e->binds[i].var.text + (e->binds[i].in ? " in " + e->binds[i].in->text : "");
    if (e->filter)
      out += " where " + shape(e->filter);
    if (e->aux)
      out += ";" + shape(e->aux);
    return "(" + out + "] " + shape(e->args[0]) + ")";
  }
  case Form::Error:
    return "?";
  }
  return "";
}

/// Texts of all tokens: what formatting must keep.
inline std::vector<std::string> tokensOf(const std::string &text) {
  einfall::frontend::Diagnostics d;
  d.sources.push_back(std::make_shared<einfall::frontend::Source>("t.ein", text));
  std::vector<std::string> out;
  auto list = einfall::frontend::lex(d, 0);
  for (auto &token : list.tokens)
    out.emplace_back(token.text);
  for (auto &comment : list.comments)
    out.push_back(comment.text);
  return out;
}

inline std::string formatted(const std::string &text) {
  Parsed p = parse(text);
  return einfall::frontend::format(p.file, *p.diagnostics.sources[0]);
}

} // namespace syntax
