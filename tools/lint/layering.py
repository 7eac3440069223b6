"""Who may include whom, over #include lines and CMake link lines; the table of docs/architecture.md."""
import re

from tree import lines, matching

VALUES = "dialects/ein"    # plain values and interpreter: no MLIR, usable by all
ABI = "runtime/include"    # what a compiled kernel and its caller agree on: one C header
DIALECTS = [VALUES, "dialects/ein/ir", "dialects/tile"]
COMPILER = ["compiler/algebra", "compiler/analysis", "compiler/model", "compiler/transforms"]
EVERYTHING = DIALECTS + COMPILER + ["compiler/lower", "compiler/pipeline", "compiler/driver", "frontend",
                                    "runtime", ABI, "tools", "bench", "tests", "examples"]

# folder: (folders of ours that it may include, may it include MLIR and LLVM)
ALLOWED = {
    VALUES: ([VALUES], False),
    "dialects/ein/ir": ([VALUES, "dialects/ein/ir"], True),
    "dialects/tile": (DIALECTS, True),
    "frontend": ([VALUES, "frontend"], False),
    "compiler/algebra": (["compiler/algebra"], False),
    "compiler/model": (["compiler/model"], False),
    "compiler/analysis": ([VALUES, "compiler/algebra", "compiler/analysis"], False),
    "compiler/transforms": (DIALECTS + COMPILER, False),
    "compiler/lower": (DIALECTS + ["compiler/algebra", "compiler/model", "compiler/lower", ABI], True),
    "compiler/pipeline": (DIALECTS + COMPILER + ["compiler/lower", "compiler/pipeline", ABI], True),
    "compiler/driver": (DIALECTS + COMPILER + ["compiler/lower", "compiler/pipeline", "compiler/driver",
                                               "frontend", ABI], True),
    "runtime": (["runtime", ABI], False),
    ABI: ([ABI], False),
    "tools": (DIALECTS + ["frontend", "compiler/analysis", "compiler/transforms", "compiler/pipeline", "compiler/driver", ABI,
                          "tools"], True),
    "bench": (EVERYTHING, True),
    "tests": (EVERYTHING, True),
    "examples": (["compiler/driver", ABI, "examples"], False),
}
# Main functions of MLIR's tools that are not in the shared library (linked after it).
TOOL_LIBRARIES = {"MLIRTranslateLib", "MLIRReduceLib", "MLIRLspServerLib"}


def folder_of(path):
    """The longest folder of the table that holds `path`."""
    best = [name for name in ALLOWED if path.startswith(name + "/")]
    return max(best, key=len) if best else None


def check():
    for path in matching(".h", ".cpp", ".c"):
        folder = folder_of(path)
        if folder is None:
            yield f"{path}: this folder is not in the layering table"
            continue
        allowed, mlir = ALLOWED[folder]
        if folder == "runtime" and path.endswith(".cpp"):
            yield f"{path}: the runtime is C"
        for number, line in lines(path):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not include:
                continue
            target = include[1]
            if re.match(r"(mlir|llvm|clang)(-c)?/", target) and not mlir:
                yield f"{path}:{number}: {folder} may not include '{target}'"
                continue
            # Headers beside the source, and the runtime's public one, are named without their folder.
            if target.startswith("einfall/"):
                target = "runtime/include/" + target
            owner = folder_of(target)
            if owner and owner not in allowed:
                yield f"{path}:{number}: {folder} may not include '{target}'"
    for path in matching("CMakeLists.txt", ".cmake"):
        for number, line in lines(path):
            for name in re.findall(r"\b(?:MLIR|LLVM)[A-Z][a-z]\w*", line.split("#")[0]):
                if not (path.startswith("tools/") and name in TOOL_LIBRARIES):
                    yield f"{path}:{number}: links '{name}': only the shared libraries MLIR and LLVM may be linked"
