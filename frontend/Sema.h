//===- Sema.h - checking one cascade -----------------------------------------===//
//
// `Checker` turns the syntax tree of one cascade into an `ein::Cascade`. The
// work is split by idea, in this order:
//
//   SemaHeader      declarations, parameters, names of tensors and ranks
//   SemaExtents     `rank R = expr`, splits, and whether every extent is known
//   SemaScopes      which variable a name means: one `Variable` for each binder
//   SemaRanks       the rank of every variable and intermediate (r3, r6, r7)
//   SemaKinds       float, integer or bool: intermediates, by fixed point (r8)
//   SemaExpr        expressions to `ein::Expr`, conversions inserted (r8)
//   SemaReductions  reductions and selections (r10, r18), implied sums (r12, r13)
//   SemaFunctions   calls: elementwise functions, expansion of `fn` (r22)
//   SemaEquations   equations, `where`, `init`, types, the schedule (r11, r20, r21)
//
// One mistake is one error: whatever cannot be checked because of an earlier
// error is *poisoned* (a null expression, a flag) and passes silently.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include "frontend/Ast.h"
#include "frontend/Frontend.h"
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace einfall::frontend::sema {

using ein::ExprOp;
using ein::ExprRef;
using ein::Kind;
using ein::RankId;
using ein::SplitId;
using ein::TensorId;
using ein::Type;
using ein::VarId;

// ---- functions (r22) ----

struct Function {
  const ast::Function *ast = nullptr;
  bool prelude = false;
  bool poisoned = false; ///< reported already: calls are silent
};
/// All functions by name; a file's function hides the prelude's.
struct FunctionTable {
  std::map<std::string, Function> byName;
  const Function *find(const std::string &name) const;
};
/// Builds the table and checks what is wrong whoever calls: duplicate and
/// unknown names, numbers of arguments, recursion. `broken`: did not parse.
FunctionTable collectFunctions(const ast::File &prelude, const ast::File &file,
                               const std::set<const ast::Function *> &broken, Diagnostics &diagnostics);

// ---- elementwise functions of the language ----

struct Builtin {
  enum class Shape {
    Float,  ///< floats to a float
    Same,   ///< keeps the kind: abs, sign
    Bits,   ///< integers to an integer
    Minmax, ///< two or more of one kind
    Clamp,
    Exists
  } shape;
  ein::Fn fn{};
  ein::ExprOp op{}; ///< Minmax
  int arity = 1;
};
const Builtin *findBuiltin(std::string_view name);
std::vector<std::string> builtinNames();
std::optional<ein::ReduceOp> findReduceOp(std::string_view name);

// ---- names that were probably meant ----

/// The candidate nearest to `name` by edit distance; empty: none is near.
std::string nearest(std::string_view name, const std::vector<std::string> &candidates);

// ---- constants ----

/// The value of an expression of numbers; null: it is not constant.
ExprRef foldConstant(const ExprRef &e);

// ---- scopes ----

struct Variable;
struct TupleUse;

/// A place that wants coordinates of one rank: position `index` of a tensor, or
/// part `index` of a tuple.
struct Site {
  TensorId tensor = -1;
  TupleUse *tuple = nullptr;
  int index = 0;
};

/// `A[.., (x, y), ..]`: which split it is follows from the rank of its site and
/// from its entries.
struct TupleUse {
  Site site;
  Range range;
  std::vector<Variable *> entries; ///< plain variables; null: other expressions
  bool defining = false;           ///< on the left of an intermediate: gives the rank
  SplitId split = -1;
  bool poisoned = false;
};

struct Variable {
  enum class Origin { Left, Bound, Implicit } origin;
  std::string name;
  Range range;                              ///< where it first stands
  const ast::Name *in = nullptr;            ///< `v in R`, `v in u`
  Variable *inVariable = nullptr;           ///< `v in u`
  std::vector<std::pair<Site, Range>> uses; ///< plain subscripts
  RankId rank = -1;
  Range rankFrom;
  bool poisoned = false;
  VarId id = -1; ///< once ranks are known
};

/// One equation under work.
struct EquationState {
  const ast::Stmt *stmt = nullptr;
  TensorId tensor = -1;
  std::deque<Variable> variables;
  std::deque<TupleUse> tuples;
  std::vector<Variable *> left; ///< flattened
  std::map<std::string, Variable *> leftByName, implicit;
  std::set<std::string> silent;                                             ///< names reported already
  std::map<std::string, std::pair<std::string, const ast::Expr *>> boundBy; ///< name to operator
  std::map<const ast::Bind *, Variable *> binders;
  std::map<const ast::Subscript *, TupleUse *> tupleOf;
  std::map<const ast::Left *, TupleUse *> leftTuples;
  /// Names in `where` and `init` that are not on the left; judged once it is
  /// known whether the left side itself is sound.
  std::vector<std::pair<const ast::Name *, bool>> outside;
  std::vector<const ast::Name *> mentions; ///< names that may turn out to be implicit variables
  bool poisoned = false;
};

// ---- expression environments ----

struct Binding {
  VarId var = -1; ///< a variable, or
  ExprRef value;  ///< an expression (function parameters and locals); null: poisoned
};

/// Names visible in an expression. A function's body sees only its own; where a
/// reduction inside it binds a caller's variable anew, `substitution` says what
/// becomes of it in parameters and locals.
struct Env {
  const Env *parent = nullptr;
  std::map<std::string, Binding> names;
  std::vector<std::pair<VarId, VarId>> substitution;
  bool function = false;
};

/// What may stand in an expression.
enum class Context { Equation, Extent, ScalarDefault, Constant };

class Checker {
public:
  Checker(const ast::Cascade &source, const FunctionTable &functions, Diagnostics &diagnostics,
          const Bindings &bindings, Bindings &unused);
  /// The checked cascade, or nothing when there were errors.
  std::optional<ein::Cascade> run();

private:
  const ast::Cascade &source;
  const FunctionTable &functions;
  Diagnostics &diagnostics;
  const Bindings &bindings;
  Bindings &unused; ///< bindings that no cascade has used are removed from it when used
  ein::Cascade out;
  bool failed = false;

  // ---- Sema.cpp: errors and nodes ----
  Diagnostic &error(std::string rule, Range range, std::string message);
  std::set<std::pair<std::pair<uint32_t, uint32_t>, std::string>> seen;
  Diagnostic scratch;            ///< takes the notes of repeated errors
  std::set<std::string> unknown; ///< undefined names, reported once each
  ein::SourceRange locate(Range range) const;
  void suggest(Diagnostic &d, Range range, std::string_view name, const std::vector<std::string> &candidates);

  struct Facts {
    size_t size;
    int depth;
    std::vector<VarId> free;
  };
  std::unordered_map<const ein::Expr *, Facts> facts;
  std::vector<ExprRef> alive;
  size_t created = 0;
  bool exhausted = false;
  ExprRef node(ein::Expr e, Range range);
  const Facts &factsOf(const ExprRef &e) { return facts.at(e.get()); }
  bool isFree(const ExprRef &e, VarId v);
  ExprRef instantiate(const ExprRef &e, const std::map<VarId, ExprRef> &with);
  ExprRef instantiateIn(const ExprRef &e, const std::map<VarId, ExprRef> &with,
                        std::unordered_map<const ein::Expr *, ExprRef> &done);

  // ---- SemaHeader.cpp ----
  struct Param {
    const ast::Stmt *stmt = nullptr;
    Type type{};
    ExprRef value; ///< null: poisoned
    enum class State { New, Active, Done } state = State::New;
  };
  std::map<std::string, TensorId> tensors;
  std::map<std::string, int> scalars;
  std::map<std::string, Param> params;
  std::map<std::string, Range> declaredAt;
  std::set<std::string> poisonedNames;     ///< declared wrongly: silent
  std::map<std::string, RankId> ranks;     ///< aliases too
  std::vector<bool> tensorPoisoned;        ///< by TensorId: ranks unknown, silent
  std::vector<EquationState *> equationOf; ///< by TensorId
  std::deque<EquationState> equations;
  void declareAliases();
  RankId findRank(const ast::Name &name); ///< reports unknown ones
  bool declare(const ast::Name &name, std::string_view what);
  std::optional<Type> parseType(const ast::Name &name);
  Type overridden(const ast::Name &name, Type type);
  void header();
  void headerTensor(const ast::Decl &decl, bool output);
  void headerConstants();
  void declareParams();
  const Param *param(const std::string &name);
  ExprRef paramText(const std::string &name, const std::string &text);
  ExprRef constant(const ast::Expr &e, Type type, std::string_view what, Range range);
  void declareEquations();

  // ---- SemaExtents.cpp ----
  std::vector<bool> rankPoisoned;  ///< by RankId: without extent, reported
  std::vector<Range> extentSource; ///< by RankId: where its extent is said; invalid: nowhere
  void rankStatements();
  void splitStatements();
  void defineExtent(const ast::Name &rank, const ast::Expr &value, Range range);
  void checkExtents();
  void bindRanks();

  // ---- SemaScopes.cpp ----
  struct Scope {
    const Scope *parent = nullptr;
    std::map<std::string, Variable *> names;
    Variable *find(const std::string &name) const;
  };
  enum class Part { Right, Where, Init };
  void scopes(EquationState &state);
  void leftSide(EquationState &state);
  void scanExpr(EquationState &state, const ast::Expr &e, const Scope &scope, Part part);
  void scanReduce(EquationState &state, const ast::Expr &e, const Scope &scope, Part part);
  void scanSubscript(EquationState &state, const ast::Subscript &s, Site site, const Scope &scope, Part part);
  Variable *variableNamed(EquationState &state, const ast::Name &name, const Scope &scope, Part part,
                          bool plain);
  void unknownInPart(EquationState &state, const ast::Name &name, bool init);
  void settleOutside(EquationState &state);
  void settleMentions(EquationState &state);
  void refuseWhereVariable(EquationState &state, const ast::Name &name);
  bool isOtherName(const std::string &name) const; ///< scalar, parameter, tensor without ranks
  bool checkVariableName(EquationState &state, const ast::Name &name);
  void unknownName(const ast::Name &name, std::vector<std::string> candidates, std::string_view hint = {});
  std::vector<std::string> visibleNames(const EquationState *state) const;
  static bool isPlainName(const ast::Expr &e);

  // ---- SemaRanks.cpp ----
  void inferRanks();
  RankId rankOfSite(const Site &site) const;
  bool sitePoisoned(const Site &site) const;
  bool assignRank(EquationState &state, Variable &v, int level);
  bool assignSplit(TupleUse &tuple, int level);
  std::vector<SplitId> fittingSplits(const TupleUse &tuple, bool byCase) const;
  bool fillTensorRanks(EquationState &state);
  RankId rankByCase(const std::string &variable) const;
  void verifyRanks(EquationState &state);
  void verifyVariable(Variable &v);
  void reportTuple(EquationState &state, TupleUse &tuple);
  std::string rankName(RankId rank) const { return out.ranks[rank].name; }

  // ---- SemaKinds.cpp ----
  std::vector<std::optional<Kind>> tensorKind;
  size_t kindSteps = 0;
  using KindEnv = std::map<std::string, std::optional<Kind>>;
  std::optional<Kind> kindOf(const ast::Expr &e, const KindEnv *function);
  void inferKinds();

  // ---- SemaExpr.cpp ----
  Context context = Context::Equation;
  int scalarLimit = 0; ///< ScalarDefault: scalars before this one
  EquationState *state = nullptr;
  int depth = 0;
  std::vector<const ast::Expr *> callStack;
  std::map<const ast::Expr *, ExprRef> watched; ///< factors of the right side (r13)
  Binding lookup(const Env &env, const std::string &name, bool &found);
  ExprRef expr(const ast::Expr &e, const Env &env);
  ExprRef exprIn(const ast::Expr &e, const Env &env);
  ExprRef name(const ast::Expr &e, const Env &env);
  ExprRef functionName(const ast::Expr &e, const Env &env);
  ExprRef readTensor(const ast::Expr &e, TensorId tensor, const Env &env);
  ExprRef subscript(const ast::Subscript &s, const Env &env);
  bool outside(const ExprRef &subscript, RankId rank, int plus, Range range);
  ExprRef extentOf(const ast::Expr &e, const Env &env);
  ExprRef literal(const ast::Expr &e);
  ExprRef unaryExpr(const ast::Expr &e, const Env &env);
  ExprRef binaryExpr(const ast::Expr &e, const Env &env);
  ExprRef compareExpr(const ast::Expr &e, const Env &env);
  ExprRef ifExpr(const ast::Expr &e, const Env &env);
  ExprRef castExpr(const ast::Expr &e, const Env &env);
  ExprRef toFloat(const ExprRef &e);
  bool agree(ExprRef &a, ExprRef &b, Range range, std::string_view what);
  bool plainlyNonNegative(const ExprRef &e) const;
  ExprRef makeOp(ExprOp op, Kind kind, std::vector<ExprRef> args, Range range);
  ExprRef number(double value, Range range);
  ExprRef integer(int64_t value, Range range);
  /// `e` as a value to be stored in `type`, converted where that is implicit.
  ExprRef stored(ExprRef e, Type type, Range range, const std::string &what);

  // ---- SemaReductions.cpp ----
  ExprRef reduceExpr(const ast::Expr &e, const Env &env);
  bool checkReduceShape(const ast::Expr &e, ein::ReduceOp op);
  ExprRef impliedSum(EquationState &state, ExprRef rhs);
  VarId variableId(Variable &v);

  // ---- SemaFunctions.cpp ----
  ExprRef callExpr(const ast::Expr &e, const Env &env);
  ExprRef builtinCall(const ast::Expr &e, const Builtin &builtin, std::vector<ExprRef> args);
  ExprRef expand(const ast::Expr &e, const Function &function, std::vector<ExprRef> args, const Env &env);

  // ---- SemaEquations.cpp ----
  void buildEquations();
  bool buildEquation(EquationState &state);
  void schedule();
};

/// Whether the expression names one of the generators or types refused by u3, u4;
/// empty: no.
std::string_view refusedFunction(std::string_view name);

std::string_view kindName(Kind kind);

} // namespace einfall::frontend::sema
