#!/usr/bin/env python3
"""Compares an output with the model's own: compare.py GOT.npy WANT.npy RELATIVE ABSOLUTE [label]

Prints the RMS of the error relative to the RMS of the expected values and the largest error; exits 1
when either is above its limit, a shape differs, or a value is not finite.
"""
import sys

import numpy as np


def main():
    got, want = (np.load(p).astype(np.float64) for p in sys.argv[1:3])
    relative_limit, absolute_limit = float(sys.argv[3]), float(sys.argv[4])
    label = sys.argv[5] if len(sys.argv) > 5 else sys.argv[1]
    if got.shape != want.shape:
        print(f"  {label}: shape {got.shape}, expected {want.shape}")
        return 1
    if not np.isfinite(got).all():
        print(f"  {label}: {int((~np.isfinite(got)).sum())} values are not finite")
        return 1
    error = got - want
    relative = np.sqrt((error ** 2).mean() / (want ** 2).mean())
    largest = np.abs(error).max()
    good = relative <= relative_limit and largest <= absolute_limit
    print(f"  {label:28} relative error {relative:.1e} (accepted {relative_limit:.0e})   "
          f"largest {largest:.1e} (accepted {absolute_limit:.0e})   {'agrees' if good else 'DISAGREES'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
