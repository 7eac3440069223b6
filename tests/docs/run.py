#!/usr/bin/env python3
"""What the documentation says is true: its code, commands, output, paths and pass counts.

    tests/docs/run.py [--einfall build/bin/einfall] [--update] [PAGE.md ..]

Fenced blocks of every page of the project:

    ```ein                     a whole file; passes `einfall check`
    ```ein body HEADER         the body of a cascade with that header, `(A[M] : f32) -> (O[M] : f32)`
    ```ein error RULE          a whole file; its only complaint is RULE, such as r12
    ```ein error RULE body HEADER
    ```sh                      commands, run in order in one folder a page, which has examples/, runtime/
                               and build/ in it and the program on the path
    ```console                 the same; lines after `$ command` are its output, `...` stands for any lines

Of `./dev VERB` only the verb is looked up, for it would call this test again; `./dev demo` is replaced by
the tour that it starts. A word in backquotes that begins with a folder of the project is a path that
exists. In the README's table of examples `name` R a→b states passes over rank R as written and derived;
--update writes them anew.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = "compiler|dialects|frontend|runtime|tools|tests|docs|examples|bench|cmake"
PASSES = re.compile(r"`(\w+)` ([A-Z]\w*) (\d+)→(\d+)")
passed, failures = 0, []


def verdict(place, complaint):
    global passed
    if complaint:
        failures.append(place)
        print(f"FAIL {place}: {complaint}")
    else:
        passed += 1


def pages(names):
    if names:
        return [pathlib.Path(name).resolve() for name in names]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True,
                            text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(listed.splitlines())) if (ROOT / name).is_file()]


def blocks(text):
    """(line, language, rest of the info string, content) of every fenced block, tables and lists included."""
    for match in re.finditer(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```", text, re.M | re.S):
        content = "".join(line.removeprefix(match[1]) for line in match[4].splitlines(True))
        yield text[:match.start()].count("\n") + 1, match[2], match[3].strip(), content


def check_ein(einfall, mark, content):
    """Complaint about one block of the language, or None."""
    match = re.fullmatch(r"(?:error (\w+))? ?(?:body (.*))?", mark)
    if not match:
        return f"a block of the language is marked '{mark}'"
    rule, header = match[1], match[2]
    text = f"cascade c{header} {{\n{content}\n}}\n" if header else content
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "page.ein"
        file.write_text(text)
        done = subprocess.run([einfall, "check", str(file)], capture_output=True, text=True, timeout=60)
    complaints = re.findall(r"^.*: error: (.*) \[ein-(\w+)\]$", done.stderr, re.M)
    if not rule:
        return None if done.returncode == 0 else done.stderr.strip().splitlines()[0]
    if done.returncode != 1 or not complaints:
        return f"no error, expected {rule}"
    wrong = [f"{message} [{found}]" for message, found in complaints if found != rule]
    return f"expected {rule}, got: {wrong[0]}" if wrong else None


def commands(language, content):
    """(command, expected output or None); a backslash joins lines."""
    if language == "sh":
        return [(content, None)]
    steps = []
    for line in content.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
    return steps


def agrees(expected, output):
    """Expected lines in order, `...` for any number of lines."""
    pattern = "".join(".*?" if line.strip() == "..." else re.escape(line.rstrip()) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in output.splitlines()), re.S)


def without_dev(command):
    """`./dev` calls replaced by what may be run here."""
    verbs = re.findall(r"^  (\w+)\) ", (ROOT / "dev").read_text(), re.M)
    lines = []
    for line in command.splitlines():
        if match := re.match(r"\./dev (\w+)", line):
            if match[1] not in verbs:
                return None, f"'./dev {match[1]}' is no verb"
            line = "bash examples/demo.sh >/dev/null" if match[1] == "demo" else ":"
        lines.append(line)
    return "\n".join(lines), None


def check_shell(language, content, folder, environment):
    for command, expected in commands(language, content):
        command, complaint = without_dev(command)
        if complaint:
            return complaint
        done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE if language == "sh" else subprocess.STDOUT, text=True, timeout=300)
        if expected is None and done.returncode:
            return f"exit {done.returncode}: " + " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        if expected and not agrees(expected, done.stdout):
            return f"'{command.splitlines()[0]}' prints something else:\n{done.stdout}"
    return None


def check_paths(page, text):
    prose = re.sub(r"^( *)```.*?^\1```", lambda m: "\n" * m[0].count("\n"), text, flags=re.M | re.S)
    for number, line in enumerate(prose.splitlines(), 1):
        for path in re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", line):
            verdict(f"{page}:{number}", None if list(ROOT.glob(path.rstrip("/"))) else f"no file '{path}'")


def passes_of(einfall, name):
    done = subprocess.run([einfall, "explain", str(ROOT / "examples" / f"{name}.ein"), "--json"], capture_output=True,
                          text=True, timeout=60)
    if done.returncode:
        return None
    story = json.loads(done.stdout)
    return story["source"]["passes"], story["derived"]["passes"]


def check_table(einfall, path, text, update):
    def actual(match):
        counts = passes_of(einfall, match[1])
        if counts is None:
            return match[0]
        rank = match[2]
        return f"`{match[1]}` {rank} {counts[0].get(rank, 0)}→{counts[1].get(rank, 0)}"

    for match in PASSES.finditer(text):
        now = actual(match)
        line = text[:match.start()].count("\n") + 1
        verdict(f"{path.relative_to(ROOT)}:{line}", None if update or now == match[0] else f"{match[0]} is now {now}")
    if update:
        path.write_text(PASSES.sub(actual, text))


def check_examples(text):
    named = set(re.findall(r"`(\w+)`", text))
    for example in sorted(ROOT.glob("examples/*.ein")):
        verdict("README.md", None if example.stem in named else f"the example '{example.stem}' is not in the table")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("page", nargs="*")
    args = parser.parse_args()
    einfall = str(pathlib.Path(args.einfall).absolute())
    build = pathlib.Path(einfall).parent.parent
    # Before the system's programs: this Python, which has numpy, and a C compiler where $CC is the only one.
    programs = tempfile.TemporaryDirectory()
    instead = {"python3": sys.executable}
    if not shutil.which("cc"):
        instead["cc"] = shutil.which(os.environ.get("CC", "clang-22"))
    for name, program in instead.items():
        file = pathlib.Path(programs.name) / name
        file.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
        file.chmod(0o755)
    search = [str(pathlib.Path(einfall).parent), programs.name, os.environ["PATH"]]
    environment = dict(os.environ, PATH=os.pathsep.join(search), EINFALL=einfall)
    for path in pages(args.page):
        text = path.read_text()
        page = path.relative_to(ROOT)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("examples", "runtime", "compiler"):
                os.symlink(ROOT / name, pathlib.Path(folder) / name)
            os.symlink(build, pathlib.Path(folder) / "build")
            for line, language, mark, content in blocks(text):
                if language == "ein":
                    verdict(f"{page}:{line}", check_ein(einfall, mark, content))
                elif language in ("sh", "console"):
                    verdict(f"{page}:{line}", check_shell(language, content, folder, environment))
        check_paths(page, text)
        if page.name == "README.md" and page.parent == pathlib.Path("."):
            check_table(einfall, path, text, args.update)
            check_examples(text)
    print(f"{passed} passed, {len(failures)} failed")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
