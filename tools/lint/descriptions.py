"""Every operation, type and attribute of a dialect, and every transform, shows an example."""
import re

from tree import matching, text


def records(source):
    """(name, class, body) of each `def` with a body."""
    for match in re.finditer(r"^def (\w+)\s*:\s*(\w+)[^{;]*?\{", source, re.M):
        depth, at = 1, match.end()
        while depth and at < len(source):
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
        yield match[1], match[2], source[match.end():at]


def transforms():
    """Headers of compiler/transforms that the pipeline calls by name."""
    for path in matching(".cpp", ".h", under="compiler/pipeline/"):
        yield from re.findall(r'#include "(compiler/transforms/\w+\.h)"', text(path))


def check():
    for path in matching(".td", under="dialects/"):
        for name, parent, body in records(text(path)):
            if not re.match(r"(Ein|Tile)_", name) or name.endswith("_Dialect"):
                continue
            if re.search("Enum|EnumAttr|Case", parent):
                continue
            description = re.search(r"let description = \[\{(.*?)\}\];", body, re.S)
            if not description:
                yield f"{path}: {name} has no description"
            elif "```" not in description[1]:
                yield f"{path}: the description of {name} has no example (a ``` block)"
    for path in sorted(set(transforms())):
        comment = "\n".join(line for line in text(path).splitlines() if line.lstrip().startswith("//"))
        if not re.search(r"->|=>|\bexample\b|\bbefore\b", comment, re.I):
            yield f"{path}: the header comment shows no before and after"
