"""Dragoman teaches an instruct LLM to translate and lets it stay the assistant it was."""

import os

__version__ = "0.1.0"

# OpenMP's threads wait for each other by spinning for milliseconds, which takes the processor from what they wait for
# as soon as the machine has other work: a step then takes many times as long. Threads that sleep at once take a third
# longer on an idle machine. So they spin for as long as most waits are (benchmarks/busy.py). libgomp reads this when it
# is loaded, with torch, in this process or in one that this one starts; what the user has set stays.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "3000"
