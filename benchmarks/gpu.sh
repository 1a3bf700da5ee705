#!/usr/bin/env bash
# Everything that needs an accelerator, in under ten minutes: the tests marked `gpu`, the benchmarks on
# the shape of a 7B with random weights, and a pre-training of the lab's backbone. Results go to the
# folder that is named (default: gpu-results). Needs an environment in which dragoman is installed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-gpu-results}
python=${PYTHON:-python3}
mkdir -p "$out"
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv | tee "$out/machine.txt"
timeout 120 "$python" -m pytest -m gpu -p no:cacheprovider 2>&1 | tee "$out/tests.txt"
timeout 120 "$python" benchmarks/generation.py --geometry 7b --prompts 256 --batch-tokens 262144 --out "$out/generation.json"
timeout 150 "$python" benchmarks/engines.py --geometry 7b --prompts 512 --rounds 1 --out "$out/engines.json"
timeout 150 "$python" benchmarks/training.py --geometry 7b --steps 4 --rounds 1 --out "$out/training.json"
timeout 100 "$python" -m dragoman lab pretrain "$out/backbone" --minutes 1 2>&1 | tail -n 3 | tee "$out/pretrain.txt"
