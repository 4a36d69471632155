//! The cell is off after every kind of end, as the simulated instrument itself saw it.

use interphase::session::client::Client;
use interphase::session::control::Request;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, Session, Simulator, lines_of, of_kind, wait_until};

/// A charge that has reached 4.15 V and ends at 4.2 V.
const CHARGE: &str = "name = \"charge_near_the_end\"
[limits]
potential_min_v = 2.8
potential_max_v = 4.2
[[step]]
technique = \"cp\"
current_a = 0.9e-3
duration_s = 7200.0
interval_s = 1.0
piece_s = PIECE
allow_polarisation = true
";

/// How far the cell rises in one sample, in V: 0.9 mA over 0.0833 V/C, and the last of its step response.
const SAMPLE_V: f64 = 0.9e-3 * 0.0833 * 1.5;

fn potentials(lab: &Lab, session: &Session) -> Vec<f64> {
    let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
    of_kind(&events, "sample")
        .iter()
        .filter(|sample| sample["technique"] == "cp")
        .filter_map(|sample| sample["potential_v"].as_f64())
        .collect()
}

/// A charge in the background, seen above 4.15 V.
fn charging(lab: &Lab, time_scale: u32, seed: u32, piece_s: &str) -> (Simulator, Session) {
    let plan = lab.path("charge.toml");
    std::fs::write(&plan, CHARGE.replace("PIECE", piece_s)).unwrap();
    let simulator = lab.simulator("nmc_li_coin", time_scale, seed);
    let session = lab.detach(&simulator.link, "nmc_li_coin", plan.to_str().unwrap());
    wait_until("the cell is charged above 4.15 V", || {
        potentials(lab, &session)
            .last()
            .is_some_and(|potential| *potential > 4.15)
    });
    (simulator, session)
}

/// Waits until the simulator has switched its cell off, and gives back what it said.
fn switched_off(simulator: &Simulator) -> Value {
    wait_until("the cell is off", || {
        simulator
            .switched()
            .last()
            .is_some_and(|last| last["cell_on"] == false)
    });
    simulator.switched().last().unwrap().clone()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_session_killed_while_charging_leaves_the_cell_off_before_its_limit_and_a_sample() {
    let lab = Lab::new();
    // Pieces so long that the limit comes first, and so short that the piece does.
    let (simulator, session) = charging(&lab, 50, 61, "2000.0");
    kill(lab.session_pid());
    let off = switched_off(&simulator);
    let potential = off["potential_v"].as_f64().unwrap();
    assert!(potential < 4.2 + SAMPLE_V && potential > 4.19, "{off}");
    assert!(
        potentials(&lab, &session)
            .iter()
            .all(|potential| *potential < 4.2 + SAMPLE_V)
    );
    drop(simulator);

    let lab = Lab::new();
    let (simulator, session) = charging(&lab, 20, 62, "60.0");
    let last_s = {
        let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
        of_kind(&events, "sample").last().unwrap()["device_t_s"]
            .as_f64()
            .unwrap()
    };
    kill(lab.session_pid());
    let off = switched_off(&simulator);
    assert!(off["potential_v"].as_f64().unwrap() < 4.2 + SAMPLE_V, "{off}");
    // The piece that ran, and what passed on this machine between the sample and the kill.
    let on_s = simulator.switched()[0]["t_s"].as_f64().unwrap();
    let until_s = off["t_s"].as_f64().unwrap() - on_s - last_s;
    assert!(until_s < 60.0 + 20.0 * 5.0, "{until_s}");
}

#[test]
fn a_stop_switches_the_cell_off_after_the_running_sample_and_a_stop_now_at_once() {
    for now in [false, true] {
        let lab = Lab::new();
        let (simulator, session) = charging(&lab, 20, 63, "60.0");
        let mut arguments = vec!["stop", session.name.as_str()];
        if now {
            arguments.push("--now");
        }
        lab.succeed(&arguments);
        let off = switched_off(&simulator);
        assert!(off["potential_v"].as_f64().unwrap() < 4.2 + SAMPLE_V, "{off}");
        wait_until("the session has ended", || lab.sessions().is_empty());
        let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
        assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "stopped");
        let told = of_kind(&events, "command")[0]["t_s"].as_f64().unwrap();
        let last = of_kind(&events, "sample").last().unwrap()["t_s"]
            .as_f64()
            .unwrap();
        // In the cell's time: a sample and two seconds of this machine at the most.
        assert!(last - told < 1.0 + 20.0 * 2.0, "{told} {last}");
        assert!(
            of_kind(&events, "alarm").is_empty(),
            "{:?}",
            of_kind(&events, "alarm")
        );
    }
}

#[test]
fn a_charge_that_reaches_a_limit_ends_the_plan_with_the_cell_off() {
    let lab = Lab::new();
    let (simulator, session) = charging(&lab, 400, 64, "400.0");
    let off = switched_off(&simulator);
    assert!(off["potential_v"].as_f64().unwrap() < 4.2 + SAMPLE_V, "{off}");
    wait_until("the session has ended", || lab.sessions().is_empty());
    let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
    let reason = of_kind(&events, "session_ended")[0]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reason.contains("potential above 4.2 V"), "{reason}");
    assert_eq!(of_kind(&events, "alarm")[0]["name"], "limit_passed");
    let charge = of_kind(&events, "sample").last().unwrap()["charge_c"]
        .as_f64()
        .unwrap();
    assert!(charge > 0.0);
}

#[test]
fn a_sweep_under_direct_current_that_reaches_a_limit_ends_the_plan_with_the_cell_off() {
    let lab = Lab::new();
    let plan = lab.path("biased.toml");
    // 0.9 mA charges the cell by 75 uV/s: the limit is passed in one of the points of minutes.
    let text = "name = \"biased\"
repeat = 3
interval_s = 0.0
[limits]
potential_min_v = 2.8
potential_max_v = 4.2
[[step]]
technique = \"geis\"
f_max_hz = 1.0
f_min_hz = 0.002
points_per_decade = 3
amplitude_vrms = 0.005
bias_a = 0.9e-3
allow_polarisation = true
";
    std::fs::write(&plan, text).unwrap();
    let simulator = lab.simulator("nmc_li_coin", 100, 68);
    let session = lab.detach(&simulator.link, "nmc_li_coin", plan.to_str().unwrap());
    wait_until("the session has ended", || lab.sessions().is_empty());
    let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
    let reason = of_kind(&events, "session_ended")[0]["reason"].as_str().unwrap();
    assert!(reason.contains("a limit of the plan was passed"), "{reason}");
    assert_eq!(of_kind(&events, "sweep_started").len(), 1);
    let alarms = of_kind(&events, "alarm");
    let passed = alarms.iter().find(|alarm| alarm["name"] == "limit_passed");
    assert!(
        passed.is_some_and(|alarm| alarm["severity"] == "critical"),
        "{alarms:?}"
    );
    assert_eq!(switched_off(&simulator)["cell_on"], false);
}

#[test]
fn a_plan_of_direct_current_is_followed_to_its_end() {
    let lab = Lab::new();
    let plan = lab.path("cycle.toml");
    let text = "name = \"cycle\"
[limits]
potential_min_v = 2.8
potential_max_v = 4.25
[[step]]
technique = \"cp\"
current_a = 0.5e-3
duration_s = 200.0
allow_polarisation = true
[[step]]
technique = \"ca\"
potential_v = 4.15
duration_s = 100.0
until_current_below_a = 1e-6
allow_polarisation = true
[[step]]
technique = \"geis\"
f_max_hz = 10e3
f_min_hz = 1.0
points_per_decade = 5
amplitude_vrms = 0.010
[[step]]
technique = \"lsv\"
start_v = 0.0
end_v = 0.02
step_v = 0.001
scan_rate_v_per_s = 0.0002
vs_ocp = true
allow_polarisation = true
[[step]]
technique = \"ocp\"
duration_s = 10.0
";
    std::fs::write(&plan, text).unwrap();
    let simulator = lab.simulator("nmc_li_coin", 20, 65);
    let output = lab.measure(
        &simulator.port,
        "nmc_li_coin",
        plan.to_str().unwrap(),
        "cycle.interphase",
    );
    let events = lines_of(&output);
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    // On a machine under load the instrument may hear too late, which costs a rest and no more.
    let lapses = of_kind(&events, "alarm").len();
    assert!(
        of_kind(&events, "alarm")
            .iter()
            .all(|alarm| alarm["name"] == "lapsed"),
        "{:?}",
        of_kind(&events, "alarm")
    );
    let of = |technique: &str| {
        let samples = of_kind(&events, "sample");
        samples
            .into_iter()
            .filter(|sample| sample["technique"] == technique)
            .cloned()
            .collect::<Vec<Value>>()
    };
    let charge = of("cp").last().unwrap()["charge_c"].as_f64().unwrap();
    assert!((charge - 0.1).abs() < 0.002, "{charge}");
    assert!((95..=105).contains(&of("ca").len()), "{}", of("ca").len());
    assert!(of("lsv").len() >= 21, "{}", of("lsv").len());
    let points = of_kind(&events, "point");
    assert_eq!(points.len(), 21);
    for point in points {
        let z = point["z_real_ohm"]
            .as_f64()
            .unwrap()
            .hypot(point["z_imag_ohm"].as_f64().unwrap());
        let potential = z * point["amplitude_arms"].as_f64().unwrap();
        // The cell profile's guess is the truth here: 10 mV where |Z| is largest of its decade.
        assert!((0.002..=0.0105).contains(&potential), "{potential}");
        assert!(point["amplitude_vrms"].is_null());
    }
    // On and off in turn, once for each step that drives the cell.
    let switched = simulator.switched();
    assert_eq!(switched.len(), 8 + 2 * lapses, "{switched:?}");
    assert!(
        switched
            .iter()
            .enumerate()
            .all(|(index, line)| line["cell_on"] == (index % 2 == 0))
    );
}

#[test]
fn a_pause_lets_the_cell_rest_and_the_charge_goes_on_from_there() {
    let lab = Lab::new();
    let (simulator, session) = charging(&lab, 20, 67, "60.0");
    let socket = lab.runtime_directory().join(format!("{}.sock", session.name));
    let mut client = Client::connect(&socket).unwrap();
    client.ask(&Request::Pause).unwrap();
    switched_off(&simulator);
    let held = potentials(&lab, &session).len();
    client.ask(&Request::Resume).unwrap();
    wait_until("the charge goes on", || {
        potentials(&lab, &session).len() > held + 3
    });
    let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
    let charges: Vec<f64> = of_kind(&events, "sample")
        .iter()
        .filter(|sample| sample["technique"] == "cp")
        .filter_map(|sample| sample["charge_c"].as_f64())
        .collect();
    assert!(charges.is_sorted(), "the charge counts on");
    lab.succeed(&["stop", &session.name, "--now"]);
    switched_off(&simulator);
}

#[test]
fn what_a_persona_cannot_do_is_refused_with_the_reason_before_anything_is_sent() {
    let lab = Lab::new();
    let refused = |instrument: &str, cell: &str, plan: &str| {
        let output = lab.run(&[
            "run",
            "--instrument",
            instrument,
            "--port",
            "/dev/null",
            "--cell",
            cell,
            "--plan",
            plan,
            "--headless",
        ]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let text = refused("espico", "nmc_li_coin", "eis_once");
    assert!(text.contains("-1.7 to 2 V"), "{text}");
    let text = refused("es4_lr", "nmc_li_coin", "eis_once");
    assert!(text.contains("-3 to 3 V"), "{text}");
    let text = refused("espico", "dummy_r_rc", "geis_once");
    assert!(text.contains("cannot do `geis`"), "{text}");
}

#[test]
fn every_persona_measures_a_sweep_with_its_own_ranges() {
    for instrument in ["espico", "es4_lr", "nexus1"] {
        let lab = Lab::new();
        let plan = lab.path("short.toml");
        let text = "name = \"short\"\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 100e3\nf_min_hz = 10.0\n\
                    points_per_decade = 3\namplitude_vrms = 0.010\n";
        std::fs::write(&plan, text).unwrap();
        let simulator = lab.simulator_of(instrument, "dummy_r_rc", 500, 66);
        let plan = plan.to_str().unwrap();
        let output = lab.succeed(&[
            "run",
            "--instrument",
            instrument,
            "--port",
            &simulator.port,
            "--cell",
            "dummy_r_rc",
            "--plan",
            plan,
            "--out",
            "persona.interphase",
            "--headless",
            "--json",
        ]);
        let events = lines_of(&output);
        assert_eq!(of_kind(&events, "identity")[0]["instrument"], instrument);
        let points = of_kind(&events, "point");
        assert_eq!(points.len(), 13, "{instrument}");
        for point in points {
            assert_eq!(point["status"], "ok", "{instrument}: {point}");
            assert_eq!(point["range"], "1 mA", "{instrument}: {point}");
        }
        assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    }
}

#[test]
fn an_overloaded_point_is_measured_again_in_a_larger_range_and_both_are_kept() {
    let lab = Lab::new();
    // The profile's guess is ten times the truth, so that the first range is too small.
    let cell = "name = \"guessed\"\nchemistry = \"dummy\"\nconfiguration = \"dummy\"\n[circuit]\n\
                model = \"R0-p(R1,C1)\"\n[circuit.start]\nR0 = 1000.0\nR1 = 1000.0\nC1 = 1e-6\n[simulation]\n\
                values = { R0 = 40.0 }\nnoise = { relative = 1e-4, absolute_ohm = 0.0 }\n";
    let plan = "name = \"short\"\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 100e3\nf_min_hz = 10.0\n\
                points_per_decade = 5\namplitude_vrms = 0.010\n";
    std::fs::write(lab.path("guessed.toml"), cell).unwrap();
    std::fs::write(lab.path("short.toml"), plan).unwrap();
    let simulator = lab.simulator("guessed.toml", 50, 68);
    let output = lab.measure(
        &simulator.port,
        "guessed.toml",
        "short.toml",
        "overload.interphase",
    );
    let events = lines_of(&output);
    let points = of_kind(&events, "point");
    let overloaded: Vec<&&Value> = points
        .iter()
        .filter(|point| point["status"] == "overload")
        .collect();
    assert!((1..=6).contains(&overloaded.len()), "{}", overloaded.len());
    let good: Vec<f64> = points
        .iter()
        .filter(|point| point["status"] != "overload")
        .map(|point| point["frequency_hz"].as_f64().unwrap())
        .collect();
    assert_eq!(good.len(), 21, "every frequency was measured well");
    let index = |point: &Value| point["index"].as_u64().unwrap();
    assert!(points.windows(2).all(|pair| index(pair[1]) == index(pair[0]) + 1));
    assert_eq!(of_kind(&events, "sweep_started").len(), 1);
    assert_eq!(of_kind(&events, "sweep_ended")[0]["complete"], true);
    assert!(
        of_kind(&events, "alarm")
            .iter()
            .any(|alarm| alarm["name"] == "overload")
    );
    let lines = lab.succeed(&["verify", "overload.interphase"]);
    assert!(lines.starts_with("sound"), "{lines}");
}
