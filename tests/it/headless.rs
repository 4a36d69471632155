//! Sessions without a screen: what is recorded, what is fitted, and that a replay says the same.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

fn sum<'a>(fit: &'a Value, name: &str) -> &'a Value {
    fit["sums"]
        .as_array()
        .unwrap()
        .iter()
        .find(|sum| sum["name"] == name)
        .unwrap()
}

/// Twenty sweeps of 64 points, a thousand times faster than the wall clock.
fn interface_resistance_follows_the_truth(seed: u32) {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 1000, seed);
    let events = lines_of(&lab.measure(&simulator.port, "li_lpscl_li", "eis_repeat", "a.interphase"));
    assert_eq!(of_kind(&events, "point").len(), 20 * 64);
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    let truths = simulator.truths();
    assert_eq!(truths.len(), 20);
    let mut within = 0;
    let mut deviations = Vec::new();
    for truth in &truths {
        let fits = of_kind(&events, "fit");
        let fit = fits
            .iter()
            .find(|fit| fit["final"] == true && fit["sweep"] == truth["sweep"])
            .unwrap();
        let fitted = sum(fit, "R1+R2");
        let mean = |name: &str| truth["true"][name]["mean"].as_f64().unwrap();
        let deviation = (fitted["value"].as_f64().unwrap() - mean("R1") - mean("R2"))
            / fitted["std_error"].as_f64().unwrap();
        deviations.push(deviation);
        within += usize::from(deviation.abs() <= 3.0);
    }
    assert!(
        within >= 19,
        "seed {seed}: {within} of 20 within three standard errors: {deviations:?}"
    );
    // Growth is real: the last sweep lies many errors above the first.
    let growth = truths[19]["true"]["R1"]["mean"].as_f64().unwrap()
        - truths[0]["true"]["R1"]["mean"].as_f64().unwrap();
    assert!(growth > 1.0, "{growth}");
}

#[test]
fn the_interface_resistance_follows_the_truth_seed_1() {
    interface_resistance_follows_the_truth(1);
}

#[test]
fn the_interface_resistance_follows_the_truth_seed_2() {
    interface_resistance_follows_the_truth(2);
}

#[test]
fn the_interface_resistance_follows_the_truth_seed_3() {
    interface_resistance_follows_the_truth(3);
}

#[test]
fn the_interface_resistance_follows_the_truth_seed_4() {
    interface_resistance_follows_the_truth(4);
}

#[test]
fn the_interface_resistance_follows_the_truth_seed_5() {
    interface_resistance_follows_the_truth(5);
}

#[test]
fn a_replay_writes_what_was_written_live_byte_for_byte_and_arrives_at_the_same_digest() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 1000, 3);
    let live = lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "a.interphase");
    assert_eq!(lab.succeed(&["replay", "a.interphase", "--json"]), live);
    assert_eq!(
        lab.succeed(&["attach", "a.interphase", "--headless", "--json"]),
        live
    );
    let state: Value = serde_json::from_str(live.lines().last().unwrap()).unwrap();
    assert_eq!(state["kind"], "state");
    // What the session itself arrived at stands in the recording and is compared by `verify`.
    let verified: Value = serde_json::from_str(&lab.succeed(&["verify", "a.interphase", "--json"])).unwrap();
    assert_eq!(verified["sound"], true);
    assert_eq!(verified["session_ended"], true);
    let shown: Value = serde_json::from_str(&lab.succeed(&["show", "a.interphase", "--json"])).unwrap();
    assert_eq!(shown["digest"], state["digest"]);
}

#[test]
fn events_count_from_one_without_gaps_and_time_never_goes_back() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 1000, 4);
    let events = lines_of(&lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "a.interphase"));
    let events = &events[..events.len() - 1];
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index as u64 + 1);
    }
    let times: Vec<f64> = events
        .iter()
        .map(|event| event["t_s"].as_f64().unwrap())
        .collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(events[0]["kind"], "session");
    assert_eq!(events[0]["simulated"], true);
    assert_eq!(events[0]["time_scale"], 1000.0);
}

#[test]
fn the_cell_is_biased_at_the_potential_at_which_it_rested() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 1000, 5);
    let events = lines_of(&lab.measure(&simulator.port, "li_lpscl_li", "eis_once", "a.interphase"));
    let bias = of_kind(&events, "sweep_started")[0]["bias_v"].as_f64().unwrap();
    let rest: Vec<f64> = of_kind(&events, "sample")
        .iter()
        .map(|s| s["potential_v"].as_f64().unwrap())
        .collect();
    let (low, high) = rest
        .iter()
        .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!((low..=high).contains(&bias), "{bias} is not within {low}..{high}");
    let script = of_kind(&events, "wire")
        .iter()
        .filter(|wire| wire["direction"] == "tx")
        .map(|wire| wire["bytes"].as_str().unwrap().to_owned())
        .find(|text| text.contains("meas_loop_eis"))
        .unwrap();
    let set = script.find("set_e ").unwrap();
    let on = script.find("cell_on").unwrap();
    assert!(
        set < on,
        "the bias is set before the cell is switched on: {script}"
    );
}

#[test]
fn a_bias_far_from_rest_is_refused_before_the_cell_is_switched_on() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 1000, 6);
    let plan = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/profiles/plans/eis_once.toml"
    ))
    .unwrap();
    std::fs::write(lab.path("far.toml"), plan.replace("bias = \"ocp\"", "bias = 0.5")).unwrap();
    let output = lab.run(&[
        "run",
        "--instrument",
        "es4_hr",
        "--port",
        &simulator.port,
        "--cell",
        "li_lpscl_li",
        "--plan",
        "far.toml",
        "--out",
        "a.interphase",
        "--headless",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("allow_polarisation") && message.contains("499."),
        "{message}"
    );
    assert!(
        !lab.path("a.interphase").exists(),
        "a session that never began leaves nothing behind"
    );
    assert_eq!(simulator.truths().len(), 0, "no sweep was made");
}

#[test]
fn events_are_written_while_measuring_and_not_only_at_the_end() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 10, 7);
    let mut run = lab
        .command(&[
            "run",
            "--instrument",
            "es4_hr",
            "--cell",
            "dummy_r_rc",
            "--plan",
            "eis_once",
            "--headless",
            "--json",
        ])
        .args(["--out", "a.interphase", "--port", &simulator.port])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let first_point = lines
        .map(Result::unwrap)
        .find(|line| line.contains("\"kind\":\"point\""));
    assert!(first_point.is_some());
    assert_eq!(lab.sessions().len(), 1, "the session still measures");
    // Whoever reads has had enough; the session goes on and is stopped by its name.
    run.wait().unwrap();
    lab.succeed(&["stop", "a", "--now"]);
}
