//===- TileOps.td - how a cascade is computed ------------------------------===//
//
// `ein` says what, `tile` says how, without a target. A `tile.program` refers to
// the `ein.cascade` beside it by tensor and rank names: equations are not copied
// into it, so that a rewrite of the schedule can never change their meaning.
//
//===----------------------------------------------------------------------===//
#ifndef EINFALL_TILE_OPS
#define EINFALL_TILE_OPS
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::einfall::tile";
  let dependentDialects = ["::einfall::ein::ir::EinDialect"]; // expressions are its attributes
  let summary = "storage, kernels and loops of a cascade";
  let description = [{
    A program lists the storage of intermediates and the kernels in the order in
    which they run. Kernels run one after the other; inside a kernel, tasks run
    in any order on any thread. Extents stay symbolic.
  }];
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

/// Computes one equation; stands in a kernel, or in the steps of a recurrence.
class Tile_EquationOp<string mnemonic, list<Trait> traits = []>
    : Tile_Op<mnemonic, !listconcat([ParentOneOf<["KernelOp", "StepsOp"]>], traits)> {
  let arguments = (ins StrAttr:$tensor, OptionalAttr<I64Attr>:$step, OptionalAttr<I64Attr>:$innerStep);
  let assemblyFormat = "$tensor (`step` $step^)? (`inner` $innerStep^)? attr-dict";
  let hasVerifier = 1;
}

def Tile_ProgramOp : Tile_Op<"program", [SingleBlock, NoTerminator, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "storage and kernels of one cascade";
  let description = [{
    Its name is that of the `ein.cascade` in the same module.

    ```mlir
    tile.program @softmax {
      tile.buffer "S" ["P", "M"] "f32" presence
      tile.kernel { tile.nest "S" }
      tile.kernel { tile.nest "O" }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$cascade);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$cascade attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Tile_BufferOp : Tile_Op<"buffer", [HasParent<"ProgramOp">]> {
  let summary = "workspace of one tensor";
  let description = [{
    Dense, row-major storage in the workspace, one element a point of the named
    ranks. With `presence` there is one byte a point beside it: 1 where the point
    exists. `shadow` asks for the byte map alone: the values lie in an output.

    ```mlir
    tile.buffer "N" ["B", "P", "M"] "f32" presence
    ```
  }];
  let arguments = (ins StrAttr:$tensor, StrArrayAttr:$ranks, StrAttr:$type, UnitAttr:$presence, UnitAttr:$shadow);
  let assemblyFormat = "$tensor $ranks $type (`presence` $presence^)? (`shadow` $shadow^)? attr-dict";
  let hasVerifier = 1;
}

def Tile_KernelOp : Tile_Op<"kernel", [HasParent<"ProgramOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "work between two barriers";
  let description = [{
    Holds one op that is distributed over tasks. All of the kernel's stores are
    done before the next kernel starts.

    ```mlir
    tile.kernel { tile.nest "S" }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Tile_NestOp : Tile_EquationOp<"nest"> {
  let summary = "all points of one equation";
  let description = [{
    Loops over the left variables of the tensor's equation; the outer ones are
    distributed over tasks. The body is the equation's expression with nested
    reductions as inner sequential loops. Points that do not exist store 0 in
    the presence map, and in an output its `empty` value.

    Inside `tile.steps`, `step` (and `inner`) is the number of the left variable
    that the enclosing loop fixes.

    ```mlir
    tile.nest "S"
    tile.nest "S" step 2
    ```
  }];
}

def Tile_SelectOp : Tile_EquationOp<"select"> {
  let summary = "a selection over rows";
  let description = [{
    The equation's right side is one `place`, `top`, `top_mass`, `argsort` or
    `coordinates`. Left variables on which the selected expression depends are
    *rows*: for each, the keys of all points are computed once into scratch
    memory, ordered by the runtime, and the result is looked up at the remaining
    left variables.

    ```mlir
    tile.select "Sel"
    ```
  }];
}

def Tile_ScanOp : Tile_EquationOp<"scan"> {
  let summary = "a running reduction over rows";
  let description = [{
    As `tile.select`, for `cumsum`, `cumprod`, `cummax` and `cummin`.

    ```mlir
    tile.scan "C"
    ```
  }];
}

def Tile_StepsOp : Tile_Op<"steps", [HasParent<"KernelOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "a recurrence";
  let description = [{
    Runs its equations coordinate by coordinate of `rank` (downwards if
    `backward`), and inside that of `inner` if given. `shared` names ranks that
    no read within the cycle shifts: they are distributed over tasks.

    ```mlir
    tile.steps "T" shared ["B", "H"] {
      tile.nest "R" step 2
      tile.nest "U" step 2
      tile.nest "S" step 2
    }
    ```
  }];
  let arguments = (ins StrAttr:$rank, UnitAttr:$backward, OptionalAttr<StrAttr>:$inner, UnitAttr:$innerBackward,
                   StrArrayAttr:$shared);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $rank (`backward` $backward^)? (`inner` $inner^)? (`inner_backward` $innerBackward^)? `shared` $shared
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}
include "dialects/tile/StreamOps.td"
#endif
