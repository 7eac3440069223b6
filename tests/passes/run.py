#!/usr/bin/env python3
"""Passes of the examples over their keys, as `einfall explain --json` reports them.

    tests/passes/run.py [--einfall build/bin/einfall]

For every example of the one-pass list: passes as written, one derived pass, and no tensor over queries and
keys in memory (plain softmax attention: no tensor at all). For every example of the refused list: a barrier over the keys remains and is named. Golden numbers as in
the FuseMax paper: three passes for the stable softmax, two without a maximum or with the division
deferred, one for the running form.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# example: (rank of the keys, passes as written)
ONE_PASS = {
    "attention": ("M", 3), "causal_gqa": ("M", 3), "alibi": ("M", 3), "base2": ("M", 3), "softcap": ("M", 3),
    "sink_logit": ("M", 3), "row_temperature": ("M", 3), "two_values": ("M", 3), "differential": ("M", 3),
    "gated_attention": ("M", 3), "mla": ("M", 3), "padded_encoder": ("M", 3), "sliding_window": ("M", 3),
    "row_entropy": ("M", 3), "stats": ("M", 4), "parallax": ("M", 2), "joint_softmax": ("U", 3),
    "unstable_softmax": ("M", 2), "deferred_division": ("M", 2), "logsumexp": ("M", 2),
    "sigmoid_attention": ("M", 1), "relu_attention": ("M", 1),
}
REFUSED = ("sparsemax", "relative_threshold", "topk_attention", "twilight")


def check(program, name):
    done = subprocess.run([program, "explain", str(ROOT / "examples" / f"{name}.ein"), "--json"],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return f"exit {done.returncode}: " + " | ".join(done.stderr.strip().splitlines()[:3])
    story = json.loads(done.stdout)
    missing = {"cascade", "source", "derived", "rewrites", "barriers", "merge", "kernels", "materialised", "masks"} - set(story)
    if missing:
        return f"no key {', '.join(sorted(missing))}"
    if name in ONE_PASS:
        rank, written = ONE_PASS[name]
        source, derived = story["source"]["passes"].get(rank), story["derived"]["passes"].get(rank)
        if source != written:
            return f"{source} passes over {rank} as written, expected {written}"
        if derived != 1:
            return f"{derived} derived passes over {rank}, expected 1"
        if name in ("attention", "causal_gqa") and story["materialised"]:
            return f"materialised: {', '.join(m['tensor'] for m in story['materialised'])}"
        square = [m["tensor"] for m in story["materialised"] if {f"|{rank}|", "|P|"} <= set(m["extent"].split("*"))]
        if square:
            return f"materialised over both token ranks: {', '.join(square)}"
    elif name in REFUSED:
        if not [b for b in story["barriers"] if b["rank"] == "M" and b["why"]]:
            return "no barrier over M is named"
        if story["derived"]["passes"].get("M", 0) < 2:
            return "claims one pass over M"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    args = parser.parse_args()
    passed = failed = 0
    for name in sorted(p.stem for p in (ROOT / "examples").glob("*.ein")):
        complaint = check(args.einfall, name)
        passed += complaint is None
        failed += complaint is not None
        if complaint:
            print(f"FAIL {name}: {complaint}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
