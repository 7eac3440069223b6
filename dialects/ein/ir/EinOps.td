//===- EinOps.td - operations of the ein dialect -----------------------------===//
#ifndef EIN_OPS
#define EIN_OPS

include "dialects/ein/ir/EinAttrs.td"
include "dialects/ein/ir/EinDialect.td"
include "dialects/ein/ir/EinInterfaces.td"
include "dialects/ein/ir/EinTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Ein_Op<string mnemonic, list<Trait> traits = []> : Op<Ein_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// The cascade and its declarations
//===----------------------------------------------------------------------===//

def Ein_CascadeOp : Ein_Op<"cascade", [IsolatedFromAbove, Symbol, SymbolTable, SingleBlock,
    RegionKindInterface, HasOnlyGraphRegion]> {
  let summary = "a list of equations over named tensors";
  let description = [{
    Declares ranks, splits, scalars and inputs, and holds one equation per
    tensor; order means nothing and equations may read themselves. `variables`
    lists every variable with its rank; `steps` is an order of evaluation.
    Names repeat: every binder of every equation has a variable of its own.
    `order` lists the tensors when their numbers are not simply inputs, outputs,
    then the others as written.

    ```mlir
    ein.cascade @total variables [m: M] steps [<Y>] {
      ein.rank @M
      %x = ein.input "X" : !ein.tensor<[M], f32>
      %y = ein.reduce "Y"[] = "sum[m] X[m]"(%x)
             : (!ein.tensor<[M], f32>) -> !ein.tensor<[], f32>
      ein.outputs %y : !ein.tensor<[], f32>
    }
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    TypedArrayAttrBase<Ein_VariableAttr, "variables">:$variables,
    TypedArrayAttrBase<Ein_StepAttr, "steps">:$steps,
    OptionalAttr<StrArrayAttr>:$order
  );
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `variables` custom<Variables>($variables) `steps` custom<Steps>($steps)
    (`order` $order^)? attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

class Ein_DeclarationOp<string mnemonic, list<Trait> traits = []>
    : Ein_Op<mnemonic, !listconcat(traits, [HasParent<"CascadeOp">])>;

def Ein_RankOp : Ein_DeclarationOp<"rank", [Symbol]> {
  let summary = "a rank: a named index range";
  let description = [{
    Its extent is known at the call, fixed, or defined from other extents
    (ein-r9); a `default` definition gives way to an argument. `aka` lists other
    names of the same rank (`rank M = P`).

    ```mlir
    ein.rank @M aka ["P"]
    ein.rank @C fixed 64
    ein.rank @U = "|L| + |M|"
    ein.rank @W = "128" default
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    OptionalAttr<StrArrayAttr>:$aliases,
    OptionalAttr<I64Attr>:$fixed,
    OptionalAttr<Ein_ExprAttr>:$definition,
    UnitAttr:$is_default
  );
  let assemblyFormat = [{
    $sym_name (`aka` $aliases^)? (`fixed` custom<Int>($fixed)^)? (`=` custom<Expr>($definition)^)?
    (`default` $is_default^)? attr-dict
  }];
}

def Ein_SplitOp : Ein_DeclarationOp<"split", [Symbol]> {
  let summary = "coordinates of a rank as tuples";
  let description = [{
    Coordinate `m` of the whole is the tuple of the parts, outermost first:
    `m = n*|C| + c` (ein-r7). Tuples name the split that they use.

    ```mlir
    ein.split @M.N.C : @M into [@N, @C]      // split M = (N, C)
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    FlatSymbolRefAttr:$whole,
    TypedArrayAttrBase<FlatSymbolRefAttr, "ranks">:$parts
  );
  let assemblyFormat = "$sym_name `:` $whole `into` $parts attr-dict";
}

def Ein_ScalarOp : Ein_DeclarationOp<"scalar", [Symbol]> {
  let summary = "a scalar argument, known at the call";
  let description = [{
    Expressions name it `@scale`. The default may use extents and scalars
    declared before it.

    ```mlir
    ein.scalar @scale : "f32" = "1.0 / sqrt(float(|E|))"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$type, OptionalAttr<Ein_ExprAttr>:$default_value);
  let assemblyFormat = "$sym_name `:` $type (`=` custom<Expr>($default_value)^)? attr-dict";
  let hasVerifier = 1;
}

def Ein_InputOp : Ein_DeclarationOp<"input", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "a tensor argument";
  let description = [{
    An input has all its points. With a constant it may be left out at the call.

    ```mlir
    %q = ein.input "Q" : !ein.tensor<[B, H, P, E], bf16>
    %s = ein.input "S0" = "0.0" : !ein.tensor<[H, E, F], f32>
    ```
  }];
  let arguments = (ins StrAttr:$tensor_name, OptionalAttr<Ein_ExprAttr>:$default_value);
  let results = (outs Ein_TensorType:$result);
  let assemblyFormat = "$tensor_name (`=` custom<Expr>($default_value)^)? attr-dict `:` qualified(type($result))";
}

def Ein_OutputsOp : Ein_DeclarationOp<"outputs", [Terminator, Pure]> {
  let summary = "the tensors that the header lists as outputs, in its order";
  let description = [{
    ```mlir
    ein.outputs %o, %lse : !ein.tensor<[B, P, F], bf16>, !ein.tensor<[B, P], f32>
    ```
  }];
  let arguments = (ins Variadic<Ein_TensorType>:$tensors);
  let assemblyFormat = "($tensors^ `:` type($tensors))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

// Equations are not `Pure`: whoever removes one also removes its place in the
// cascade's steps (CascadeOp::canonicalize does, for what no output needs).

// `T[lhs] = rhs where .. init ..`. Operands are the tensors that the expressions
// read, in order of first occurrence; an expression names them, and the verifier
// holds names and operands together. `from` is the number of the equation's first
// variable: its `m` is the first variable of that name from there on, its `m.1`
// the second.
class Ein_EquationOp<string mnemonic> : Ein_DeclarationOp<mnemonic, [EquationInterface,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let arguments = (ins
    StrAttr:$tensor_name,
    TypedArrayAttrBase<Ein_ExprAttr, "left subscripts">:$lhs,
    Ein_ExprAttr:$rhs,
    OptionalAttr<Ein_ExprAttr>:$where,
    OptionalAttr<Ein_ExprAttr>:$init,
    OptionalAttr<I64Attr>:$init_rank,
    UnitAttr:$init_backward,
    OptionalAttr<Ein_ExprAttr>:$empty,
    UnitAttr:$annotated,
    OptionalAttr<I64Attr>:$first,
    Variadic<Ein_TensorType>:$reads
  );
  let results = (outs Ein_TensorType:$result);
  let assemblyFormat = [{
    $tensor_name `` custom<Lhs>($lhs) `=` custom<Expr>($rhs) (`where` custom<Expr>($where)^)?
    (`init` custom<Expr>($init)^)? (`along` custom<Int>($init_rank)^)? (`down` $init_backward^)?
    (`empty` custom<Expr>($empty)^)? (`rounded` $annotated^)? (`from` custom<Int>($first)^)?
    `(` $reads `)` attr-dict `:` functional-type($reads, $result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Ein_MapOp : Ein_EquationOp<"map"> {
  let summary = "an equation that computes each point by itself";
  let description = [{
    The right side is any expression but a single reduction, scan or selection.

    ```mlir
    // N[p, m] = exp(S[p, m] - X[p])
    %n = ein.map "N"["p", "m"] = "exp(S[p, m] - X[p])"(%s, %x)
           : (!ein.tensor<[P, M], f32>, !ein.tensor<[P], f32>) -> !ein.tensor<[P, M], f32>
    ```
  }];
}

def Ein_ReduceOp : Ein_EquationOp<"reduce"> {
  let summary = "an equation whose right side is one reduction";
  let description = [{
    Sum, product, extremum, mean, any, all, count, argmax or argmin over
    variables that the left side does not have (ein-r10, r18). `sum?` reduces
    over the points that exist (ein-r17).

    ```mlir
    // D[p] = sum[m where m <= p] N[p, m]
    %d = ein.reduce "D"["p"] = "sum[m where m <= p] N[p, m]"(%n)
           : (!ein.tensor<[P, M], f32>) -> !ein.tensor<[P], f32>
    ```
  }];
}

def Ein_ScanOp : Ein_EquationOp<"scan"> {
  let summary = "an equation whose right side is one inclusive scan";
  let description = [{
    The variable is bound anew inside; `at` says where the result is taken.

    ```mlir
    // C[t] = cumsum[t] G[t]
    %c = ein.scan "C"["t"] = "cumsum[t.1 at t] G[t.1]"(%g)
           : (!ein.tensor<[T], f32>) -> !ein.tensor<[T], f32>
    ```
  }];
}

def Ein_SelectOp : Ein_EquationOp<"select"> {
  let summary = "an equation whose right side is one selection";
  let description = [{
    `top`, `top_mass`, `place`, `argsort` or `coordinates` (ein-r18).

    ```mlir
    // Sel[t, n] = top[n; 3] R[t, n]
    %sel = ein.select "Sel"["t", "n"] = "top[n.1 at n; 3] R[t, n.1]"(%r)
             : (!ein.tensor<[T, N], f32>) -> !ein.tensor<[T, N], bool>
    ```
  }];
}

def Ein_RecurrenceOp : Ein_EquationOp<"recurrence"> {
  let summary = "an equation on a cycle, or with an initial value";
  let description = [{
    Along one rank every read in the cycle stays or goes back (ein-r20); `init`
    is the value before the start, at rank position `along` (`down`: past the
    end; ein-r21).

    ```mlir
    // S[t] = A[t] * S[t-1] + X[t]   init 0
    %s = ein.recurrence "S"["t"] = "A[t] * S[t - 1] + X[t]" init "0.0" along 0 (%a, %s, %x)
           : (!ein.tensor<[T], f32>, !ein.tensor<[T], f32>, !ein.tensor<[T], f32>) -> !ein.tensor<[T], f32>
    ```
  }];
}

#endif // EIN_OPS
