// RUN: einfall-opt %s | einfall-opt | FileCheck %s
// RUN: einfall-opt %s --mlir-print-op-generic | einfall-opt | FileCheck %s

// Every operation of the tile dialect goes through its text unchanged.

// CHECK-LABEL: tile.program @nests
tile.program @nests {
  // CHECK: tile.buffer "S" ["B", "P", "M"] "f32" presence
  tile.buffer "S" ["B", "P", "M"] "f32" presence
  // CHECK: tile.buffer "O" [] "i64" presence shadow
  tile.buffer "O" [] "i64" presence shadow
  // CHECK: tile.kernel {
  // CHECK-NEXT: tile.nest "S"
  tile.kernel { tile.nest "S" }
  // CHECK: tile.select "Sel"
  tile.kernel { tile.select "Sel" }
  // CHECK: tile.scan "C"
  tile.kernel { tile.scan "C" }
  // CHECK: tile.steps "T" shared ["B", "H"] {
  tile.kernel {
    tile.steps "T" shared ["B", "H"] {
      // CHECK-NEXT: tile.nest "R" step 2
      tile.nest "R" step 2
      // CHECK-NEXT: tile.scan "Q" step 0
      tile.scan "Q" step 0
      // CHECK-NEXT: tile.select "U" step 1
      tile.select "U" step 1
    }
  }
  // CHECK: tile.steps "T" backward inner "U" inner_backward shared [] {
  tile.kernel {
    tile.steps "T" backward inner "U" inner_backward shared [] {
      // CHECK-NEXT: tile.nest "W" step 0 inner 1
      tile.nest "W" step 0 inner 1
    }
  }
}

// CHECK-LABEL: tile.program @streams
tile.program @streams {
  tile.kernel {
    // CHECK: tile.stream "M" outer ["b"] lanes ["p"] width 64 block 48 tiles ["S", "N"] state ["X", "X_anchor", "D", "O"] {
    tile.stream "M" outer ["b"] lanes ["p"] width 64 block 48 tiles ["S", "N"] state ["X", "X_anchor", "D", "O"] {
      // CHECK: tile.segment "m" of <"|M|"> {
      tile.segment "m" of <"|M|"> {
        // CHECK: tile.contract "S" over ["e"] <"@scale * Q[b, p, e]"> by <"K[b, m, e]"> where <"m <= p">
        tile.contract "S" over ["e"] <"@scale * Q[b, p, e]"> by <"K[b, m, e]"> where <"m <= p">
        // CHECK: tile.fold "X" "max" over [] <"S[b, p, m]"> where <"m <= p">
        tile.fold "X" "max" over [] <"S[b, p, m]"> where <"m <= p">
        // CHECK: tile.anchor "X_anchor" over [] delta "delta" <"X[b, p]"> lag {
        tile.anchor "X_anchor" over [] delta "delta" <"X[b, p]"> lag {
          // CHECK-NEXT: tile.transport ["D", "O"] by {{\[\[}}#ein.expr<"exp(-float(delta))">, unit], []]
          tile.transport ["D", "O"] by [[#ein.expr<"exp(-float(delta))">, unit], []]
          // CHECK-NEXT: tile.transport ["Z"] by {{\[\[}}#ein.expr<"-float(delta)">]] shift
          tile.transport ["Z"] by [[#ein.expr<"-float(delta)">]] shift
        }
        // CHECK: tile.map "N" <"exp(S[b, p, m] - X_anchor[b, p])"> where <"m <= p">
        tile.map "N" <"exp(S[b, p, m] - X_anchor[b, p])"> where <"m <= p">
        // CHECK: tile.fold "D" "sum" over [] <"N[b, p, m]">
        tile.fold "D" "sum" over [] <"N[b, p, m]">
        // CHECK: tile.fold_contract "O" over ["f"] <"N[b, p, m]"> by <"V[b, m, f]">
        tile.fold_contract "O" over ["f"] <"N[b, p, m]"> by <"V[b, m, f]">
      }
      // CHECK: tile.finish "O" at [#ein.expr<"b">, #ein.expr<"p">, #ein.expr<"f">] over ["f"] <"O[b, p, f] / D[b, p]"> where <"D[b, p] > 0.0">
      tile.finish "O" at [#ein.expr<"b">, #ein.expr<"p">, #ein.expr<"f">] over ["f"] <"O[b, p, f] / D[b, p]"> where <"D[b, p] > 0.0">
    }
  }
}
