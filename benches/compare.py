#!/usr/bin/env python3
"""Fit times of Interphase beside those of scipy and impedance.py, on the same files from the same starts.

    OMP_NUM_THREADS=1 python benches/compare.py target/release/interphase

Run by hand, with a Python that has numpy, scipy and impedance (1.7.1 was used; it wants numpy below 2). One thread
each. Two spectra with 0.5 % noise are made in a temporary directory with a fixed seed:

    ref    R0-p(R1,CPE1)-W1              5 parameters
    hard   R0-p(R1,CPE1)-p(R2,CPE2)-Wo1  9 parameters

Starts are drawn within a factor of ten of the truth, exponents between 0.5 and 1. Compared are

    interphase     `elapsed_us` of `fit --json` with every parameter's start given: the time of the search. Each process
                   fits the same file COPIES times. The first fit meets cold caches, as a fit alone would; the median
                   of the others is what compares with scipy, whose process has been at work for long too. Where a
                   second opinion was sought, the whole time (`elapsed_us + guess_us`) counts.
    scipy          curve_fit, Levenberg-Marquardt with its own finite differences, over the logarithms of the scale
                   parameters, modulus weights, model in numpy.
    impedance.py   CustomCircuit.fit(weight_by_modulus=True), a few starts only, as it takes its time.

All three minimise the same sum; how many starts reached its least value is printed beside the times. A search that
gives up counts with the time that it took until then; one that takes longer than LIMIT_S is ended and counts with
that.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
from impedance.models.circuits import CustomCircuit
from scipy.optimize import curve_fit

STARTS = 20
STARTS_OF_IMPEDANCE_PY = 3
COPIES = 6
LIMIT_S = 20
NOISE = 0.005
# Sums that differ by less than this fraction are the same minimum: the searches stop at different tolerances.
SAME_MINIMUM = 1e-4


def constant_phase(omega, q, n):
    return 1 / (q * (1j * omega) ** n)


def parallel(a, b):
    return a * b / (a + b)


def ref(omega, p):
    return p[0] + parallel(p[1], constant_phase(omega, p[2], p[3])) + p[4] * (1 - 1j) / np.sqrt(omega)


def hard(omega, p):
    s = np.sqrt(1j * omega * p[8])
    return (
        p[0]
        + parallel(p[1], constant_phase(omega, p[2], p[3]))
        + parallel(p[4], constant_phase(omega, p[5], p[6]))
        + p[7] / (s * np.tanh(s))
    )


CASES = [
    (
        "ref",
        "R0-p(R1,CPE1)-W1",
        ref,
        {"R0": 10, "R1": 50, "CPE1.Q": 1e-6, "CPE1.n": 0.9, "W1": 100 / np.sqrt(2)},
    ),
    (
        "hard",
        "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1",
        hard,
        {
            "R0": 5,
            "R1": 20,
            "CPE1.Q": 1e-6,
            "CPE1.n": 0.9,
            "R2": 40,
            "CPE2.Q": 1e-3,
            "CPE2.n": 0.85,
            "Wo1.R": 50,
            "Wo1.tau": 30,
        },
    ),
]


class TookTooLong(Exception):
    pass


def ended(_signal, _frame):
    raise TookTooLong


def timed(search):
    """Microseconds, and the parameters that the search ended with or None."""
    signal.signal(signal.SIGALRM, ended)
    signal.alarm(LIMIT_S)
    began = time.perf_counter()
    try:
        found = search()
    except (RuntimeError, ValueError, FloatingPointError, TookTooLong):
        found = None
    took = time.perf_counter() - began
    signal.alarm(0)
    return took * 1e6, found


def interphase_fit(binary, path, circuit, names, start):
    """Microseconds of the first fit in its process and of later ones, whether a second opinion was sought, and the
    parameters."""
    command = [binary, "fit", *[path] * COPIES, "--circuit", circuit, "--json"]
    for name, value in zip(names, start):
        command += ["--start", f"{name}={value:.17g}"]
    # A fit that is not determined ends with a status of its own; its times count all the same.
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        fits = [json.loads(line) for line in run.stdout.splitlines()]
    except json.JSONDecodeError:
        fits = []
    if len(fits) != COPIES:
        sys.exit(f"{' '.join(command)} gave no fits:\n{run.stderr}")
    took_us = [fit["elapsed_us"] + fit["guess_us"] for fit in fits]
    found = np.array([parameter["value"] for parameter in fits[0]["parameters"]])
    return took_us[0], float(np.median(took_us[1:])), fits[0]["guess_us"] > 0, found


def compare(binary, folder, generator, name, circuit, model, parameters):
    names, truth = list(parameters), np.array(list(parameters.values()), float)
    is_exponent = np.array([parameter.endswith(".n") for parameter in names])
    frequency = np.geomspace(1e6, 1e-3, 100)
    omega = 2 * np.pi * frequency
    impedance = model(omega, truth)
    noise = generator.standard_normal(100) + 1j * generator.standard_normal(100)
    impedance = impedance + NOISE * np.abs(impedance) * noise
    path = os.path.join(folder, f"{name}.csv")
    np.savetxt(
        path,
        np.column_stack([frequency, impedance.real, impedance.imag]),
        delimiter=",",
        header="f_hz,z_re_ohm,z_im_ohm",
        comments="",
        fmt="%.16e",
    )
    starts = [
        np.where(
            is_exponent,
            generator.uniform(0.5, 1, len(truth)),
            truth * 10 ** generator.uniform(-1, 1, len(truth)),
        )
        for _ in range(STARTS)
    ]

    modulus = np.abs(impedance)
    stacked = np.concatenate([impedance.real, impedance.imag])

    def natural(position):
        return np.where(is_exponent, position, np.exp(np.where(is_exponent, 0, position)))

    def of_position(_omega, *position):
        z = model(omega, natural(np.array(position)))
        return np.concatenate([z.real, z.imag])

    def by_scipy(start):
        position = np.where(is_exponent, start, np.log(start))
        sigma = np.concatenate([modulus, modulus])
        found, _ = curve_fit(of_position, omega, stacked, p0=position, sigma=sigma, method="lm")
        return natural(found)

    def by_impedance_py(start):
        fitter = CustomCircuit(circuit, initial_guess=list(start))
        fitter.fit(frequency, impedance, weight_by_modulus=True)
        return np.array(fitter.parameters_)

    def chi_squared(found):
        if found is None:
            return np.inf
        value = float(np.sum(np.abs((model(omega, found) - impedance) / modulus) ** 2))
        return value if np.isfinite(value) else np.inf

    alone, one, more, searches = [], [], [], {"interphase": [], "scipy": [], "impedance.py": []}
    for start in starts:
        first_us, later_us, second_opinion, found = interphase_fit(binary, path, circuit, names, start)
        alone.append(first_us)
        (more if second_opinion else one).append(later_us)
        searches["interphase"].append((later_us, chi_squared(found)))
    for start in starts:
        took_us, found = timed(lambda: by_scipy(start))
        searches["scipy"].append((took_us, chi_squared(found)))
    for start in starts[:STARTS_OF_IMPEDANCE_PY]:
        took_us, found = timed(lambda: by_impedance_py(start))
        searches["impedance.py"].append((took_us, chi_squared(found)))

    least = min(value for runs in searches.values() for _, value in runs)
    own_us = np.median([took_us for took_us, _ in searches["interphase"]])
    alone_us = np.median(alone)
    print(f"{name}: {circuit}, {len(truth)} parameters, 100 points, {STARTS} starts")
    for program, runs in searches.items():
        median_us = np.median([took_us for took_us, _ in runs])
        reached = sum(value <= least * (1 + SAME_MINIMUM) for _, value in runs)
        print(
            f"    {program:13}{median_us:12.1f} us = {median_us / own_us:9.1f} times interphase"
            f" ({median_us / alone_us:.1f} times its first fit in a process);"
            f" {reached} of {len(runs)} starts reached the least sum"
        )
    for kind, times in (("first fit in a process", alone), ("one search", one), ("second opinion", more)):
        if times:
            print(f"    interphase, {kind}: {len(times)} starts, median {np.median(times):.1f} us")
    sys.stdout.flush()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python benches/compare.py PATH_OF_THE_RELEASE_BINARY")
    # One core for all: several fits in one process must not share the machine among themselves.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Overflow far from the minimum is part of a search.
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    generator = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            compare(sys.argv[1], folder, generator, *case)


if __name__ == "__main__":
    main()
