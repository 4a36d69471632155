//! Direct current through a line profile, with the program as it is run: what is recorded, and that the cell is off
//! after every end, by the log of the simulator.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, Simulator, lines_of, of_kind, wait_until};

const CELL: &str = "dummy_r_rc";

fn arguments<'a>(port: &'a str, plan: &'a str) -> [&'a str; 13] {
    [
        "run",
        "--instrument",
        "rodeostat",
        "--cell",
        CELL,
        "--plan",
        plan,
        "--out",
        "a.interphase",
        "--headless",
        "--json",
        "--port",
        port,
    ]
}

fn number(event: &Value, key: &str) -> f64 {
    event[key].as_f64().unwrap_or_else(|| panic!("{key} of {event}"))
}

/// The longest time in s for which the cell was on, off at the end.
#[track_caller]
fn longest_on_s(simulator: &Simulator) -> f64 {
    let switched = simulator.switched();
    assert_eq!(switched.len() % 2, 0, "the cell is on: {switched:?}");
    let on = switched.chunks(2).map(|both| {
        assert_eq!(
            (&both[0]["cell_on"], &both[1]["cell_on"]),
            (&Value::Bool(true), &Value::Bool(false))
        );
        number(&both[1], "t_s") - number(&both[0], "t_s")
    });
    on.fold(0.0, f64::max)
}

#[test]
fn the_shipped_plans_of_a_hold_and_of_voltammograms_are_measured_on_a_rodeostat() {
    let lab = Lab::new();
    let simulator = lab.simulator_of("rodeostat", CELL, 100, 1);
    let events = lines_of(&lab.succeed(&arguments(&simulator.port, "hold")));
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    let samples = of_kind(&events, "sample");
    assert_eq!(samples.len(), 101);
    let last = samples[100];
    assert_eq!(
        (last["technique"].as_str(), number(last, "device_t_s")),
        (Some("ca"), 10.0)
    );
    // 0.5 V over 1100 ohm.
    assert!((number(last, "current_a") - 0.5 / 1100.0).abs() < 1e-6, "{last}");
    // The first row, at 0 s, is the surge over 100 ohm alone; its half counts for the first interval.
    let charge_c = 0.1 * f64::midpoint(0.5 / 100.0, 0.5 / 1100.0) + 9.9 * 0.5 / 1100.0;
    assert!((number(last, "charge_c") - charge_c).abs() < 1e-5, "{last}");
    assert!((longest_on_s(&simulator) - 10.0).abs() < 0.2);
    // Nothing but what it cannot do is complained of.
    let alarms: Vec<&Value> = of_kind(&events, "alarm")
        .iter()
        .map(|alarm| &alarm["name"])
        .collect();
    assert_eq!(alarms, ["no_open_circuit"]);

    std::fs::remove_file(lab.path("a.interphase")).unwrap();
    let events = lines_of(&lab.succeed(&arguments(&simulator.port, "cv_window")));
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    let samples = of_kind(&events, "sample");
    let potentials = samples.iter().map(|sample| number(sample, "potential_v"));
    let (low, high) = potentials.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    assert!(
        (low + 0.5).abs() < 1e-3 && (high - 0.5).abs() < 1e-3,
        "{low} to {high} V"
    );
    assert!((number(samples[samples.len() - 1], "device_t_s") - 600.0).abs() < 1e-6);
    // A scan of 200 s is longer than an instrument is left alone for.
    assert!(longest_on_s(&simulator) < 60.2);
}

#[test]
fn a_session_that_is_killed_leaves_a_cell_that_is_off_within_a_piece() {
    let lab = Lab::new();
    let mut simulator = lab.simulator_of("rodeostat", CELL, 30, 1);
    std::fs::write(
        lab.path("long.toml"),
        "name = \"long\"\n[limits]\npotential_min_v = -0.6\npotential_max_v = 0.6\n[[step]]\ntechnique = \"ca\"\npotential_v = 0.4\nduration_s = 5000.0\ninterval_s = 0.5\n\
         allow_polarisation = true\n",
    )
    .unwrap();
    let mut child = lab
        .command(&arguments(&simulator.port, "long.toml"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the second piece runs", || simulator.switched().len() == 3);
    kill_process(Pid::from_raw(lab.session_pid()).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();
    wait_until("the cell is off", || simulator.switched().len() == 4);
    assert!(longest_on_s(&simulator) <= 60.0 + 0.2);
    // The next session finds the instrument in step.
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(lab.path(&format!("a.interphase{end}")));
    }
    lab.succeed(&arguments(&simulator.port, "hold"));
    longest_on_s(&simulator);
    simulator.kill();
}

#[test]
fn a_limit_that_is_passed_ends_the_plan_with_the_cell_off() {
    let lab = Lab::new();
    let simulator = lab.simulator_of("rodeostat", CELL, 30, 1);
    std::fs::write(
        lab.path("limited.toml"),
        "name = \"limited\"\n[limits]\npotential_min_v = -0.6\npotential_max_v = 0.6\ncharge_max_c = 1e-3\n[[step]]\ntechnique = \"ca\"\npotential_v = 0.5\n\
         duration_s = 50.0\ninterval_s = 0.1\nallow_polarisation = true\n",
    )
    .unwrap();
    let output = lab.run(&arguments(&simulator.port, "limited.toml"));
    assert_eq!(output.status.code(), Some(1));
    let events = lines_of(&String::from_utf8(output.stdout).unwrap());
    let alarm = of_kind(&events, "alarm")
        .into_iter()
        .find(|alarm| alarm["name"] == "limit_passed");
    assert!(
        alarm.unwrap()["text"]
            .as_str()
            .unwrap()
            .contains("charge above 0.001 C"),
        "{alarm:?}"
    );
    // 0.5 V over 1100 ohm passes 1 mC after 2.2 s; the sample that says so and the word back take the rest, in real time.
    assert!(longest_on_s(&simulator) < 2.2 + 0.2 + 30.0 * 0.5);
}

#[test]
fn what_the_profile_does_not_say_is_refused_with_the_reason() {
    let lab = Lab::new();
    let without = |remove: &str, with: &str| {
        let shipped = lab.succeed(&["profiles", "show", "rodeostat"]);
        assert!(shipped.contains(remove), "{remove}");
        std::fs::write(lab.path("mine.toml"), shipped.replacen(remove, with, 1)).unwrap();
    };
    let refused = |instrument: &str, plan: &str, says: &str| {
        let mut arguments = arguments("/dev/no-such-port", plan).map(str::to_owned);
        arguments[2] = instrument.to_owned();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = lab.run(&arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(says), "{says} is missing in: {message}");
    };
    refused("rodeostat", "charge", "no constant current");
    refused("bt4560", "hold", "no table of direct current");
    without("opens_by_itself = true\n", "");
    refused("mine.toml", "hold", "opens_by_itself = true");
    without("abort = ['{{\"command\":\"stopTest\"}}']\n", "");
    refused("mine.toml", "hold", "no `abort`");
    without(",\"duration\":{duration_ms:d}", "");
    refused("mine.toml", "hold", "for ever");
    let limits = "current_max_a = 5e-3\n";
    let slow = "interval_s = 2.0\n";
    for (more, step, says) in [
        (limits, "", "beyond the range of 0.001 A"),
        ("", slow, "the instrument takes 1 to 1000"),
    ] {
        std::fs::write(
            lab.path("odd.toml"),
            format!(
                "name = \"odd\"\n[limits]\npotential_min_v = -0.6\npotential_max_v = 0.6\n{more}[[step]]\ntechnique = \"ca\"\npotential_v = 0.5\nduration_s = 50.0\n{step}\
                 allow_polarisation = true\n"
            ),
        )
        .unwrap();
        refused("rodeostat", "odd.toml", says);
    }
}

#[test]
fn a_table_of_direct_current_that_is_wrong_is_refused_with_file_line_and_the_nearest_name() {
    let lab = Lab::new();
    let shipped = lab.succeed(&["profiles", "show", "rodeostat"]);
    for (right, wrong, says) in [
        ("{offset_v:.4f}", "{offset:.4f}", "did you mean `offset_v`"),
        ("\"finalValue\":{end_v:.4f},", "", "no command sets {end_v}"),
        (
            "[line.cyclic_sweep]\nmode = \"device_sweep\"",
            "[line.cyclic_sweep]\nmode = \"listen\"",
            "line.cyclic_sweep",
        ),
        (
            "from = \"period_s\"",
            "from = \"periods\"",
            "did you mean `period_s`",
        ),
        ("[line.linear_sweep]", "[line.linear_sweeps]", "linear_sweep"),
        ("min = 1\nmax = 1000\n", "min = 1000\nmax = 1\n", "not above max"),
    ] {
        assert!(shipped.contains(right), "{right}");
        std::fs::write(lab.path("wrong.toml"), shipped.replacen(right, wrong, 1)).unwrap();
        let output = lab.run(&["profiles", "check", "wrong.toml"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{wrong}: {message}");
        assert!(
            message.contains("wrong.toml:") && message.contains(says),
            "{says} is missing in: {message}"
        );
    }
}
