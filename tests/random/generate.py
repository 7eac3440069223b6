#!/usr/bin/env python3
"""Random well-formed cascades with their inputs, from a seed.

    tests/random/generate.py SEED            print the text
    tests/random/generate.py SEED -o FOLDER  write program.ein, inputs as .npy and call.txt

Extents are small (0 to 7), cascades have a few equations: maps, implied sums, reductions under filters,
softmax rows, scans, selections, splits, recurrences, gathers, `if` and `else`. Two engines can only be
compared where rounding does not decide, so every expression carries a bound on its size and, while it is
exact in f32, the spacing of its grid; comparisons, orderings and floors are only generated for exact
operands, and maxima of possibly empty rows are clamped before they take part in arithmetic.
"""
import argparse
import pathlib
import random
import sys

import numpy as np

LETTERS = "ABCDEG"
EXACT = 2.0 ** 20


class Value:
    """An expression's text with what is known of its value: kind, bound, grid (None: inexact)."""

    def __init__(self, text, kind, bound=1.0, grid=None, atom=False):
        self.text, self.kind, self.bound, self.atom = text, kind, bound, atom
        self.grid = grid if grid is not None and bound * 2.0 ** grid <= EXACT else None

    def __str__(self):
        return self.text if self.atom else f"({self.text})"


class Tensor:
    def __init__(self, name, ranks, kind, bound=1.0, grid=None):
        self.name, self.ranks, self.kind, self.bound, self.grid = name, ranks, kind, bound, grid


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.data = np.random.default_rng(seed)
        self.extents, self.tensors, self.header, self.lines, self.splits = {}, [], [], [], []
        self.inputs, self.made, self.fresh = {}, [], 0

    # --- pieces -------------------------------------------------------------------------------

    def chance(self, p):
        return self.r.random() < p

    def name(self, prefix="T"):
        self.fresh += 1
        return f"{prefix}{self.fresh}"

    def input(self, ranks, kind="float"):
        name = self.name("I")
        shape = tuple(self.extents[x] for x in ranks)
        if kind == "float":
            declared = self.r.choices(["f32", "bf16", "f16", "f64", "i8"], [12, 2, 1, 1, 1])[0]
            values, bound, grid = self.data.integers(-8, 9, shape) / 4.0, 2.0, 2
            if declared == "i8":
                values, bound, grid, kind = values * 4, 8.0, 0, "int"
        elif kind == "int":
            declared, values, bound, grid = "i32", self.data.integers(-1, 7, shape), 7.0, 0
        else:
            declared, values, bound, grid = "bool", self.data.random(shape) < 0.6, 1.0, None
        self.header.append(f"{name}[{','.join(ranks)}] : {declared}")
        self.inputs[name] = (values, declared)
        self.tensors.append(Tensor(name, list(ranks), kind, bound, grid))

    def setup(self):
        for letter in LETTERS[:self.r.randint(2, 4)]:
            self.extents[letter] = self.r.choice([1, 2, 3, 3, 4, 5, 5, 7, 0 if self.chance(0.1) else 6])
        letters = list(self.extents)
        for _ in range(self.r.randint(2, 3)):
            self.input(self.r.sample(letters, self.r.randint(1, min(3, len(letters)))))
        for letter in letters:
            if not any(letter in t.ranks for t in self.tensors):
                other = [x for x in letters if x != letter]
                self.input(self.r.sample([letter, self.r.choice(other)], self.r.randint(1, 2)) + [])
                if letter not in self.tensors[-1].ranks:
                    self.input([letter])
        if self.chance(0.5):
            self.input(self.r.sample(letters, self.r.randint(1, 2)), "int")
        if self.chance(0.5):
            self.input(self.r.sample(letters, self.r.randint(1, 2)), "bool")
        if self.chance(0.4):
            whole, part = self.r.choice(letters), self.r.randint(1, 4)
            self.splits.append((whole, "N", "M", part))
            self.lines.append(f"split {whole} = (N, M = {part})")
            self.extents["N"], self.extents["M"] = -(-self.extents[whole] // part), part

    def variables(self, ranks):
        """Variables of the ranks: the lower-case letter, then numbered ones."""
        seen, out = {}, []
        for rank in ranks:
            seen[rank] = seen.get(rank, 0) + 1
            out.append((rank.lower() + ("" if seen[rank] == 1 else str(seen[rank])), rank))
        return out

    def bind(self, v):
        name, rank = v
        return name if name.upper() == rank else f"{name} in {rank}"

    def subscript(self, rank, scope, bent):
        """Text of one subscript at a rank, or None."""
        own = [n for n, x in scope if x == rank]
        if bent and self.chance(0.3):
            whole = [(w, o, i) for w, o, i, _ in self.splits if w == rank]
            for _, outer, inner in whole:
                a, b = [n for n, x in scope if x == outer], [n for n, x in scope if x == inner]
                if a and b:
                    return f"({self.r.choice(a)},{self.r.choice(b)})"
            gathers = [t for t in self.tensors if t.kind == "int" and all(any(x == y for _, y in scope) for x in t.ranks)]
            if gathers and self.chance(0.5):
                return self.read(self.r.choice(gathers), scope, False).text
            if own and self.extents[rank]:
                n = self.r.choice(own)
                return self.r.choice([f"{n}-1", f"{n}+1", f"|{rank}|-1-{n}", f"{n} div 2", f"({n}+2) mod |{rank}|", f"|{rank}|-1"])
        if not own and bent and self.extents[rank] and self.chance(0.3):
            return self.r.choice(["0", f"|{rank}|-1"])
        return self.r.choice(own) if own else None

    def read(self, tensor, scope, bent=True):
        subscripts = [self.subscript(x, scope, bent) for x in tensor.ranks]
        if None in subscripts:
            return None
        return Value(f"{tensor.name}[{','.join(subscripts)}]", tensor.kind, tensor.bound, tensor.grid, True)

    def pick(self, scope, kind, bent=True):
        options = [t for t in self.tensors if t.kind == kind]
        self.r.shuffle(options)
        for t in options:
            value = self.read(t, scope, bent)
            if value:
                return value
        return None

    # --- expressions --------------------------------------------------------------------------

    def number(self):
        k = self.r.randint(-8, 8)
        return Value(str(k / 4.0) if k >= 0 else f"(-{-k / 4.0})", "float", 2.0, 2, True)

    def integer(self, scope, depth=1):
        choices = [Value(n, "int", max(1, self.extents[x]), 0, True) for n, x in scope]
        if self.chance(0.15):
            choices += [Value(f"|{x}|", "int", max(1, self.extents[x]), 0, True) for _, x in scope]
        read = self.pick(scope, "int", False)
        if read:
            choices += [read, read]
        if not choices:
            return Value(str(self.r.randint(0, 3)), "int", 3, 0, True)
        a = self.r.choice(choices)
        if depth and self.chance(0.5):
            b = self.r.choice(choices + [Value(str(self.r.randint(0, 3)), "int", 3, 0, True)] * 2)
            if a.bound + b.bound > 1000:
                return a
            form = self.r.choice(["+", "-", "div", "mod", "min", "max"])
            if form in ("div", "mod"):
                return Value(f"{a} {form} {self.r.randint(2, 3)}", "int", a.bound + 3, 0)
            if form in ("min", "max"):
                return Value(f"{form}({a}, {b})", "int", max(a.bound, b.bound), 0, True)
            return Value(f"{a} {form} {b}", "int", a.bound + b.bound, 0)
        return a

    def condition(self, scope, depth=1):
        form = self.r.randint(0, 7)
        if form == 0:
            read = self.pick(scope, "bool")
            if read:
                return read
        if form == 1 and depth:
            return Value(f"{self.condition(scope, 0)} {self.r.choice(['and', 'or'])} {self.condition(scope, 0)}", "bool")
        if form == 2 and depth:
            return Value(f"not {self.condition(scope, 0)}", "bool")
        if form == 3:
            x = self.exact(scope, 0)
            if x:
                return Value(f"{x} {self.r.choice(['<', '<=', '>', '>='])} {self.number()}", "bool")
        if form == 4 and len(scope) > 1:
            a, b = self.r.sample([n for n, _ in scope], 2)
            return Value(f"{a} - {self.r.randint(1, 3)} < {b} <= {a}", "bool")
        a = self.integer(scope)
        b = self.integer(scope) if self.chance(0.6) else Value(str(self.r.randint(0, 4)), "int", 4, 0, True)
        if a.text == b.text:
            b = Value("2", "int", 2, 0, True)
        return Value(f"{a} {self.r.choice(['<', '<=', '>', '>=', '<=', '!=', '==' if self.chance(0.4) else '>='])} {b}", "bool")

    def exact(self, scope, depth):
        for _ in range(6):
            x = self.float(scope, depth)
            if x.grid is not None:
                return x
        return None

    def calm(self, x):
        """Brings a bound back under 16."""
        if x.bound <= 16:
            return x
        shift = int(np.ceil(np.log2(x.bound / 16)))
        return Value(f"{2.0 ** -shift} * {x}", "float", x.bound * 2.0 ** -shift, None if x.grid is None else x.grid + shift)

    def leaf(self, scope):
        form = self.r.random()
        if form < 0.06:
            return self.number()
        if form < 0.12 and scope:
            return self.calm(Value(f"cast<f32>({self.integer(scope)})", "float", 1100, 0, True))
        read = self.pick(scope, "float")
        if read is None:
            return self.number()
        if self.chance(0.12):
            return Value(f"({read} else {self.number()})", "float", max(read.bound, 2), None if read.grid is None else max(read.grid, 2), True)
        return read

    def float(self, scope, depth):
        if depth <= 0:
            return self.calm(self.leaf(scope))
        form = self.r.randint(0, 13)
        a = self.float(scope, depth - 1)
        if form <= 5:
            b = self.float(scope, depth - 1)
            both = a.grid is not None and b.grid is not None
            if form <= 1:
                return self.calm(Value(f"{a} {self.r.choice('+-')} {b}", "float", a.bound + b.bound, max(a.grid, b.grid) if both else None))
            if form <= 3:
                return self.calm(Value(f"{a} * {b}", "float", a.bound * b.bound, a.grid + b.grid if both else None))
            if form == 4:
                return self.calm(Value(f"{a} / (1 + abs({b.text}))", "float", a.bound))
            return self.calm(Value(f"{self.r.choice(['min', 'max'])}({a.text}, {b.text})", "float", max(a.bound, b.bound),
                                   max(a.grid, b.grid) if both else None, True))
        if form == 6:
            b = self.float(scope, depth - 1)
            both = a.grid is not None and b.grid is not None
            return Value(f"if {self.condition(scope).text} then {a.text} else {b.text}", "float", max(a.bound, b.bound),
                         max(a.grid, b.grid) if both else None)
        if form == 7:
            return Value(f"{self.r.choice(['abs', 'relu'])}({a.text})", "float", a.bound, a.grid, True)
        if form == 8:
            return Value(f"-{a}", "float", a.bound, a.grid)
        if form == 9 and a.grid is not None:
            return Value(f"{self.r.choice(['floor', 'ceil', 'round', 'sign'])}({a.text})", "float", a.bound + 1, 0, True)
        if form == 10:
            return Value(f"exp(tanh({a.text}))", "float", 2.8, None, True)
        if form == 11:
            return Value(self.r.choice(["sqrt(1 + abs({}))", "log(1 + abs({}))", "rsqrt(1 + abs({}))", "log1p(abs({}))"]).format(a.text),
                         "float", 5.0, None, True)
        name = self.r.choice(["tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "erf", "sin", "cos", "expm1_"])
        if name == "expm1_":
            return Value(f"expm1(tanh({a.text}))", "float", 2.0, None, True)
        bound = a.bound + 1 if name in ("gelu", "silu", "softplus", "elu") else 1.0
        return Value(f"{name}({a.text})", "float", bound, None, True)

    # --- equations ----------------------------------------------------------------------------

    def left_ranks(self, most=3, double=0.2):
        letters = [x for x in self.extents if x not in "NM" or self.splits]
        if self.chance(0.75):               # the ranks of something that can be read
            ranks = list(dict.fromkeys(self.r.choice(self.tensors).ranks))
            self.r.shuffle(ranks)
            ranks = ranks[:most]
        else:
            ranks = self.r.sample(letters, self.r.randint(1, min(most, len(letters))))
        if len(ranks) < most and self.chance(double):
            ranks.append(self.r.choice(ranks))
        return ranks

    def emit(self, ranks, text, kind, bound=1.0, grid=None, where=None, tail="", name=None, left=None, annotate=True):
        name = name or self.name()
        scope = self.variables(ranks)
        left = left or ",".join(self.bind(v) for v in scope)
        if annotate and kind == "float" and self.chance(0.08):
            left_text = f"{name}[{left}] : f64"
        else:
            left_text = f"{name}[{left}]"
        self.lines.append(f"{left_text} = {text}" + (f"   where {where}" if where else "") + tail)
        tensor = Tensor(name, list(ranks), kind, bound, grid)
        self.tensors.append(tensor)
        self.made.append(tensor)
        return tensor

    def equation_map(self):
        ranks = self.left_ranks()
        scope = self.variables(ranks)
        where = self.condition(scope).text if self.chance(0.4) else None
        form = self.r.random()
        if form < 0.1:
            self.emit(ranks, self.condition(scope, 1).text, "bool", where=where)
        elif form < 0.2:
            x = self.integer(scope)
            self.emit(ranks, x.text, "int", x.bound, 0, where)
        else:
            x = self.float(scope, self.r.randint(1, 3))
            # A read that drops a left variable's rank leaves the variable free to broadcast; name it.
            self.emit(ranks, x.text, "float", x.bound, x.grid, where)

    def equation_product(self):
        """An implied sum over two tensors that share ranks."""
        options = [(a, b) for a in self.tensors for b in self.tensors if a.kind == b.kind == "float"
                   and set(a.ranks) & set(b.ranks) and len(set(a.ranks)) == len(a.ranks) and len(set(b.ranks)) == len(b.ranks)]
        if not options:
            return self.equation_reduce()
        a, b = self.r.choice(options)
        shared = [x for x in a.ranks if x in b.ranks]
        summed = self.r.sample(shared, self.r.randint(1, len(shared)))
        ranks = [x for x in dict.fromkeys(a.ranks + b.ranks) if x not in summed]
        if not ranks or len(ranks) > 4:
            return self.equation_reduce()
        self.r.shuffle(ranks)
        points = int(np.prod([max(1, self.extents[x]) for x in summed]))
        bound, grid = a.bound * b.bound * points, None if a.grid is None or b.grid is None else a.grid + b.grid
        shift = max(0, int(np.ceil(np.log2(max(bound, 1) / 16))))
        read = lambda t: f"{t.name}[{','.join(x.lower() for x in t.ranks)}]"
        where = self.condition(self.variables(ranks)).text if self.chance(0.3) else None
        exact = grid is not None and bound * 2.0 ** grid <= EXACT
        return self.emit(ranks, f"{2.0 ** -shift} * {read(a)} * {read(b)}", "float", bound * 2.0 ** -shift,
                         grid + shift if exact else None, where)

    def equation_reduce(self, nested=True):
        ranks = self.left_ranks(2)
        free = [x for x in self.extents if (x not in "NM" or self.splits)]
        summed = self.r.sample(free, self.r.randint(1, min(2, len(free))))
        scope = self.variables(ranks + summed)
        inner = scope[len(ranks):]
        points = int(np.prod([max(1, self.extents[x]) for x in summed]))
        binds = ", ".join(n if n.upper() == x else f"{n} in {x}" for n, x in inner)
        filtered = f" where {self.condition(scope).text}" if self.chance(0.5) else ""
        where = self.condition(self.variables(ranks)).text if self.chance(0.2) else None
        form = self.r.choice(["sum", "sum", "sum", "max", "min", "mean", "prod", "any", "all", "count", "argmax", "argmin", "nested"])
        bracket = f"[{binds}{filtered}]"
        if form in ("any", "all"):
            return self.emit(ranks, f"{form}{bracket} {self.condition(scope)}", "bool", where=where)
        if form == "count":
            return self.emit(ranks, f"count{bracket} {self.condition(scope)}", "int", points, 0, where)
        if form in ("argmax", "argmin"):
            x = self.exact(scope, 1)
            if x is None or len(inner) != 1:
                return self.equation_map()
            return self.emit(ranks, f"{form}{bracket} {x}", "int", max(1, self.extents[summed[0]]), 0, where)
        x = self.float(scope, 2)
        if form == "nested" and nested:
            rank = self.r.choice(free)
            v = "z"
            y = self.float(scope + [(v, rank)], 1)
            shift = max(0, int(np.ceil(np.log2(max(1, y.bound * max(1, self.extents[rank]) * points * x.bound) / 16))))
            filter2 = f" where {self.condition(scope + [(v, rank)]).text}" if self.chance(0.4) else ""
            text = f"{2.0 ** -shift} * (sum{bracket} {x} * sum[{v} in {rank}{filter2}] {y})"
            return self.emit(ranks, text, "float", 16, None, where)
        if form == "prod":
            if points > 12:
                form = "sum"
            else:
                return self.emit(ranks, f"prod{bracket} (1 + 0.0625 * {x})", "float", (1 + x.bound / 16) ** points, None, where)
        if form in ("max", "min"):
            text = f"clamp({form}{bracket} {x}, -16, 16)"
            return self.emit(ranks, text, "float", 16, x.grid, where)
        if form == "mean":
            return self.emit(ranks, f"mean{bracket} {x}", "float", x.bound, None, where)
        bound = x.bound * points
        shift = max(0, int(np.ceil(np.log2(max(1, bound) / 16))))
        exact = x.grid is not None and bound * 2.0 ** x.grid <= EXACT
        return self.emit(ranks, f"{2.0 ** -shift} * sum{bracket} {x}", "float", bound * 2.0 ** -shift, x.grid + shift if exact else None, where)

    def equation_softmax(self):
        """Scores, maximum, weights, denominator, and one or two outputs; some variants without a part."""
        ranks = self.left_ranks(2, 0)
        keys = [x for x in self.extents if x not in ranks]
        if not keys:
            return self.equation_map()
        key = self.r.choice(keys)
        scope = self.variables(ranks + [key])
        row, m = ",".join(n for n, _ in scope[:-1]), scope[-1][0]
        where = self.condition(scope).text if self.chance(0.6) else None
        S, X, W, D, A = (self.name(x) for x in "SXWDA")
        score = self.float(scope, 2)
        self.emit(ranks + [key], f"{score.text}", "float", score.bound, score.grid, where, name=S, annotate=False)
        at = f"[{row},{m}]"
        stable = self.chance(0.7) or score.bound > 8
        if stable:
            self.lines.append(f"{X}[{row}] = max[{m}] {S}{at}")
            self.lines.append(f"{W}{at} = exp({S}{at} - {X}[{row}])")
        else:
            self.lines.append(f"{W}{at} = exp({S}{at})")
        self.lines.append(f"{D}[{row}] = sum[{m}] {W}{at}")
        values = self.float([(m, key)] + ([scope[0]] if self.chance(0.3) else []), 1)
        if self.chance(0.7):
            self.lines.append(f"{A}{at} = {W}{at} / {D}[{row}]")
            self.emit(ranks, f"sum[{m}] {A}{at} * {values}", "float", values.bound)
        else:
            self.emit(ranks, f"(sum[{m}] {W}{at} * {values}) / {D}[{row}]", "float", values.bound,
                      where=f"{D}[{row}] > 0" if self.chance(0.6) else None)
            self.made[-1].bound = 64.0
            if not self.lines[-1].count("where"):
                self.tensors.pop()          # may be 0/0 at an empty row: compared, not computed with

    def equation_scan(self):
        ranks = self.left_ranks(2)
        scope = self.variables(ranks)
        along = self.r.choice(scope)
        form = self.r.choice(["cumsum", "cumsum", "cummax", "cummin", "cumprod", "place", "top", "top_mass"])
        where = self.condition(scope).text if self.chance(0.3) else None
        if form in ("place", "top", "top_mass"):
            x = self.exact(scope, 1)
            if x is None:
                return self.equation_map()
            if form == "place":
                return self.emit(ranks, f"place[{along[0]}] {x}", "int", 8, 0, where)
            if form == "top":
                return self.emit(ranks, f"top[{along[0]}; {self.r.randint(1, 3)}] {x}", "bool", where=where)
            return self.emit(ranks, f"top_mass[{along[0]}; 0.6875] (1.25 + abs({x.text}))", "bool", where=where)
        x = self.float(scope, 1)
        if form == "cumprod":
            return self.emit(ranks, f"cumprod[{along[0]}] (1 + 0.0625 * {x})", "float", (1 + x.bound / 16) ** 7, None, where)
        if form == "cumsum":
            return self.emit(ranks, f"0.125 * cumsum[{along[0]}] {x}", "float", x.bound, None, where)
        return self.emit(ranks, f"{form}[{along[0]}] {x}", "float", x.bound, x.grid, where)

    def equation_place(self):
        """The s-th largest, or the s-th coordinate where a condition holds, and a read at it."""
        ranks = self.left_ranks(2, 0)
        free = [x for x in self.extents if x not in ranks]
        if not free:
            return self.equation_map()
        rank = self.r.choice(free)
        scope = self.variables(ranks)
        v = rank.lower()
        s = self.r.choice(["0", "1", scope[0][0]])
        if self.chance(0.5):
            x = self.exact(scope + [(v, rank)], 1)
            if x is None:
                return self.equation_map()
            text = f"argsort[{v}; {s}] {x}"
        else:
            text = f"coordinates[{v}; {s}] {self.condition(scope + [(v, rank)])}"
        return self.emit(ranks, text, "int", 8, 0)

    def equation_recurrence(self):
        ranks = self.left_ranks(2, 0)
        scope = self.variables(ranks)
        t, rank = scope[0]
        others = scope[1:]
        back = self.chance(0.25)
        step = f"{t}+1" if back else f"{t}-{self.r.choice([1, 1, 1, 2])}"
        name = self.name("R")
        at = lambda i: f"{name}[{','.join([i] + [n for n, _ in others])}]"
        gate, add = self.float(scope, 1), self.float(scope, 1)
        start = self.number().text if not others or self.chance(0.6) else self.float(others, 1).text
        form = self.r.random()
        before = at(step)
        if form < 0.4:
            text, bound = f"0.5 * tanh({gate.text}) * {before} + {add}", 2 * add.bound + 18
        elif form < 0.6:
            text, bound = f"max({before}, {add.text})", add.bound + 18
        elif form < 0.8:
            text, bound = f"tanh({before} + {add})", 18.0
        else:
            text, bound = f"if {self.condition(scope).text} then {before} else {add.text}", add.bound + 18
        self.emit(ranks, text, "float", bound, None, None, f"   init {start}", name, annotate=False)
        if self.chance(0.4) and self.extents[rank]:
            first = ",".join(["0" if back else f"|{rank}|-1"] + [n for n, _ in others])
            if others:
                self.emit([x for _, x in others], f"{name}[{first}]", "float", bound)

    def equation_coupled(self):
        """Two equations that depend on each other, one of them a sum over a state's other rank."""
        letters = [x for x in self.extents if x not in "NM"]
        if len(letters) < 2:
            return self.equation_recurrence()
        time, other = self.r.sample(letters, 2)
        t, o = time.lower(), other.lower()
        U, S = self.name("U"), self.name("S")
        k, v, start = (self.float([(t, time), (o, other)], 1), self.float([(t, time)], 1),
                       self.float([(o, other)], 0))
        self.emit([time], f"0.5 * (tanh({v.text}) - {1.0 / 16} * sum[{o}] tanh({k.text}) * {S}[{t}-1,{o}])", "float", 8.0,
                  name=U, annotate=False)
        self.emit([time, other], f"0.5 * {S}[{t}-1,{o}] + tanh({k.text}) * {U}[{t}]", "float", 32.0,
                  tail=f"   init {start.text}", name=S, annotate=False)

    def equation_triangle(self):
        """A cycle through `u < t`."""
        letters = [x for x in self.extents if x not in "NM" and self.extents[x]]
        if not letters:
            return self.equation_map()
        rank = self.r.choice(letters)
        t = rank.lower()
        add, weight = self.float([(t, rank)], 1), self.float([(t, rank), ("u", rank)], 1)
        name = self.name("R")
        self.emit([rank], f"{add} - 0.25 * sum[u in {rank} where u < {t}] tanh({weight.text}) * {name}[u]", "float",
                  add.bound * 8, name=name, annotate=False)

    def equation_blocks(self):
        """Reads and writes through a split: (n,c) is a coordinate of the whole."""
        if not self.splits:
            return self.equation_reduce()
        whole, outer, inner, _ = self.splits[0]
        o, i = outer.lower(), inner.lower()
        source = [t for t in self.tensors if t.kind == "float" and whole in t.ranks and len(set(t.ranks)) == len(t.ranks)
                  and outer not in t.ranks and inner not in t.ranks]
        if not source:
            return self.equation_map()
        s = self.r.choice(source)
        rest = [x for x in s.ranks if x != whole]
        at = ",".join(f"({o},{i})" if x == whole else x.lower() for x in s.ranks)
        form = self.r.random()
        if form < 0.6:
            ranks = rest + [outer]
            op = self.r.choice(["mean", "sum", "max", "min"])
            text = f"{op}[{i}] {s.name}[{at}]"
            if op == "sum":
                text = f"0.25 * {text}"
            if op in ("max", "min"):
                text = f"clamp({text}, -64, 64)"
            return self.emit(ranks, text, "float", max(s.bound, 64.0 if op in ("max", "min") else 0), None)
        left = ",".join([x.lower() for x in rest] + [f"({o},{i})"])
        scope = [(x.lower(), x) for x in rest] + [(o, outer), (i, inner)]
        where = self.condition(scope).text if self.chance(0.4) else None
        x = self.float(scope, 1)
        return self.emit(rest + [whole], f"{s.name}[{at}] + {x}", "float", s.bound + x.bound, None, where, left=left)

    def build(self):
        self.setup()
        forms = [(self.equation_map, 4), (self.equation_product, 4), (self.equation_reduce, 5), (self.equation_softmax, 4),
                 (self.equation_scan, 2), (self.equation_place, 1), (self.equation_recurrence, 2),
                 (self.equation_coupled, 1), (self.equation_triangle, 0.5), (self.equation_blocks, 2)]
        for _ in range(self.r.randint(2, 6)):
            self.r.choices([f for f, _ in forms], [w for _, w in forms])[0]()
        outputs = []
        for i, t in enumerate(reversed(self.made)):
            if i == 0 or (len(outputs) < 4 and self.chance(0.4)):
                declared = {"float": self.r.choices(["f32", "f64", "bf16"], [8, 1, 1])[0], "int": "i32", "bool": "bool"}[t.kind]
                empty = {"float": " empty -3", "int": " empty -9", "bool": ""}[t.kind] if self.chance(0.3) else ""
                outputs.append((t, declared, empty))
        chosen = {t.name for t, _, _ in outputs}
        # An output's type stands in the header only.
        lines = [line.replace("] : f64 =", "] =", 1) if line.split("[")[0] in chosen else line for line in self.lines]
        self.outputs = [(t.name, declared, t.bound) for t, declared, _ in outputs]
        head = ", ".join(self.header)
        tail = ", ".join(f"{t.name}[{','.join(t.ranks)}] : {d}{e}" for t, d, e in outputs)
        return f"cascade random({head})\n    -> ({tail}) {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def generate(seed):
    """(text, inputs {name: (values, declared type)}, outputs [(name, declared type, bound)])."""
    for attempt in range(20):
        generator = Generator(seed * 1000 + attempt)
        text = generator.build()
        if len(text) < 6000:
            break
    return text, generator.inputs, generator.outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    text, inputs, outputs = generate(args.seed)
    if not args.output:
        sys.stdout.write(text)
        return 0
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "numeric"))
    import formats
    folder = pathlib.Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "program.ein").write_text(text)
    words = ["einfall", "run", "program.ein"]
    for name, (values, declared) in inputs.items():
        formats.save(folder / f"{name}.npy", formats.encode(values, declared)[0])
        words += ["--in", f"{name}={name}.npy"]
    words += [w for name, _, _ in outputs for w in ("--out", f"{name}=out_{name}.npy")]
    (folder / "call.txt").write_text(" ".join(words) + " --engine cpu\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
