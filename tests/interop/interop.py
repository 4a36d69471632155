"""Both sides of the wire against programs of other people. Started by `run`, which installs them."""

import contextlib
import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
import tty
import types

PROGRAM = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory(prefix="iph")
failures = []

SWEEP = """var f
var r
var j
set_pgstat_chan 0
set_pgstat_mode 3
set_max_bandwidth 200k
set_range_minmax da 0 0
set_range ba 100u
set_autoranging ba 100u 100u
set_e 0
cell_on
meas_loop_eis f r j 10m 100k 10 3 0
  pck_start
    pck_add f
    pck_add r
    pck_add j
  pck_end
endloop
on_finished:
  cell_off""".split("\n")

LIMITS = "[limits]\npotential_min_v = {low}\npotential_max_v = {high}\ncurrent_max_a = 3e-3\n"
# Not watched in a sweep away from the open circuit, so refused beside one.
CHARGE_LIMIT = "charge_max_c = 50.0\n"

STEPS = {
    "peis": "f_max_hz = 100e3\nf_min_hz = 100.0\npoints_per_decade = 3\namplitude_vrms = 0.010\n",
    "peis_auto": "f_max_hz = 100e3\nf_min_hz = 100.0\npoints_per_decade = 3\namplitude_vrms = 0.010\n"
    'current_range = "auto"\n',
    "peis_driven": "f_max_hz = 100.0\nf_min_hz = 0.02\npoints_per_decade = 3\namplitude_vrms = 0.010\nbias = {up}\n"
    "allow_polarisation = true\n",
    "geis": "f_max_hz = 100e3\nf_min_hz = 100.0\npoints_per_decade = 3\namplitude_vrms = 0.010\n",
    "ca": "potential_v = {up}\nduration_s = 20.0\nuntil_current_below_a = 1e-9\nallow_polarisation = true\n",
    "ca_long": "potential_v = {up}\nduration_s = 150.0\nuntil_charge_c = 40.0\nallow_polarisation = true\n",
    "cp": "current_a = 1e-5\nduration_s = 20.0\nallow_polarisation = true\n",
    "cp_long": "current_a = 1e-5\nduration_s = 150.0\nuntil_potential_above_v = {high}\nallow_polarisation = true\n",
    "lsv": "start_v = {at}\nend_v = {up}\nstep_v = 0.002\nscan_rate_v_per_s = 0.02\nallow_polarisation = true\n",
    "lsv_long": "start_v = {at}\nend_v = {up}\nstep_v = 0.002\nscan_rate_v_per_s = 0.0005\nallow_polarisation = true\n",
    "cv": "start_v = {at}\nvertex1_v = {up}\nvertex2_v = {down}\nstep_v = 0.002\nscan_rate_v_per_s = 0.02\nscans = 2\n"
    "allow_polarisation = true\n",
    "cv_long": "start_v = {at}\nvertex1_v = {up}\nvertex2_v = {down}\nstep_v = 0.002\nscan_rate_v_per_s = 0.001\n"
    "allow_polarisation = true\n",
    "ocp": "duration_s = 3.0\n",
}


def need(good, what):
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    if not good:
        failures.append(what)


def path(name):
    return os.path.join(FOLDER.name, name)


def environment():
    return dict(os.environ, INTERPHASE_RUNTIME_DIR=path("run"), HOME=FOLDER.name, XDG_STATE_HOME=path("state"))


@contextlib.contextmanager
def simulator(instrument, cell, time_scale):
    command = [PROGRAM, "simulate", "--instrument", instrument, "--cell", cell, "--time-scale", str(time_scale)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def run(instrument, port, cell, plan, recording):
    command = [PROGRAM, "run", "--instrument", instrument, "--port", port, "--cell", cell, "--plan", plan]
    command += ["--out", path(recording), "--headless", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment())
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done, events


# ---------------------------------------------------------------- their client, our simulator
def client_of_our_simulator():
    from labmcp.transports.serial import SerialTransport
    from labmcp_palmsens.driver import InstrumentError, MethodScriptDevice, build_script

    with simulator("es4_hr", "dummy_r_rc", 1) as port:
        line = SerialTransport(
            port, baudrate=230400, xonxoff=True, read_termination="\n", write_termination="\n", timeout=2.0
        )
        device = MethodScriptDevice(line)
        identity = device.identify()
        need(bool(identity.get("serial")), f"labmcp-palmsens identifies {identity}")
        result = device.execute(SWEEP, 60.0)
        rows = [[(v.type, v.value, v.status, v.range) for v in p] for _, p in result.packets]
        need(result.error is None and len(rows) == 3, f"and reads a sweep of {len(rows)} points")
        need(abs(rows[0][0][1] - 1e5) < 1 and rows[-1][2][1] < 0, "from 100 kHz, Z'' negative")
        script = build_script(
            "meas_loop_ca p c 500m 100m 1", begin_potential_v=0.5, e_min=0.5, e_max=0.5, pgstat_mode=2,
            bandwidth_hz=60, current_range_a=1e-3, autorange=True, equilibration_s=0, with_timer=True,
        )
        result = device.execute(script, 30.0)
        need(result.error is None and len(result.packets) == 10, f"and a CA of {len(result.packets)} samples")
        try:
            device.execute(["no_such_command 1"], 5.0)
            need(False, "an unknown command is refused")
        except InstrumentError as error:
            need("4001" in str(error), f"an unknown command is refused: {str(error)[:60]}")
        off = ["var p", "var c", "meas_loop_ca p c 0 100m 1", "pck_start", "pck_add c", "pck_end", "endloop"]
        result = device.execute(off, 5.0)
        need("4027" in (result.error or ""), f"a run-time error is told: {result.error}")
        slow = [text.replace("100k 10 3", "1k 100 1500") for text in SWEEP]
        box = {}
        thread = threading.Thread(target=lambda: box.update(result=device.execute(slow, 120.0)))
        thread.start()
        time.sleep(0.5)
        aborted = device.abort()
        thread.join(20)
        need("result" in box and box["result"].aborted and aborted.get("stopped"), "a sweep is aborted")
        need(device.identify()["serial"] == identity["serial"], "in step after that")
        device.close()


# ---------------------------------------------------------------- our driver, their simulator
class TheirSimulator(threading.Thread):
    """labmcp-palmsens' own simulator of an EmStat Pico on a pseudo terminal."""

    def __init__(self):
        super().__init__(daemon=True)
        from labmcp_palmsens.simulator import MethodScriptSimulator

        self.device = MethodScriptSimulator(speed=20.0)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        self.ends = False

    def run(self):
        taken = b""
        while not self.ends:
            if select.select([self.master], [], [], 0.005)[0]:
                taken += os.read(self.master, 4096)
            while b"\n" in taken:
                line, taken = taken.split(b"\n", 1)
                answer = self.device.handle(line.decode())
                self.say([answer] if isinstance(answer, str) else answer or [])
            self.say(self.device.poll())

    def say(self, lines):
        for line in lines:
            os.write(self.master, line.encode() + b"\n")


def our_driver_of_their_simulator():
    device = TheirSimulator()
    device.start()
    plan = path("hold.toml")
    with open(plan, "w") as file:
        file.write('name = "hold"\n[limits]\npotential_min_v = -1.0\npotential_max_v = 1.0\n[[step]]\ntechnique = "ca"\n')
        file.write("potential_v = 0.5\nduration_s = 10.0\ninterval_s = 0.1\nallow_polarisation = true\n")
    done, events = run("espico", device.port, "dummy_r_rc", plan, "theirs.interphase")
    samples = [e for e in events if e["kind"] == "sample"]
    ended = [e["reason"] for e in events if e["kind"] == "session_ended"]
    need(done.returncode == 0 and ended == ["plan complete"], f"a CA on labmcp-palmsens' simulator: {ended} {done.stderr}")
    need(len(samples) == 100 and all(s["potential_v"] == 0.5 for s in samples), f"{len(samples)} samples at 0.5 V")
    decays = [abs(s["current_a"]) for s in samples]
    need(bool(decays) and decays[0] > 3 * decays[-1] > 0, "whose current decays")
    need(not device.device.cell_powered, "and the cell is off")
    device.ends = True
    device.join()


# ---------------------------------------------------------------- our scripts, their grammar
def grammar():
    """pypalmsens' grammar without the package itself, which would start .NET."""
    root = os.path.dirname(importlib.util.find_spec("pypalmsens").origin)
    package = types.ModuleType("pypalmsens")
    package.__path__ = [root]
    sys.modules["pypalmsens"] = package
    from pypalmsens._methodscript.validate import validate

    return validate


def scripts_of(events):
    """Every script that was sent, from the wire events of a session."""
    sent = "".join(e["bytes"] for e in events if e["kind"] == "wire" and e["direction"] == "tx")
    sent = sent.replace("\\x0A", "\n").replace("\\n", "\n")
    return re.findall(r"(?:^|(?<=\n))e\n(.+?)\n(?=\n)", sent, flags=re.S)


def our_scripts_in_their_grammar():
    validate = grammar()
    personas = {
        "espico": ("dummy_r_rc", {"at": 0.0, "up": 0.05, "down": -0.05, "low": -1.0, "high": 1.0}),
        "es4_lr": ("dummy_r_rc", {"at": 0.0, "up": 0.05, "down": -0.05, "low": -1.0, "high": 1.0}),
        "es4_hr": ("nmc_li_coin", {"at": 4.12, "up": 4.14, "down": 4.10, "low": 3.0, "high": 4.25}),
        "nexus1": ("nmc_li_coin", {"at": 4.12, "up": 4.14, "down": 4.10, "low": 3.0, "high": 4.25}),
    }
    known = {}
    for persona, (cell, values) in personas.items():
        can = {"espico": ("peis", "ca", "lsv", "cv", "ocp")}.get(persona)
        steps = [(n, k) for n, k in STEPS.items() if can is None or n.split("_")[0] in can]
        sweeps = [step for step in steps if step[0].split("_")[0] in ("peis", "geis", "ocp")]
        direct = [step for step in steps if step not in sweeps]
        for kind, steps, limits in [("sweeps", sweeps, LIMITS), ("direct", direct, LIMITS + CHARGE_LIMIT)]:
            text = f'name = "{kind}"\n' + limits + "".join(
                f'[[step]]\ntechnique = "{name.split("_")[0]}"\n{keys}' for name, keys in steps
            )
            for key, value in values.items():
                text = text.replace("{" + key + "}", str(value))
            plan = path(f"{persona}_{kind}.toml")
            with open(plan, "w") as file:
                file.write(text)
            with simulator(persona, cell, 100) as port:
                done, events = run(persona, port, cell, plan, f"{persona}_{kind}.interphase")
            ended = [e["reason"] for e in events if e["kind"] == "session_ended"]
            need(ended == ["plan complete"], f"{persona}: {len(steps)} steps of {kind}: {ended} {done.stderr[-300:]}")
            for script in scripts_of(events):
                known[script] = persona
    for script, persona in known.items():
        try:
            validate(script + "\n")
        except Exception as error:  # whatever their grammar raises
            need(False, f"a script for {persona} is no MethodSCRIPT: {error}\n{script}")
    need(len(known) > 40, f"{len(known)} different scripts are MethodSCRIPT in pypalmsens' grammar")


# ---------------------------------------------------------------- Rodeostat, where there is a profile for it
def rodeostat():
    listed = subprocess.run([PROGRAM, "profiles", "list"], capture_output=True, text=True, env=environment()).stdout
    if "rodeostat" not in listed:
        print("--    no profile `rodeostat`: not checked")
        return
    from potentiostat import Potentiostat

    with simulator("rodeostat", "dummy_r_rc", 1) as port:
        device = Potentiostat(port)
        need(bool(device.hardware_variant), f"iorodeo-potentiostat finds a {device.hardware_variant}")
        device.set_sample_period(100)
        parameters = {"quietValue": 0.0, "quietTime": 0, "value": 0.5, "duration": 1000}
        times, _, _ = device.run_test("constant", param=parameters, display=None)
        need(len(times) == 11 and abs(times[-1] - 1.0) < 1e-9, f"and reads {len(times)} samples")
        sweep = {"quietValue": 0.0, "quietTime": 0, "startValue": 0.0, "finalValue": 0.4, "duration": 1000}
        _, volts, _ = device.run_test("linearSweep", param=sweep, display=None)
        need(abs(volts[0]) < 1e-6 and abs(volts[-1] - 0.4) < 1e-6, f"a linear sweep to {volts[-1]} V")
        cycle = {"quietValue": 0.0, "quietTime": 0, "amplitude": 0.5, "offset": 0.0, "period": 1000, "numCycles": 1, "shift": 0.0}
        _, volts, _ = device.run_test("cyclic", param=cycle, display=None)
        need(abs(max(volts) - 0.5) < 0.06 and abs(min(volts) + 0.5) < 0.06, f"a cycle {min(volts)} to {max(volts)} V")
        need(device.set_all_elect_connected(False) is False, "the electrodes are open")


for check in (client_of_our_simulator, our_driver_of_their_simulator, our_scripts_in_their_grammar, rodeostat):
    print(f"-- {check.__name__.replace('_', ' ')}")
    check()
print("FAILED: " + "; ".join(failures) if failures else "all good")
FOLDER.cleanup()
sys.exit(bool(failures))
