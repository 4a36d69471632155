//! `check`: what is said of instrument, cell and plan before anything is recorded.

use serde_json::Value;

use super::lab::Lab;

fn arguments<'a>(instrument: &'a str, port: &'a str, cell: &'a str, plan: &'a str) -> Vec<&'a str> {
    vec![
        "check",
        "--instrument",
        instrument,
        "--port",
        port,
        "--cell",
        cell,
        "--plan",
        plan,
    ]
}

fn object(lab: &Lab, arguments: &[&str], status: i32) -> Value {
    let output = lab.run(&[arguments, &["--json"]].concat());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// No recording, and nobody left at the port.
fn leaves_nothing(lab: &Lab) {
    let recordings = walk(&lab.path(""))
        .into_iter()
        .filter(|name| name.ends_with(".interphase"));
    assert_eq!(recordings.count(), 0);
    assert!(lab.sessions().is_empty());
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path().display().to_string()),
        }
    }
    found
}

#[test]
fn a_potentiostat_is_looked_at_and_its_cell_is_off_afterwards() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 50, 1);
    let arguments = arguments("es4_hr", &simulator.port, "li_lpscl_li", "eis_repeat");
    let found = object(&lab, &arguments, 0);
    assert_eq!(found["ok"], true);
    assert_eq!(found["instrument"]["device"], "es4_hr");
    assert!(found["instrument"]["serial"].as_str().unwrap().len() > 3);
    assert!(found["open_circuit_v"].as_f64().unwrap().abs() < 0.01);
    let points = found["impedance"].as_array().unwrap();
    assert_eq!(points.len(), 2, "{found}");
    for (point, frequency) in points.iter().zip([200e3, 10.0]) {
        assert!(
            (point["frequency_hz"].as_f64().unwrap() / frequency - 1.0).abs() < 1e-3,
            "{point}"
        );
        assert_eq!(point["status"], "ok", "{point}");
    }
    // 20 ohm in series, and 110 ohm with all arcs.
    let modulus = |index: usize| points[index]["modulus_ohm"].as_f64().unwrap();
    assert!(
        (15.0..25.0).contains(&modulus(0)) && (100.0..200.0).contains(&modulus(1)),
        "{points:?}"
    );
    assert_eq!(found["steps"][0]["n_points"], 64);
    assert_eq!(found["steps"][0]["range"], "1 mA");
    assert!(found["duration_s"].as_f64().unwrap() > 19.0 * 600.0);
    assert_eq!(found["cell_off"], true);
    let switched = simulator.switched();
    assert!(
        !switched.is_empty() && switched[switched.len() - 1]["cell_on"] == false,
        "{switched:?}"
    );
    let text = lab.succeed(&arguments);
    for words in [
        "es4_hr, firmware",
        "rests at",
        "|Z| ",
        "the cell is off",
        "64 points",
        "nothing stands against it",
    ] {
        assert!(text.contains(words), "{words} is missing in: {text}");
    }
    leaves_nothing(&lab);
}

#[test]
fn a_plan_that_would_be_refused_ends_with_status_1_and_the_reason() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 50, 1);
    let step = "[[step]]\ntechnique = \"peis\"\nf_max_hz = 1e5\nf_min_hz = 100.0\npoints_per_decade = 3\n\
                amplitude_vrms = 0.010\n";
    for (limits, says) in [
        (
            "[limits]\npotential_min_v = 2.5\npotential_max_v = 4.2\n",
            "this is what the resting cell has",
        ),
        ("[limits]\ncurrent_max_a = 1e-6\n", "current_max_a"),
    ] {
        std::fs::write(
            lab.path("limited.toml"),
            format!("name = \"limited\"\n{limits}{step}"),
        )
        .unwrap();
        let arguments = arguments("es4_hr", &simulator.port, "li_lpscl_li", "limited.toml");
        let found = object(&lab, &arguments, 1);
        assert_eq!(found["ok"], false);
        assert!(found["reason"].as_str().unwrap().contains(says), "{found}");
    }
    let found = object(
        &lab,
        &arguments("es4_hr", "/dev/no-such-port", "li_lpscl_li", "eis_repeat"),
        1,
    );
    assert!(
        found["reason"].as_str().unwrap().contains("no-such-port"),
        "{found}"
    );
    // The cell was never switched on for a plan that could not begin.
    assert!(
        simulator
            .switched()
            .iter()
            .all(|switched| switched["cell_on"] == false),
        "{:?}",
        simulator.switched()
    );
    leaves_nothing(&lab);
}

#[test]
fn instruments_of_line_profiles_are_looked_at_as_far_as_they_let_themselves_be() {
    let lab = Lab::new();
    let meter = lab.simulator_of("bt4560", "dummy_r_rc", 50, 1);
    std::fs::write(
        lab.path("short.toml"),
        "name = \"short\"\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 1000.0\nf_min_hz = 1.0\npoints_per_decade = 3\n\
         amplitude_vrms = 0.010\n",
    )
    .unwrap();
    let found = object(
        &lab,
        &arguments("bt4560", &meter.port, "dummy_r_rc", "short.toml"),
        0,
    );
    assert_eq!(found["impedance"].as_array().unwrap().len(), 2, "{found}");
    assert!(found["cell_off"].is_null(), "it has no switch: {found}");
    drop(meter);
    std::fs::remove_file(lab.path("port")).ok();
    let driven = lab.simulator_of("rodeostat", "dummy_r_rc", 50, 1);
    let found = object(
        &lab,
        &arguments("rodeostat", &driven.port, "dummy_r_rc", "hold"),
        0,
    );
    assert_eq!(found["impedance"].as_array().unwrap().len(), 0);
    assert!(
        found["remarks"].to_string().contains("measures no impedance"),
        "{found}"
    );
    assert!(
        found["steps"][0]["remark"]
            .as_str()
            .unwrap()
            .contains("by itself within 10s"),
        "{found}"
    );
    assert!(driven.switched().is_empty(), "{:?}", driven.switched());
    leaves_nothing(&lab);
}
