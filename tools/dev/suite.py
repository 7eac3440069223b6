#!/usr/bin/env python3
"""Runs one test suite and counts it.

    tools/dev/suite.py NAME RESULTS LOG COMMAND..

The counts come from the summary that the command prints: Catch2, lit, or a last line
'N passed, N failed'. A command that fails without saying how counts as one failure. One line is
printed, and on failure the end of the log; 'NAME PASSED FAILED' is appended to RESULTS.
"""
import pathlib
import re
import subprocess
import sys
import time


def counts(text):
    passed = failed = 0
    for line in text.splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
        if match := re.fullmatch(r"All tests passed \(.* in (\d+) test cases?\)", line):
            passed += int(match[1])
        elif match := re.match(r"test cases: *\d+ \|", line):
            passed += int((re.search(r"(\d+) passed", line) or [0, 0])[1])
            failed += int((re.search(r"(\d+) failed", line) or [0, 0])[1])
        elif match := re.match(r"(Passed|Failed|Unresolved|Timed Out|Unexpectedly Passed) *: *(\d+)", line):
            if match[1] == "Passed":
                passed += int(match[2])
            else:
                failed += int(match[2])
        elif match := re.fullmatch(r"(?:.*: )?(\d+) passed, (\d+) failed", line):
            passed += int(match[1])
            failed += int(match[2])
    return passed, failed


def main():
    name, results, log, *command = sys.argv[1:]
    begin = time.monotonic()
    with open(log, "w") as out:
        try:
            status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
        except OSError as error:
            out.write(f"{error}\n")
            status = 127
    text = pathlib.Path(log).read_text(errors="replace")
    passed, failed = counts(text)
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed == 0 and failed == 0:
        passed = 1
    print(f"{name:<24} {passed:>6} passed, {failed} failed   ({time.monotonic() - begin:.0f} s)", flush=True)
    if failed:
        print("\n".join("    " + line for line in text.splitlines()[-30:]))
        print(f"    log: {log}", flush=True)
    with open(results, "a") as out:
        out.write(f"{name} {passed} {failed}\n")


if __name__ == "__main__":
    main()
