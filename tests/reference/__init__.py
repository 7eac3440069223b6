"""Independent references of the examples: numpy float64, written from the published formulas.

Nothing here knows Einfall: every function takes plain arrays under the names of a cascade's inputs
(and its compile-time parameters as keywords) and returns a dict of outputs. Rows are computed one
by one over an explicit list of keys, so that a masked key is a key that is not in the list.
"""
import importlib

FAMILIES = ("dense", "masks", "selection", "decode", "linear", "lowrank")


def find(name):
    """The reference function of one example, by name."""
    for family in FAMILIES:
        module = importlib.import_module(f"{__name__}.{family}")
        if hasattr(module, name):
            return getattr(module, name)
    raise KeyError(f"no reference for '{name}'")
