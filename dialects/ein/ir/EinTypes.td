//===- EinTypes.td - partial functions over ranks -----------------------------===//
#ifndef EIN_TYPES
#define EIN_TYPES

include "dialects/ein/ir/EinDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Ein_TensorType : TypeDef<Ein_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "a partial function from coordinates to elements";
  let description = [{
    A tensor over named ranks: a point has a value or does not exist. `H?` says
    that existence depends on the coordinate at that rank (ein-r16), `partial`
    that some point in range may be missing. `B + 1` is the header's dimension
    with one point more than rank B (ein-r9).

    ```mlir
    !ein.tensor<[B, H, E], bf16>             // every point exists
    !ein.tensor<[P?, M?], f32, partial>      // a masked score
    !ein.tensor<[B + 1], index>              // offsets
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr", "rank names, outermost first">:$ranks,
    ArrayRefParameter<"int64_t", "extra points, one per rank">:$plus,
    ArrayRefParameter<"bool", "existence depends on it, one per rank">:$depends,
    "::einfall::ein::Type":$element,
    "bool":$everywhere
  );
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    size_t getRankCount() const { return getRanks().size(); }
  }];
}

#endif // EIN_TYPES
