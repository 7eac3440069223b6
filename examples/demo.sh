#!/usr/bin/env bash
# The tour behind `./dev demo`: an attention variant as text, checked, explained, compiled and run on the
# tensors of a real model, next to the output of that model. Exit code 1 if anything disagrees.
set -u
here=$(cd "$(dirname "$0")" && pwd)
einfall=${EINFALL:-$here/../build/bin/einfall}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$here" || exit 1

bad=0
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ einfall %s\n' "$*"; }
must() { "$@" || { echo "  failed: $*"; bad=1; }; }

say "1. An attention variant is a text: padded_encoder.ein (BERT's attention over a padded batch)"
sed 's/^/    /' padded_encoder.ein

say "2. It is checked: ranks, types, existence of points, order of evaluation"
show check padded_encoder.ein packed_bidirectional.ein
must "$einfall" check padded_encoder.ein packed_bidirectional.ein && echo "  no complaint"

say "3. A mistake is explained where it stands"
sed 's/max\[m\] S\[b,h,p,m\]/max[m] S[b,h,p]/' padded_encoder.ein > "$out/mistake.ein"
show check mistake.ein
if (cd "$out" && "$einfall" check mistake.ein); then echo "  the mistake was not found"; bad=1; fi

say "4. What the compiler understood: passes over the keys as written, and after its rewrites"
show explain padded_encoder.ein
must "$einfall" explain padded_encoder.ein

say "5. Run on a real model: layer 0 of all-MiniLM-L6-v2, four texts of 256, 135, 61 and 25 tokens."
echo "   Keys and values past a text's end are NaN in these files; a kernel that read one would show it."
layer0() {
  must "$einfall" run padded_encoder.ein --in Q=data/layer0_q.npy --in K=data/layer0_k.npy --in V=data/layer0_v.npy \
    --in len=data/lengths.npy --out O="$out/o0.npy" --out LSE="$out/l0.npy" --engine "$1"
  must "${PYTHON:-python3}" compare.py "$out/o0.npy" data/layer0_o.npy 1e-6 2e-5 "layer 0 output, $1"
  must "${PYTHON:-python3}" compare.py "$out/l0.npy" data/layer0_lse.npy 1e-6 4e-5 "layer 0 log-sum-exp, $1"
  rm -f "$out/o0.npy" "$out/l0.npy"
}
layer0 cpu
layer0 interp

say "6. The same model without padding: layer 5, three texts packed one after another (packed_bidirectional.ein)"
layer5() {
  must "$einfall" run packed_bidirectional.ein --in Q=data/layer5_q.npy --in K=data/layer5_k.npy \
    --in V=data/layer5_v.npy --in cu=data/layer5_cu.npy --out O="$out/o5.npy" --out LSE="$out/l5.npy" --engine "$1"
  must "${PYTHON:-python3}" compare.py "$out/o5.npy" data/layer5_o.npy 1e-6 5e-6 "layer 5 output, $1"
  must "${PYTHON:-python3}" compare.py "$out/l5.npy" data/layer5_lse.npy 1e-6 4e-6 "layer 5 log-sum-exp, $1"
  rm -f "$out/o5.npy" "$out/l5.npy"
}
layer5 cpu
layer5 interp

say "The expected outputs are the model's own, computed in float64 from the same tensors."
if [ "$bad" -ne 0 ]; then echo "The demo found a disagreement."; exit 1; fi
echo "Everything agrees."
