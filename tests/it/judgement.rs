//! Sessions that judge what they measure: a sound cell passes, one that drifts does not, and a replay says the same.

use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

/// Three sweeps, one every four minutes.
const PLAN: &str = r#"
name = "three"
description = "Three sweeps"
repeat = 3
interval_s = 240.0

[[step]]
technique = "peis"
f_max_hz = 200e3
f_min_hz = 0.1
points_per_decade = 10
amplitude_vrms = 0.010
bias = "ocp"
"#;

/// A laboratory with the plan, and with a cell that grows by so many ohm cm2 an hour.
fn laboratory(growth: f64) -> (Lab, String) {
    let lab = Lab::new();
    std::fs::write(lab.path("three.toml"), PLAN).unwrap();
    let profile = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/profiles/cells/li_lpscl_li.toml"
    ))
    .unwrap();
    let profile = profile
        .replace(
            "linear_rate_ohm_cm2 = 0.2",
            &format!("linear_rate_ohm_cm2 = {growth:?}"),
        )
        .replace("age_h = 24.0", "age_h = 0.001");
    assert!(profile.contains(&format!("{growth:?}")));
    let path = lab.path("cell.toml");
    std::fs::write(&path, profile).unwrap();
    (lab, path.to_str().unwrap().to_owned())
}

fn finals(events: &[Value]) -> Vec<&Value> {
    let judged = of_kind(events, "validity").into_iter();
    judged.filter(|validity| validity["final"] == true).collect()
}

/// That replay and verification agree with what the session said while it ran.
fn assert_replayed(lab: &Lab, live: &str) {
    assert_eq!(lab.succeed(&["replay", "a.interphase", "--json"]), live);
    let verified: Value = serde_json::from_str(&lab.succeed(&["verify", "a.interphase", "--json"])).unwrap();
    assert_eq!(verified["sound"], true);
    let state: Value = serde_json::from_str(live.lines().last().unwrap()).unwrap();
    let shown: Value = serde_json::from_str(&lab.succeed(&["show", "a.interphase", "--json"])).unwrap();
    assert_eq!(shown["digest"], state["digest"]);
}

#[test]
fn a_sound_cell_passes_in_every_sweep_and_its_judgements_are_few() {
    let (lab, cell) = laboratory(0.2);
    let simulator = lab.simulator(&cell, 1000, 51);
    let live = lab.measure(&simulator.port, &cell, "three.toml", "a.interphase");
    let events = lines_of(&live);
    let finals = finals(&events);
    assert_eq!(finals.len(), 3);
    for (validity, sweep) in finals.iter().zip(1..) {
        assert_eq!(validity["sweep"], sweep);
        assert_eq!(validity["method"], "lin-kk");
        assert_eq!(validity["verdict"], "pass", "{validity}");
        assert!(validity["max_residual_percent"].as_f64().unwrap() < 1.0);
        assert!((0.05..0.2).contains(&validity["noise_percent"].as_f64().unwrap()));
        assert_eq!(validity["n_used"], 64);
        assert_eq!(validity["doubtful"], serde_json::json!([]));
    }
    assert_eq!(finals[0]["noise_source"], "local");
    assert_eq!(finals[0]["drift_percent"], Value::Null);
    let drift = finals[2]["drift_percent"].as_f64().unwrap();
    assert!(drift.abs() < 1.0, "{drift}");
    let judged = of_kind(&events, "validity");
    assert!(
        judged.len() <= 4 * finals.len(),
        "{} judgements of 3 sweeps",
        judged.len()
    );
    assert!(of_kind(&events, "alarm").is_empty());
    assert_replayed(&lab, &live);
}

#[test]
fn a_drifting_cell_fails_with_a_reason_and_one_alarm() {
    // A third of the impedance in the course of a sweep.
    let (lab, cell) = laboratory(1500.0);
    let simulator = lab.simulator(&cell, 1000, 52);
    let live = lab.measure(&simulator.port, &cell, "three.toml", "a.interphase");
    let events = lines_of(&live);
    let finals = finals(&events);
    assert_eq!(finals.len(), 3);
    for validity in &finals {
        assert_ne!(validity["verdict"], "pass", "{validity}");
        assert!(
            validity["reasons"][0].as_str().unwrap().contains("drift"),
            "{validity}"
        );
        let doubtful = validity["doubtful"].as_array().unwrap();
        assert_eq!(doubtful.last(), Some(&serde_json::json!(63)), "{validity}");
    }
    assert_eq!(finals[0]["verdict"], "fail");
    let drift = finals[1]["drift_percent"].as_f64().unwrap();
    let truths = simulator.truths();
    // The rate from sweep to sweep lies between the rates within the two: the growth slows down.
    let within = |sweep: usize| {
        let true_of = |when: &str| truths[sweep]["true"]["R1"][when].as_f64().unwrap();
        100.0 * (true_of("end") - true_of("start")) / (true_of("end") + 64.0)
    };
    let (first, second) = (within(0), within(1));
    assert!(
        drift > 0.7 * second && drift < 1.3 * first.max(second),
        "{first} {drift} {second}"
    );
    let alarms = of_kind(&events, "alarm");
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0]["name"], "data_invalid");
    assert_eq!(alarms[0]["severity"], "warning");
    assert_eq!(alarms[0]["sweep"], 1);
    let shown = lab.succeed(&["show", "a.interphase"]);
    assert!(shown.contains("KK fail: "), "{shown}");
    assert_replayed(&lab, &live);
}
