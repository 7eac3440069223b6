//===- StreamOps.td - kernels that read a rank once -------------------------===//
//
// The operations mirror the values of Stream.h (read its header first);
// StreamConvert.h goes from one to the other. Expressions are attributes over
// the names of the `ein.cascade` beside the program.
//
//===----------------------------------------------------------------------===//
#ifndef EINFALL_TILE_STREAM_OPS
#define EINFALL_TILE_STREAM_OPS
include "dialects/ein/ir/EinAttrs.td"

def Tile_StreamOp : Tile_Op<"stream", [HasParent<"KernelOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "a kernel that walks a rank once";
  let description = [{
    One task for each coordinate of `outer` and each group of `width` coordinates
    of `lanes` (flattened, last fastest). It walks the segments in blocks of
    `block` coordinates, then finishes. `tiles` are held over [block, lanes],
    `state` over [lanes, ..]; neither is stored.

    Before (two kernels, S and N stored):

    ```mlir
    tile.kernel { tile.nest "S" }   tile.kernel { tile.nest "D" }
    ```

    After:

    ```mlir
    tile.kernel {
      tile.stream "M" outer ["b"] lanes ["p"] width 64 block 48 tiles ["S", "N"] state ["X", "X_anchor", "D"] {
        tile.segment "m" of <"|M|"> {
          tile.contract "S" over ["e"] <"Q[b, p, e]"> by <"K[b, m, e]">
          tile.fold "X" max <"S[b, p, m]">
          tile.anchor "X_anchor" delta "delta" <"X[b, p]"> {
            tile.transport ["D"] by [[#ein.expr<"exp(-float(delta))">]]
          }
          tile.map "N" <"exp(S[b, p, m] - X_anchor[b, p])">
          tile.fold "D" sum <"N[b, p, m]">
        }
        tile.finish "D" at [#ein.expr<"b">, #ein.expr<"p">] <"D[b, p]">
      }
    }
    ```
  }];
  let arguments = (ins StrAttr:$rank, StrArrayAttr:$outer, StrArrayAttr:$lanes, I64Attr:$width, I64Attr:$block,
                   StrArrayAttr:$tiles, StrArrayAttr:$state);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $rank `outer` $outer `lanes` $lanes `width` $width `block` $block `tiles` $tiles `state` $state
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Tile_SegmentOp : Tile_Op<"segment", [HasParent<"StreamOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "a walk over one part of the streamed rank";
  let description = [{
    The steps in its body run for every block that has a point.

    ```mlir
    tile.segment "m" of <"|M|"> { tile.fold "C" sum <"W[b, m]"> }
    ```
  }];
  let arguments = (ins StrAttr:$var, Ein_ExprAttr:$extent);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$var `of` $extent attr-dict-with-keyword $body";
}

class Tile_StepOp<string mnemonic, list<Trait> traits = []>
    : Tile_Op<mnemonic, !listconcat([HasParent<"SegmentOp">], traits)>;

def Tile_ContractOp : Tile_StepOp<"contract"> {
  let summary = "a tile as a product summed over variables";
  let description = [{
    tensor[m, lanes] = sum over `over` of a * b; `a` is the same for all m, `b`
    the same in all lanes. Register blocks of the lowering compute it.

    ```mlir
    tile.contract "S" over ["e"] <"@scale * Q[b, p, e]"> by <"K[b, m, e]"> where <"m <= p">
    ```
  }];
  let arguments = (ins StrAttr:$tensor, StrArrayAttr:$over, Ein_ExprAttr:$a, Ein_ExprAttr:$b,
                   OptionalAttr<Ein_ExprAttr>:$mask);
  let assemblyFormat = "$tensor `over` $over $a `by` $b (`where` $mask^)? attr-dict";
}

def Tile_MapOp : Tile_StepOp<"map"> {
  let summary = "a tile computed point by point";
  let description = [{
    ```mlir
    tile.map "N" <"exp(S[b, p, m] - X_anchor[b, p])"> where <"m <= p">
    ```
  }];
  let arguments = (ins StrAttr:$tensor, Ein_ExprAttr:$value, OptionalAttr<Ein_ExprAttr>:$mask);
  let assemblyFormat = "$tensor $value (`where` $mask^)? attr-dict";
}

def Tile_FoldOp : Tile_StepOp<"fold"> {
  let summary = "reduces a block into row state";
  let description = [{
    tensor[lanes, over] = op(itself, value at every m of the block).

    ```mlir
    tile.fold "X" max <"S[b, p, m]"> where <"m <= p">
    ```
  }];
  let arguments = (ins StrAttr:$tensor, StrAttr:$op, StrArrayAttr:$over, Ein_ExprAttr:$value,
                   OptionalAttr<Ein_ExprAttr>:$mask);
  let assemblyFormat = "$tensor $op `over` $over $value (`where` $mask^)? attr-dict";
}

def Tile_FoldContractOp : Tile_StepOp<"fold_contract"> {
  let summary = "adds a product, summed over the block, to row state";
  let description = [{
    tensor[lanes, over] += sum over the block of a * b; `a` reads a tile, `b` is
    the same in all lanes.

    ```mlir
    tile.fold_contract "O" over ["f"] <"N[b, p, m]"> by <"V[b, m, f]">
    ```
  }];
  let arguments = (ins StrAttr:$tensor, StrArrayAttr:$over, Ein_ExprAttr:$a, Ein_ExprAttr:$b,
                   OptionalAttr<Ein_ExprAttr>:$mask);
  let assemblyFormat = "$tensor `over` $over $a `by` $b (`where` $mask^)? attr-dict";
}

def Tile_AnchorOp : Tile_StepOp<"anchor", [SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "moves a stand-in for a row result; state follows";
  let description = [{
    The anchor takes the row value where that is finite. With `lag` it may stay
    behind a value that grew by little. The transports in the body then correct
    the state by the distance `delta` that it moved.

    ```mlir
    tile.anchor "X_anchor" over [] delta "delta" <"X[b, p]"> lag {
      tile.transport ["D"] by [[#ein.expr<"exp(-float(delta))">]]
    }
    ```
  }];
  let arguments = (ins StrAttr:$tensor, StrArrayAttr:$over, StrAttr:$delta, Ein_ExprAttr:$value, UnitAttr:$lag);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$tensor `over` $over `delta` $delta $value (`lag` $lag^)? attr-dict-with-keyword $body";
}

def Tile_TransportOp : Tile_Op<"transport", [HasParent<"AnchorOp">]> {
  let summary = "how state follows an anchor";
  let description = [{
    state' = matrix * state. A row without entries leaves its state alone (it is
    moved by a transport of its own), a unit entry is 0. With `shift` the one
    entry is added: maxima and minima.

    ```mlir
    tile.transport ["H", "D"] by [[#ein.expr<"exp(-float(delta))">, unit], []]
    ```
  }];
  let arguments = (ins StrArrayAttr:$state, ArrayAttr:$matrix, UnitAttr:$shift);
  let assemblyFormat = "$state `by` $matrix (`shift` $shift^)? attr-dict";
  let hasVerifier = 1;
}

def Tile_FinishOp : Tile_Op<"finish", [HasParent<"StreamOp">]> {
  let summary = "stores a row result";
  let description = [{
    ```mlir
    tile.finish "O" at [#ein.expr<"b">, #ein.expr<"p">, #ein.expr<"f">] over ["f"] <"O_1[b, p, f] / D[b, p]">
    ```
  }];
  let arguments = (ins StrAttr:$tensor, ArrayAttr:$subscripts, StrArrayAttr:$over, Ein_ExprAttr:$value,
                   OptionalAttr<Ein_ExprAttr>:$mask);
  let assemblyFormat = "$tensor `at` $subscripts `over` $over $value (`where` $mask^)? attr-dict";
}
#endif
