"""The files of the project, as git knows them (committed, or new and not ignored)."""
import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


@functools.cache
def files():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout
    return [path for path in sorted(set(out.splitlines())) if (ROOT / path).is_file()]


def matching(*suffixes, under=""):
    return [path for path in files() if path.endswith(suffixes) and path.startswith(under)]


@functools.cache
def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def lines(path):
    return enumerate(text(path).splitlines(), 1)
