// RUN: einfall-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{variable 'm' ranges over a rank that is not here [ein-r3]}}
ein.cascade @r3_rank variables [m: N] steps [] {
  ein.rank @M
  ein.outputs
}

// -----

ein.cascade @r4_name variables [m: M] steps [] {
  ein.rank @M
  // expected-error @+1 {{'Z' is not defined [ein-r4]}}
  ein.rank @N = "Z[|M|]"
  ein.outputs
}

// -----

ein.cascade @r4_rank variables [] steps [] {
  ein.rank @M
  // expected-error @+1 {{'N' is no rank [ein-r4]}}
  %x = ein.input "X" : !ein.tensor<[N], f32>
  ein.outputs
}

// -----

ein.cascade @r4_number variables [] steps [] {
  // expected-error @+1 {{uses number 7, which is not there [ein-r4]}}
  ein.rank @M = "|#7|"
  ein.outputs
}

// -----

ein.cascade @r4_operands variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{names 1 tensors but has 0 operands [ein-r4]}}
  %y = ein.map "Y"["m"] = "X[m]"() : () -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r4_operand_name variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{names tensor 'Z', but the operand there is 'X' [ein-r4]}}
  %y = ein.map "Y"["m"] = "Z[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r5_twice variables [m: M, n: M] steps [<X>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'X' is defined twice [ein-r5]}}
  %y = ein.map "X"["m"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r5_left variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'Y' has 1 ranks, 2 left subscripts [ein-r5]}}
  %y = ein.map "Y"["m", "n"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r5_left_expression variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{left subscript 'm + 1' is neither a variable nor a tuple of variables [ein-r5]}}
  %y = ein.map "Y"["m + 1"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r5_left_distinct variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{variable 'm' stands twice on the left [ein-r5]}}
  %y = ein.map "Y"["m", "m"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M, M], f32>
  ein.outputs %y : !ein.tensor<[M, M], f32>
}

// -----

ein.cascade @r5_subscripts variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'X' has 1 ranks, 2 subscripts [ein-r5]}}
  %y = ein.map "Y"["m"] = "X[m, m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r7_parts variables [] steps [] {
  ein.rank @M
  ein.rank @N
  // expected-error @+1 {{has 1 parts, needs two or more [ein-r7]}}
  ein.split @M.N : @M into [@N]
  ein.outputs
}

// -----

ein.cascade @r7_part_rank variables [] steps [] {
  ein.rank @M
  ein.rank @N
  // expected-error @+1 {{'C' is no rank [ein-r7]}}
  ein.split @M.N : @M into [@N, @C]
  ein.outputs
}

// -----

ein.cascade @r7_tuple_size variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  ein.rank @N
  ein.rank @C
  ein.split @M.N.C : @M into [@N, @C]
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{split 'M.N.C' has 2 parts, the tuple 3 [ein-r7]}}
  %y = ein.map "Y"["m"] = "X[(m, m, m) of M.N.C]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r7_tuple_rank variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  ein.rank @N
  ein.rank @C
  ein.split @N.M.C : @N into [@M, @C]
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{split 'N.M.C' is of rank 'N', but the subscript is at rank 'M' [ein-r7]}}
  %y = ein.map "Y"["m"] = "X[(m, m) of N.M.C]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r8_element variables [] steps [] {
  // expected-error @+1 {{unknown element type 'f33' [ein-r8]}}
  %x = ein.input "X" : !ein.tensor<[], f33>
  ein.outputs
}

// -----

ein.cascade @r8_scalar variables [] steps [] {
  // expected-error @+1 {{has unknown type 'f33' [ein-r8]}}
  ein.scalar @s : "f33"
  ein.outputs
}

// -----

ein.cascade @r8_where variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'where' needs a bool [ein-r8]}}
  %y = ein.map "Y"["m"] = "X[m]" where "m"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r8_subscript variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{a subscript of 'X' is no integer [ein-r8]}}
  %y = ein.map "Y"["m"] = "X[1.0]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r8_kind variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'X' of f32 is read as another kind [ein-r8]}}
  %y = ein.map "Y"["m"] = "X[m]:i"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r10 variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'m' is reduced but stands on the left [ein-r10]}}
  %y = ein.reduce "Y"["m"] = "sum[m] X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r11 variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'n' is free in the 'where' but not on the left [ein-r11]}}
  %y = ein.map "Y"["m"] = "X[m]" where "n < 3"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r12 variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'n' is free in the right side but not on the left [ein-r12]}}
  %y = ein.map "Y"["m"] = "X[n]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r18 variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{has the right side of ein.map [ein-r18]}}
  %y = ein.reduce "Y"["m"] = "exp(X[m])"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

// expected-error @+1 {{step names 'Z', which has no equation [ein-r20]}}
ein.cascade @r20_unknown variables [] steps [<Z>] {
  ein.outputs
}

// -----

// expected-error @+1 {{'Y' is in two steps [ein-r20]}}
ein.cascade @r20_twice variables [m: M] steps [<Y>, <Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  %y = ein.map "Y"["m"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r20_none variables [m: M] steps [] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'Y' is in no step [ein-r20]}}
  %y = ein.map "Y"["m"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

// expected-error @+1 {{step goes along 'T', which is no rank [ein-r20]}}
ein.cascade @r20_rank variables [m: M] steps [<Y along T>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  %y = ein.map "Y"["m"] = "X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r21_map variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{has 'init' but is no recurrence [ein-r21]}}
  %y = ein.map "Y"["m"] = "X[m]" init "0.0" along 0(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r21_along variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'init' and the rank position that it lies along go together [ein-r21]}}
  %y = ein.recurrence "Y"["m"] = "X[m]" init "0.0"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @r21_position variables [m: M, n: M] steps [<Y>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // expected-error @+1 {{'init' lies along rank position 1 of 1 [ein-r21]}}
  %y = ein.recurrence "Y"["m"] = "X[m]" init "0.0" along 1(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %y : !ein.tensor<[M], f32>
}

// -----

ein.cascade @text variables [] steps [] {
  // expected-error @+1 {{malformed expression: expected ']' at ''}}
  ein.rank @M = "X[1"
  ein.outputs
}
