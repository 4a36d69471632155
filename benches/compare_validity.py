#!/usr/bin/env python3
"""Time of the linear Kramers-Kronig test beside impedance.py's linKK, on the same files, in one run.

Both are timed inside their own process, turn by turn, and the least of all repeats counts, because other work on the
machine only ever adds; linKK takes so long that its processor time is taken, which leaves out what others use.
Interphase is timed by its bench, the same circuit, frequencies and noise with draws of its own; impedance.py runs linKK
with its defaults (max_M 50, c 0.85), and with a series capacitance and more elements.

usage: cargo bench --bench validity --no-run
       OMP_NUM_THREADS=1 python benches/compare_validity.py --rounds 3
needs: numpy < 2, impedance 1.7.1 (its linKK fails on numpy 2), cargo
"""
import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import time

import numpy as np


def reference_spectrum():
    """R0-p(R1,CPE1)-W1 on 100 frequencies, 0.5 % noise: as the bench has it, with other draws."""
    frequency = 10.0 ** (6 - 9 * np.arange(100) / 99)
    s = 2j * np.pi * frequency
    z = 10 + 1 / (1 / 50 + 1e-6 * s**0.9) + 100 / np.sqrt(s)
    draw = np.random.default_rng(77).standard_normal((2, 100))
    return frequency, z + 0.005 * abs(z) * (draw[0] + 1j * draw[1])


def of_impedance_py(runs):
    """Seconds of each way to call linKK: the least of `runs`."""
    from impedance.validation import linKK

    frequency, z = reference_spectrum()
    times = {}
    for name, options in {
        "defaults": {},
        "add_cap": {"add_cap": True},
        "complex, add_cap": {"fit_type": "complex", "add_cap": True},
    }.items():
        least = float("inf")
        for _ in range(runs):
            with contextlib.redirect_stdout(io.StringIO()):
                begin = time.process_time()
                m, mu, *_ = linKK(frequency, z, c=0.85, max_M=100 if options else 50, **options)
                least = min(least, time.process_time() - begin)
        times[name] = {"seconds": least, "m": int(m), "mu": float(mu)}
    return times


def of_interphase():
    """Seconds of each bench."""
    command = ["cargo", "bench", "-q", "--bench", "validity"]
    environment = dict(os.environ, VALIDITY_SETS="0")
    output = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    found = re.findall(r"lin_kk/(\S+)\s+([\d.]+) us", output)
    return {name: float(value) * 1e-6 for name, value in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="turns of both programs")
    parser.add_argument("--runs", type=int, default=5, help="runs of linKK a turn")
    arguments = parser.parse_args()
    theirs, ours = {}, {}
    for _ in range(arguments.rounds):
        for name, found in of_impedance_py(arguments.runs).items():
            if name not in theirs or found["seconds"] < theirs[name]["seconds"]:
                theirs[name] = found
        for name, seconds in of_interphase().items():
            ours[name] = min(seconds, ours.get(name, seconds))
    if not ours:
        sys.exit("no time was read from the bench; does `cargo bench --bench validity` run?")
    chosen = ours["100_points_to_the_chosen_number"]
    ratios = {name: found["seconds"] / chosen for name, found in theirs.items()}
    print(json.dumps({"impedance_py": theirs, "interphase_s": ours, "ratio": ratios}, indent=1))


if __name__ == "__main__":
    main()
