#!/usr/bin/env python3
"""A battery impedance meter (Hioki BT4560), written here from published commands alone, on a pseudo terminal:
`interphase run --headless --json` must measure its cell to the digits that it sends.

Usage: battery_meter.py PATH-OF-INTERPHASE
"""
import cmath, json, os, select, subprocess, sys, tempfile, threading, time, tty

CELL = """
name = "interop"
chemistry = "resistors and a capacitor"
configuration = "dummy"
[circuit]
model = "R0-p(R1,C1)"
track = ["R1"]
[circuit.start]
R0 = 5e-3
R1 = 3e-3
C1 = 10.0
[simulation]
open_circuit_v = 0.2
noise = { relative = 1e-3, absolute_ohm = 1e-6 }
"""
PLAN = """
name = "interop"
[[step]]
technique = "peis"
f_max_hz = 1000.0
f_min_hz = 1.0
points_per_decade = 3
amplitude_vrms = 0.01
"""


def impedance(frequency):
    """5 mohm in series with 3 mohm beside 10 F."""
    return 5e-3 + 3e-3 / (1 + 2j * cmath.pi * frequency * 3e-3 * 10.0)


class Bt4560(threading.Thread):
    """Answers *IDN?, FREQ and FETCH?; takes every other command in silence, as the meter does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.frequency, self.heard, self.stopped = 1000.0, [], False

    def say(self, text):
        os.write(self.master, text.encode() + b"\r\n")

    def run(self):
        pending = b""
        while not self.stopped:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            pending += os.read(self.master, 4096)
            *lines, pending = pending.split(b"\r\n")
            for line in lines:
                self.heard.append(line.decode())
                for part in line.decode().split(";"):
                    self.command(part.strip().upper())

    def command(self, part):
        if part == "*IDN?":
            self.say("HIOKI,BT4560,190512345,V1.02")
        elif part.startswith("FREQ "):
            self.frequency = float(part[5:])
        elif part == "FETCH?":
            time.sleep(0.05 + 1.0 / self.frequency)
            z = impedance(self.frequency)
            self.say(f"{z.real:+.7E},{z.imag:+.7E},{3.7012345:+.6E}")


def environment(folder):
    keys = ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    return {**os.environ, **{key: folder for key in keys}, "INTERPHASE_RUNTIME_DIR": os.path.join(folder, "run")}


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def bt4560(interphase, folder):
    meter = Bt4560()
    meter.start()
    command = [interphase, "run", "--instrument", "bt4560", "--port", meter.path, "--headless", "--json"]
    command += ["--cell", write(folder, "cell.toml", CELL), "--plan", write(folder, "plan.toml", PLAN)]
    command += ["--out", os.path.join(folder, "a.interphase")]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=120)
    meter.stopped = True
    meter.join()
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    points = [event for event in events if event["kind"] == "point"]
    assert len(points) == 10, len(points)
    for point in points:
        z = impedance(point["frequency_hz"])
        assert point["z_real_ohm"] == float(f"{z.real:+.7E}"), point
        assert point["z_imag_ohm"] == float(f"{z.imag:+.7E}"), point
        assert point["potential_v"] == float(f"{3.7012345:+.6E}") and point["status"] == "ok", point
    identity = next(event for event in events if event["kind"] == "identity")
    assert (identity["instrument"], identity["serial"]) == ("BT4560", "190512345"), identity
    assert [event["reason"] for event in events if event["kind"] == "session_ended"] == ["plan complete"]
    assert meter.heard[0] == "*IDN?", meter.heard
    print(f"ok   bt4560: 10 points equal to the digits sent, {len(meter.heard)} commands")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="iph") as scratch:
        bt4560(os.path.abspath(sys.argv[1]), scratch)
