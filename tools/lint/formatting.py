"""clang-format 14 with the configuration at the top (`./dev format` repairs)."""
import re
import subprocess

from tree import ROOT, matching


def check():
    sources = matching(".h", ".cpp", ".c")
    out = subprocess.run(["clang-format-14", "--dry-run", *sources], cwd=ROOT, capture_output=True, text=True)
    wrong = {}
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", out.stderr, re.M):
        wrong.setdefault(path, line)
    for path, line in wrong.items():
        yield f"{path}:{line}: not formatted"
