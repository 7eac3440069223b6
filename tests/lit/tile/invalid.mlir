// RUN: einfall-opt %s --split-input-file --verify-diagnostics

tile.program @foreign {
  // expected-error @+1 {{cannot stand in 'tile.program'}}
  %0 = arith.constant 1 : i32
}

// -----

tile.program @twice {
  tile.buffer "S" ["P"] "f32"
  // expected-error @+1 {{is a second buffer of 'S'}}
  tile.buffer "S" ["P"] "f32"
}

// -----

tile.program @type {
  // expected-error @+1 {{has no element type 'f31'}}
  tile.buffer "S" ["P"] "f31"
}

// -----

tile.program @shadow {
  // expected-error @+1 {{with 'shadow' needs 'presence'}}
  tile.buffer "S" ["P"] "f32" shadow
}

// -----

tile.program @two_in_a_kernel {
  // expected-error @+1 {{holds exactly one operation}}
  tile.kernel {
    tile.nest "S"
    tile.nest "T"
  }
}

// -----

tile.program @step_outside {
  tile.kernel {
    // expected-error @+1 {{has 'step' outside 'tile.steps'}}
    tile.nest "S" step 1
  }
}

// -----

tile.program @no_equation {
  tile.kernel {
    // expected-error @+1 {{holds no equation}}
    tile.steps "T" shared [] {
    }
  }
}

// -----

tile.program @without_step {
  tile.kernel {
    tile.steps "T" shared [] {
      // expected-error @+1 {{inside 'tile.steps' needs 'step'}}
      tile.nest "R"
    }
  }
}

// -----

tile.program @negative_step {
  tile.kernel {
    tile.steps "T" shared [] {
      // expected-error @+1 {{'step' is negative: -1}}
      tile.nest "R" step -1
    }
  }
}

// -----

tile.program @inner_missing {
  tile.kernel {
    tile.steps "T" inner "U" shared [] {
      // expected-error @+1 {{must have 'inner' exactly when the enclosing 'tile.steps' has}}
      tile.nest "R" step 0
    }
  }
}

// -----

tile.program @inner_backward {
  tile.kernel {
    // expected-error @+1 {{has 'inner_backward' without 'inner'}}
    tile.steps "T" inner_backward shared [] {
      tile.nest "R" step 0
    }
  }
}

// -----

tile.program @stray {
  // expected-error @+1 {{cannot stand in 'tile.program'}}
  tile.nest "S"
}

// -----

// expected-error @+1 {{expects parent op 'tile.program'}}
tile.kernel { tile.nest "S" }

// -----

tile.program @no_lanes {
  tile.kernel {
    // expected-error @+1 {{has no variable in the lanes}}
    tile.stream "M" outer ["b"] lanes [] width 64 block 48 tiles [] state ["X"] {
    }
  }
}

// -----

tile.program @no_width {
  tile.kernel {
    // expected-error @+1 {{needs a positive width and block}}
    tile.stream "M" outer [] lanes ["p"] width 0 block 48 tiles [] state ["X"] {
    }
  }
}

// -----

tile.program @foreign_in_stream {
  tile.kernel {
    tile.stream "M" outer [] lanes ["p"] width 64 block 48 tiles [] state ["X"] {
      // expected-error @+1 {{cannot stand in 'tile.stream'}}
      %0 = arith.constant 1 : i32
    }
  }
}

// -----

tile.program @rows {
  tile.kernel {
    tile.stream "M" outer [] lanes ["p"] width 64 block 48 tiles [] state ["X"] {
      tile.segment "m" of <"|M|"> {
        tile.anchor "A" over [] delta "delta" <"X[p]"> {
          // expected-error @+1 {{has 2 rows for 1 states}}
          tile.transport ["D"] by [[unit], [unit]]
        }
      }
    }
  }
}

// -----

tile.program @columns {
  tile.kernel {
    tile.stream "M" outer [] lanes ["p"] width 64 block 48 tiles [] state ["X"] {
      tile.segment "m" of <"|M|"> {
        tile.anchor "A" over [] delta "delta" <"X[p]"> {
          // expected-error @+1 {{has a row that does not fit its states}}
          tile.transport ["D"] by [[unit, unit]]
        }
      }
    }
  }
}

// -----

tile.program @entry {
  tile.kernel {
    tile.stream "M" outer [] lanes ["p"] width 64 block 48 tiles [] state ["X"] {
      tile.segment "m" of <"|M|"> {
        tile.anchor "A" over [] delta "delta" <"X[p]"> {
          // expected-error @+1 {{has an entry that is no expression}}
          tile.transport ["D"] by [["one"]]
        }
      }
    }
  }
}
