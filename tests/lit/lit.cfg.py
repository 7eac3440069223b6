"""lit suite: one file per transform; round trip, invalid, canonicalize per dialect."""
import os
import lit.formats

config.name = "einfall"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".ein", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "tests", "lit")

# A name captured in one function must not leak into the next.
config.environment["FILECHECK_OPTS"] = "-enable-var-scope"
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.build_dir, "bin"), config.llvm_tools_dir, config.environment["PATH"]])
config.substitutions.append(("%examples", os.path.join(config.source_dir, "examples")))

# The command line is a tool of its own; tests that run it say so.
if os.path.exists(os.path.join(config.build_dir, "bin", "einfall")):
    config.available_features.add("einfall")
