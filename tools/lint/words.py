"""Words that do not belong: unfinished work, and names of attention variants in the compiler."""
import re

from tree import lines, matching

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|/work/|(?i:\bnot (yet )?implemented|\bfor now\b|\bplaceholder)")

# A variant is a text file under examples/, never a word in the compiler.
VARIANTS = re.compile(
    r"(?<![a-z])(flash_?(attention|decoding)|gqa|mqa|mha|mla|moba|nsa|natten|big_?bird|longformer|longlora|performer|"
    r"linformer|nystrom\w*|mamba2?|rwkv\d?|ret_?net|retention|gla|delta_?net|gated_?delta|delta_?former|kimi\w*|"
    r"hgrn|sparsemax|alibi|swin|quest|twilight|parallax|streaming_?llm|lightning\w*|landmark|"
    r"causal_?attention|sliding_?window|paged_?(attention|decode)|softcap|aaren|xcit|s4d?)(?![a-z])", re.I)

SOURCES = (".h", ".cpp", ".c", ".td", ".py", ".sh", ".txt", ".cmake", ".ein", ".mlir", ".md", "dev")


def check_unfinished():
    for path in matching(*SOURCES):
        if path.startswith("tools/lint/"):
            continue
        for number, line in lines(path):
            if match := UNFINISHED.search(line):
                yield f"{path}:{number}: '{match[0]}'"


def check_variants():
    for folder in ("compiler/", "dialects/"):
        for path in matching(*SOURCES, under=folder):
            if match := VARIANTS.search(path):
                yield f"{path}: the file is named after the variant '{match[0]}'"
            for number, line in lines(path):
                if match := VARIANTS.search(line):
                    yield f"{path}:{number}: names the variant '{match[0]}'"
