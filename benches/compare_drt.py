#!/usr/bin/env python3
"""Time and result of Interphase's distribution of relaxation times beside those of pyimpspec and hybrid-drt.

    OMP_NUM_THREADS=1 python benches/compare_drt.py target/release/interphase

Run by hand, with a Python that has numpy, pyimpspec (5.2.0 was used) and hybrid-drt (the module `hybdrt`, which the
registry has as eisyfit-hybrid-drt 0.1.1). One thread each, all in one run on the same spectrum, 5 + ZARC(20 ohm,
2e-5 s, 0.9) + ZARC(40 ohm, 2e-2 s, 0.85) at 81 frequencies with 0.5 % noise, which is made here with a fixed seed.
Times are processor times, which hold on a busy machine too.

    interphase  `drt --json` on a file with COPIES + 1 copies of the spectrum less the time of one with a single copy,
                over COPIES: 100 time constants, lambda by cross-validation, three lambdas, peaks, errors, reading and
                writing. The least of REPEATS.
    pyimpspec   calculate_drt(method="tr-nnls"), its default: one lambda.
    hybrid-drt  DRT().fit_eis: one solution.

What is not installed is left out, and said.
"""

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

COPIES = 100
REPEATS = 7
TRUTH = "peaks 20 ohm at 2.0e-5 s and 40 ohm at 2.0e-2 s, area 60 ohm"


def spectrum():
    f = np.logspace(6, -2, 81)
    s = 2j * np.pi * f
    z = 5 + 20 / (1 + (s * 2e-5) ** 0.9) + 40 / (1 + (s * 2e-2) ** 0.85)
    draw = np.random.default_rng(20240501).standard_normal
    return f, z + 0.005 * np.abs(z) * (draw(f.size) + 1j * draw(f.size))


def write(path, f, z, copies):
    with open(path, "w") as file:
        file.write("spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n")
        for copy in range(copies):
            for a, b in zip(f, z):
                file.write(f"{copy},{a:.10e},{b.real:.10e},{b.imag:.10e}\n")


def maxima(tau, gamma, least=0.05):
    order = np.argsort(tau)
    tau, gamma = np.asarray(tau)[order], np.asarray(gamma)[order]
    inner = range(1, len(gamma) - 1)
    return [
        f"{tau[k]:.1e} s"
        for k in inner
        if gamma[k] > gamma[k - 1] and gamma[k] >= gamma[k + 1] and gamma[k] > least * gamma.max()
    ]


def area(tau, gamma):
    order = np.argsort(tau)
    x, y = np.log(np.asarray(tau)[order]), np.asarray(gamma)[order]
    return float(np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x)))


def processor_time():
    """Of this process and of those that it has waited for, in s."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def least_time(work):
    times = []
    for _ in range(REPEATS):
        begin = processor_time()
        with contextlib.redirect_stdout(io.StringIO()):
            result = work()
        times.append(processor_time() - begin)
    return min(times), result


def interphase(binary, f, z):
    with tempfile.TemporaryDirectory() as folder:
        one, many = os.path.join(folder, "one.csv"), os.path.join(folder, "many.csv")
        write(one, f, z, 1)
        write(many, f, z, COPIES + 1)

        def run(path):
            command = [binary, "drt", path, "--json"]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            return done.stdout

        of_one, output = least_time(lambda: run(one))
        of_many, _ = least_time(lambda: run(many))
    found = json.loads(output.splitlines()[0])
    peaks = [f"{p['resistance_ohm']:.1f} ohm at {p['tau_s']:.1e} s" for p in found["peaks"]]
    return (of_many - of_one) / COPIES, peaks, found["r_polarisation_ohm"]


def pyimpspec_tr_nnls(f, z):
    import pyimpspec

    data = pyimpspec.DataSet(f, z)
    best, result = least_time(lambda: pyimpspec.calculate_drt(data, method="tr-nnls"))
    tau, gamma = result.get_drt_data()[:2]
    return best, maxima(tau, gamma), area(tau, gamma)


def hybrid_drt(f, z):
    from hybdrt.models import DRT

    def work():
        model = DRT()
        model.fit_eis(f, z)
        return model

    best, model = least_time(work)
    tau = np.logspace(-8, 4, 500)
    gamma = model.predict_distribution(tau)
    return best, maxima(tau, gamma), area(tau, gamma)


def main():
    warnings.filterwarnings("ignore")
    f, z = spectrum()
    ours, peaks, whole = interphase(sys.argv[1], f, z)
    print(f"truth        {TRUTH}")
    print(f"interphase   {1e3 * ours:8.2f} ms     1 x  area {whole:.2f} ohm, {len(peaks)} peaks: {', '.join(peaks)}")
    for name, method in (("pyimpspec", pyimpspec_tr_nnls), ("hybrid-drt", hybrid_drt)):
        try:
            best, peaks, whole = method(f, z)
        except ImportError as error:
            print(f"{name:12} not installed: {error}")
            continue
        print(
            f"{name:12} {1e3 * best:8.2f} ms {best / ours:5.0f} x  area {whole:.2f} ohm,"
            f" {len(peaks)} maxima: {', '.join(peaks)}"
        )


if __name__ == "__main__":
    main()
