#!/usr/bin/env python3
"""Checks of the source tree itself; `./dev lint`. One line per violation, then 'N passed, N failed'."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import descriptions
import docs
import formatting
import layering
import sizes
import words

CHECKS = {
    "layering": layering.check,
    "file sizes": sizes.check,
    "thin mains": sizes.check_mains,
    "unfinished work": words.check_unfinished,
    "variant names": words.check_variants,
    "descriptions": descriptions.check,
    "formatting": formatting.check,
    "documentation": docs.check,
}


def main():
    passed = failed = 0
    for name, check in CHECKS.items():
        violations = list(check())
        for violation in violations:
            print(f"{name}: {violation}")
        passed, failed = passed + (not violations), failed + bool(violations)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
