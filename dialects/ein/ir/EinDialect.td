//===- EinDialect.td - the ein dialect: what is computed ----------------------===//
#ifndef EIN_DIALECT
#define EIN_DIALECT

include "mlir/IR/OpBase.td"

def Ein_Dialect : Dialect {
  let name = "ein";
  let cppNamespace = "::einfall::ein::ir";
  let summary = "cascades of extended Einsums";
  let description = [{
    A cascade says *what* is computed: one operation per equation, over ranks
    with symbolic extents, with value semantics and no memory. There are no
    loops, tiles or orders; equations stand in a graph region, so that a
    recurrence may read itself.

    The dialect carries exactly the structure of `dialects/ein/Cascade.h`;
    `Convert.h` goes from one to the other without loss. Its meaning is that of
    the language (docs/language.md), whose rule ids the verifiers cite.

    ```mlir
    ein.cascade @row_sum variables [b: B, m: M] steps [<D>] {
      ein.rank @B
      ein.rank @M
      %x = ein.input "X" : !ein.tensor<[B, M], f32>
      %d = ein.reduce "D"["b"] = "sum[m] X[b, m]"(%x)
             : (!ein.tensor<[B, M], f32>) -> !ein.tensor<[B], f32>
      ein.outputs %d : !ein.tensor<[B], f32>
    }
    ```

    Left out on purpose: shapes (a rank is a symbol, its extent a property of
    the call), broadcasting, in-place updates, and any operation that stands for
    a particular attention variant.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

#endif // EIN_DIALECT
