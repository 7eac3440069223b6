//===- EinAttrs.td - expressions and steps of evaluation ----------------------===//
#ifndef EIN_ATTRS
#define EIN_ATTRS

include "dialects/ein/ir/EinDialect.td"
include "mlir/IR/AttrTypeBase.td"

class Ein_Attr<string name, string mnemonic_> : AttrDef<Ein_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Ein_ExprAttr : Ein_Attr<"Expr", "expr"> {
  let summary = "a scalar expression";
  let description = [{
    An immutable expression tree (`dialects/ein/Expr.h`). The attribute *is* its
    text (`ExprText.h`), the tree is kept beside it: equal texts are equal
    attributes. Names are labels; the tree's ids index the attribute's own
    tables (`getNames`), and `resolve` maps them to the tables of a cascade.

    ```mlir
    #ein.expr<"@scale * Q[b, (j, g) of H.J.G, p, e] * K[b, j, m, e]">
    #ein.expr<"#0[#1, |#2| - 1] * 0.5">     // without names: plain ids
    ```
  }];
  let parameters = (ins "::llvm::StringRef":$text);
  let genStorageClass = 0;
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Ids are printed as plain numbers.
    static ExprAttr get(::mlir::MLIRContext *context, const ::einfall::ein::ExprRef &e);
    /// Ids are printed as the names that `names` gives them.
    static ExprAttr get(::mlir::MLIRContext *context, const ::einfall::ein::ExprRef &e, const Names &names);
    /// From text; null and a message in `error` when it is malformed.
    static ExprAttr parseText(::mlir::MLIRContext *context, ::llvm::StringRef text, std::string &error);

    const ::einfall::ein::ExprRef &getExpr() const;
    /// What the ids in `getExpr` are called, in order of first use.
    const Names &getNames() const;
    /// The tree with ids of `to`; null when a name (then in `missing`) is not there.
    ::einfall::ein::ExprRef resolve(const Names &to, std::string &missing) const;
  }];
}

def Ein_StepAttr : Ein_Attr<"Step", "step"> {
  let summary = "one step of the order of evaluation";
  let description = [{
    Equations, by the names of their tensors, that need only earlier steps. A
    cycle is evaluated coordinate by coordinate along a rank (`down`: from the
    end), and along a second one inside (ein-r20).

    ```mlir
    #ein.step<O>
    #ein.step<R, U, S along T>
    #ein.step<A, W along I then J down>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr">:$tensors,
    "::mlir::StringAttr":$rank,
    "bool":$backward,
    "::mlir::StringAttr":$inner,
    "bool":$innerBackward
  );
  let hasCustomAssemblyFormat = 1;
}

def Ein_VariableAttr : Ein_Attr<"Variable", "var"> {
  let summary = "a variable and the rank it ranges over";
  let description = [{
    Every binder of a cascade has a variable of its own, numbered as listed;
    names repeat.

    ```mlir
    #ein.var<"m" in "M">
    ```
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "::mlir::StringAttr":$rank);
  let assemblyFormat = "`<` $name `in` $rank `>`";
}

#endif // EIN_ATTRS
