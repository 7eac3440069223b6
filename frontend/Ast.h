//===- Ast.h - syntax tree of .ein text --------------------------------------===//
//
// What the parser saw, nothing resolved: names are strings, functions are not
// expanded, every node has its source range, comments are kept for the
// formatter. Grammar: docs/language.md, appendix A; one struct per production.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "frontend/Source.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace einfall::frontend::ast {

struct Name {
  std::string text;
  Range range;
};

struct Expr;
using ExprPtr = std::shared_ptr<Expr>;

/// `v`, `v in R`, `v in u`.
struct Bind {
  Name var;
  std::optional<Name> in;
  Range range;
};

/// A subscript: an expression, a tuple of subscripts, or `var = expr` (r22).
struct Subscript {
  enum class Form { Plain, Tuple, Replace } form = Form::Plain;
  ExprPtr expr;                 ///< Plain, Replace
  std::vector<Subscript> parts; ///< Tuple
  Name var;                     ///< Replace
  Range range;
};

enum class ExprForm {
  Integer,
  Float,
  Inf,
  True,
  False,
  Extent,  ///< |name|
  Name,    ///< name, or name[subscripts] when `bracketed`
  Call,    ///< name(args ; vars)
  Cast,    ///< cast<type>(args[0])
  Unary,   ///< `-`, `not`
  Binary,  ///< + - * / div mod ^ and or
  Compare, ///< chain: args[0] ops[0] args[1] ops[1] args[2] ..
  If,      ///< args: condition, then, else
  Else,    ///< (args[0] else args[1])
  Paren,   ///< (args[0]); kept for the formatter and for ein-r12 ("one product")
  Reduce,  ///< name[binds where filter; aux] args[0]
  Error,   ///< recovered from; silent in later checks
};

struct Expr {
  ExprForm form = ExprForm::Error;
  Range range;
  Name name;                    ///< Extent, Name, Call, Cast (the type), Reduce (the operator)
  std::string op;               ///< Unary, Binary: the operator's text
  std::vector<std::string> ops; ///< Compare
  std::vector<ExprPtr> args;
  std::vector<Subscript> subscripts; ///< Name
  bool bracketed = false;            ///< Name was followed by [..]
  std::vector<Name> vars;            ///< Call: after `;`
  std::vector<Bind> binds;           ///< Reduce
  ExprPtr filter, aux;               ///< Reduce
  std::string text;                  ///< Integer, Float: as written
  Range opRange;                     ///< Unary, Binary, Reduce: the operator token
};

/// Left side subscript: one bind, or a tuple of binds.
struct Left {
  std::vector<Bind> binds;
  bool tuple = false;
  Range range;
};

struct Dim {
  Name rank;
  int64_t plus = 0;
  Range range;
};

struct Decl {
  Name name;
  std::vector<Dim> dims;
  bool bracketed = false; ///< a tensor (possibly of no ranks is an error), else a scalar
  Name type;
  ExprPtr defaultValue, empty;
  Range range;
};

struct Part {
  Name rank;
  ExprPtr extent; ///< null: none
};

struct Stmt {
  enum class Form { Rank, Param, Split, Equation } form = Form::Equation;
  Range range;
  Name name;                ///< rank, param, split whole, equation's tensor
  std::optional<Name> type; ///< Param, Equation annotation
  ExprPtr value;            ///< Rank (a lone upper-case name may be an alias), Param, Equation
  std::vector<Part> parts;  ///< Split
  std::vector<Left> left;   ///< Equation
  bool bracketed = false;   ///< Equation has [..] on the left
  ExprPtr where, init;      ///< Equation
};

struct Local {
  Name name;
  ExprPtr value;
};

struct Function {
  Name name;
  std::vector<Name> parameters, variables; ///< before and after `;`
  std::vector<Local> locals;
  ExprPtr result;
  Range range;
};

struct Cascade {
  Name name;
  std::vector<Decl> inputs, outputs;
  std::vector<Stmt> body;
  Range range;
};

/// In order of the text; exactly one of the two is set in each item.
struct Item {
  std::shared_ptr<Function> function;
  std::shared_ptr<Cascade> cascade;
};

struct Comment {
  std::string text; ///< with the slashes
  Range range;
  bool ownLine = false; ///< nothing but blanks before it on its line
};

struct File {
  std::vector<Item> items;
  std::vector<Comment> comments;
};

} // namespace einfall::frontend::ast
