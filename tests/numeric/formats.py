"""Element types as files: rounding to a type, bit patterns in .npy, and the header of a cascade.

`encode(values, type)` gives the array to save and the float64 values it stands for, so that the
reference sees exactly what the program reads.
"""
import re

import numpy as np

FLOATS = {"f64": np.float64, "f32": np.float32, "f16": np.float16}
INTEGERS = {"i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8, "u8": np.uint8, "index": np.int64}


def round_bf16(values):
    """Nearest even bfloat16, as uint16 bit patterns. float64 goes to float32 by round to odd first."""
    wide = np.asarray(values, np.float64)
    near = wide.astype(np.float32)
    bits = near.view(np.uint32).astype(np.uint64)
    odd = (near.astype(np.float64) != wide) & np.isfinite(wide)
    toward = np.abs(near.astype(np.float64)) > np.abs(wide)
    bits = np.where(odd & toward, bits - 1, bits)
    bits = np.where(odd, bits | 1, bits)
    result = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(wide), 0x7FC0, result).astype(np.uint16)


def bf16_values(bits):
    return (np.asarray(bits).astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def _f8_table(exponent_bits, mantissa_bits, bias, finite_only):
    table = np.zeros(256)
    for code in range(256):
        sign = -1.0 if code & 0x80 else 1.0
        exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1)
        mantissa = code & ((1 << mantissa_bits) - 1)
        fraction = mantissa / (1 << mantissa_bits)
        if exponent == 0:
            value = fraction * 2.0 ** (1 - bias)
        elif finite_only and (code & 0x7F) == 0x7F:
            value = np.nan
        elif not finite_only and exponent == (1 << exponent_bits) - 1:
            value = np.nan if mantissa else np.inf
        else:
            value = (1 + fraction) * 2.0 ** (exponent - bias)
        table[code] = sign * value
    return table


F8 = {"f8e4m3": _f8_table(4, 3, 7, True), "f8e5m2": _f8_table(5, 2, 15, False)}


def round_f8(values, kind):
    """Nearest code, ties to the even mantissa; for values well inside the range."""
    table = F8[kind]
    codes = np.array([c for c in range(128) if np.isfinite(table[c])])
    flat = np.abs(np.asarray(values, np.float64)).ravel()
    distance = np.abs(table[codes][None, :] - flat[:, None])
    best = distance.min(1, keepdims=True)
    even = np.where(distance == best, codes % 2, 2).argmin(1) if flat.size else np.zeros(0, int)
    result = codes[even] | np.where(np.signbit(np.asarray(values).ravel()), 0x80, 0)
    result = np.where(np.isnan(flat), 0x7F, result)
    return result.astype(np.uint8).reshape(np.shape(values))


def encode(values, kind):
    values = np.asarray(values)
    if kind in FLOATS:
        stored = values.astype(FLOATS[kind])
        return stored, stored.astype(np.float64)
    if kind == "bf16":
        stored = round_bf16(values)
        return stored, bf16_values(stored)
    if kind in F8:
        stored = round_f8(values, kind)
        return stored, F8[kind][stored]
    if kind == "bool":
        return values.astype(np.bool_), values.astype(np.bool_)
    if kind == "i4":
        whole = values.astype(np.int64)
        nibbles = (whole & 15).astype(np.uint8)
        if nibbles.shape[-1] % 2:
            nibbles = np.concatenate([nibbles, np.zeros_like(nibbles[..., :1])], axis=-1)
        return nibbles[..., 0::2] | (nibbles[..., 1::2] << 4), whole.astype(np.float64)
    if kind in INTEGERS:
        stored = values.astype(INTEGERS[kind])
        return stored, stored.astype(np.float64 if kind in ("i8", "u8") else np.int64)
    raise ValueError(f"unknown element type {kind}")


def decode(stored, kind):
    if kind == "bf16":
        return bf16_values(stored.view(np.uint16))
    if kind in F8:
        return F8[kind][stored.view(np.uint8)]
    return stored.astype(np.float64)


def round_to(values, kind):
    """Values after one rounding to a float type."""
    return encode(values, kind)[1]


def save(path, stored, void=False):
    """`void`: bf16 and f8 as raw V2/V1, the way ml_dtypes writes them."""
    stored = np.ascontiguousarray(stored)
    np.save(path, stored.view(f"V{stored.dtype.itemsize}") if void else stored)


def _split(text):
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += c in "([" 
        depth -= c in ")]"
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [p.strip() for p in parts + [text[start:]] if p.strip()]


def _until_close(text, start):
    depth = 0
    for i in range(start, len(text)):
        depth += text[i] == "("
        depth -= text[i] == ")"
        if depth == 0:
            return i
    raise ValueError("unbalanced header")


def header(text, entry=None):
    """(inputs, outputs): lists of (name, ranks or None for a scalar, type, has a default)."""
    text = re.sub(r"//[^\n]*", "", text)
    found = re.search(r"\bcascade\s+%s\s*\(" % (entry or r"\w+"), text)
    close = _until_close(text, found.end() - 1)
    second = text.index("(", close)
    lists = text[found.end():close], text[second + 1:_until_close(text, second)]

    def declaration(item):
        match = re.match(r"(\w+)\s*(\[[^\]]*\])?\s*:\s*(\w+)\s*(=)?", item)
        name, ranks, kind, default = match.groups()
        return name, ranks and _split(ranks[1:-1]), kind, bool(default)
    return [declaration(i) for i in _split(lists[0])], [declaration(i) for i in _split(lists[1])]
