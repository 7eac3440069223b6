"""One idea a file: sources and tests have upper limits; the aim is 400 lines."""
from tree import matching, text

WARN, REFUSE, REFUSE_LIT = 800, 1200, 400


def check():
    for path in matching(".h", ".cpp", ".c", ".td", ".py", ".sh", ".mlir", ".ein"):
        count = text(path).count("\n")
        limit = REFUSE_LIT if path.startswith("tests/lit/") else REFUSE
        if count > limit:
            yield f"{path}: {count} lines, at most {limit} (aim: 400)"
        elif count > WARN:
            print(f"warning: {path}: {count} lines; consider two files")


def check_mains():
    """Tools are thin: a main function stands in a file under 100 lines."""
    for path in matching(".cpp", under="tools/"):
        if "\nint main(" in text(path) and text(path).count("\n") >= 100:
            yield f"{path}: {text(path).count(chr(10))} lines around a main function, at most 99"
