"""Code in the documentation is true: every ```ein block that is a whole file passes `einfall check`.

Blocks with a mark (parts of a file, mistakes) are checked by tests/docs/run.py, which also runs commands.
Links between pages must lead somewhere.
"""
import re
import subprocess
import tempfile

from tree import ROOT, matching, text


def blocks(path):
    source = text(path)
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```", source, re.M | re.S):
        yield source[:match.start()].count("\n") + 1, match[1], match[2].strip(), match[3]


def check():
    einfall = ROOT / "build" / "bin" / "einfall"
    for path in matching(".md"):
        for number, language, mark, code in blocks(path):
            if language != "ein" or mark or not einfall.exists():
                continue
            with tempfile.NamedTemporaryFile("w", suffix=".ein") as file:
                file.write(code)
                file.flush()
                done = subprocess.run([einfall, "check", file.name], capture_output=True, text=True)
            if done.returncode:
                yield f"{path}:{number}: {done.stderr.strip().splitlines()[0] if done.stderr else 'check failed'}"
        for number, line in enumerate(text(path).splitlines(), 1):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if not re.match(r"[a-z]+:", target) and not (ROOT / path).parent.joinpath(target).exists():
                    yield f"{path}:{number}: link to '{target}', which is not there"
