//! The command line: exit status, words, and what is refused.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::lab::Lab;

#[track_caller]
fn refused(lab: &Lab, arguments: &[&str], status: i32, words: &[&str]) {
    let output = lab.run(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {message}");
    assert!(
        output.stdout.is_empty(),
        "{arguments:?}: results only on standard output"
    );
    for word in words {
        assert!(
            message.contains(word),
            "{arguments:?}: `{word}` is missing in: {message}"
        );
    }
}

#[test]
fn a_wrong_command_line_ends_with_status_2() {
    let lab = Lab::new();
    refused(&lab, &["measure"], 2, &["unrecognized subcommand"]);
    refused(&lab, &["run", "--instrument", "es4_hr"], 2, &["--port"]);
    refused(
        &lab,
        &[
            "run",
            "--instrument",
            "es4_hr",
            "--port",
            "/dev/null",
            "--cell",
            "dummy_r_rc",
            "--plan",
            "eis_once",
            "--json",
        ],
        2,
        &["--headless"],
    );
}

#[test]
fn what_cannot_be_done_ends_with_status_1_and_says_what_where_and_what_next() {
    let lab = Lab::new();
    let run = |instrument: &'static str, port: &'static str, cell: &'static str, plan: &'static str| {
        vec![
            "run",
            "--headless",
            "--instrument",
            instrument,
            "--port",
            port,
            "--cell",
            cell,
            "--plan",
            plan,
        ]
    };
    refused(
        &lab,
        &run("es4_hr", "/dev/ttyNONE7", "dummy_r_rc", "eis_once"),
        1,
        &["/dev/ttyNONE7"],
    );
    refused(
        &lab,
        &run("es4_hx", "/dev/null", "dummy_r_rc", "eis_once"),
        1,
        &["es4_hx", "did you mean `es4_hr`"],
    );
    refused(
        &lab,
        &run("es4_hr", "/dev/null", "li_lpscl", "eis_once"),
        1,
        &["li_lpscl_li"],
    );
    refused(
        &lab,
        &["replay", "nothing.interphase", "--json"],
        1,
        &["nothing.interphase"],
    );
    refused(&lab, &["stop", "nobody"], 1, &["nobody", "none is running"]);
    refused(&lab, &["note", "nobody", "text"], 1, &["nobody"]);
    std::fs::write(
        lab.path("plan.toml"),
        "name = \"p\"\nrepeat = 2\n[[step]]\ntechnique = \"peis\"\nf_maxhz = 3\n",
    )
    .unwrap();
    refused(
        &lab,
        &run("es4_hr", "/dev/null", "dummy_r_rc", "plan.toml"),
        1,
        &["plan.toml:5", "f_max_hz"],
    );
    refused(
        &lab,
        &["profiles", "check", "plan.toml"],
        1,
        &["plan.toml:5", "did you mean `f_max_hz`"],
    );
}

#[test]
fn a_cause_is_told_once() {
    let lab = Lab::new();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/battery_130.interphase");
    std::fs::copy(sample, lab.path("a.interphase")).unwrap();
    std::fs::write(lab.path("file"), "").unwrap();
    for (arguments, cause) in [
        (
            ["backup", "a.interphase", "--out", "none/b.interphase"],
            "No such file or directory",
        ),
        (
            ["backup", "a.interphase", "--out", "file/b.interphase"],
            "Not a directory",
        ),
    ] {
        let output = lab.run(&arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert_eq!(message.matches(cause).count(), 1, "{arguments:?}: {message}");
    }
}

#[test]
fn what_a_replay_as_lines_would_ignore_is_refused() {
    let lab = Lab::new();
    for options in [["--from", "1h"], ["--speed", "9"]] {
        let arguments = ["replay", "none.interphase", "--json", options[0], options[1]];
        refused(
            &lab,
            &arguments,
            2,
            &["cannot be used with", options[0], "--json"],
        );
    }
}

#[test]
fn a_time_scale_is_refused_for_a_port_that_no_simulator_serves() {
    let lab = Lab::new();
    let arguments = [
        "run",
        "--headless",
        "--instrument",
        "es4_hr",
        "--port",
        "/dev/null",
        "--cell",
        "dummy_r_rc",
        "--plan",
        "eis_once",
        "--time-scale",
        "10",
    ];
    refused(&lab, &arguments, 1, &["--time-scale", "no simulator"]);
}

#[test]
fn every_command_has_help_with_an_example() {
    let lab = Lab::new();
    for command in [
        "export",
        "import",
        "convert",
        "plot",
        "profiles",
        "fit",
        "eval",
        "rank",
        "completions",
    ] {
        let help = lab.succeed(&[command, "--help"]);
        assert!(help.contains("Example:"), "{command}: {help}");
    }
    assert!(
        !lab.succeed(&["--help"]).contains("session process"),
        "the hidden command stays hidden"
    );
}

#[test]
fn nothing_is_ever_overwritten() {
    let lab = Lab::new();
    std::fs::write(lab.path("a.interphase"), "precious").unwrap();
    let arguments = [
        "run",
        "--headless",
        "--instrument",
        "es4_hr",
        "--port",
        "/dev/null",
        "--cell",
        "dummy_r_rc",
        "--plan",
        "eis_once",
        "--out",
        "a.interphase",
    ];
    refused(&lab, &arguments, 1, &["a.interphase", "exists already"]);
    assert_eq!(
        std::fs::read_to_string(lab.path("a.interphase")).unwrap(),
        "precious"
    );
}

#[test]
fn imported_spectra_become_sweeps_with_fits_and_keep_their_source() {
    let lab = Lab::new();
    let circuit = interphase::circuit::Circuit::parse("R0-p(R1,C1)").unwrap();
    let mut text = String::from("spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n");
    for (spectrum, resistance) in [(0, 1000.0), (1, 1200.0)] {
        for index in 0..40 {
            let frequency = 1e5 * 10f64.powf(-f64::from(index) / 8.0);
            let z = circuit.impedance(&[100.0, resistance, 1e-6], frequency);
            text.push_str(&format!("{spectrum},{frequency},{},{}\n", z.re, z.im));
        }
    }
    std::fs::write(lab.path("cycles.csv"), text).unwrap();
    lab.succeed(&[
        "import",
        "cycles.csv",
        "--out",
        "cycles.interphase",
        "--cell",
        "dummy_r_rc",
        "--source",
        "a test",
    ]);
    let shown: Value = serde_json::from_str(&lab.succeed(&["show", "cycles.interphase", "--json"])).unwrap();
    assert_eq!(shown["session"]["source"], "a test");
    let sweeps = shown["sweeps"].as_array().unwrap();
    let resistances: Vec<f64> = sweeps
        .iter()
        .map(|sweep| {
            sweep["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .find(|p| p["name"] == "R1")
                .unwrap()["value"]
                .as_f64()
                .unwrap()
        })
        .collect();
    assert!(
        (resistances[0] - 1000.0).abs() < 0.1 && (resistances[1] - 1200.0).abs() < 0.1,
        "{resistances:?}"
    );
    assert!(lab.succeed(&["verify", "cycles.interphase"]).starts_with("sound"));
}

#[test]
fn recording_and_socket_are_for_their_owner_alone() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 100, 31);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&session.recording), 0o600);
    let socket = lab.runtime_directory().join(format!("{}.sock", session.name));
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(&lab.runtime_directory()), 0o700);
    lab.succeed(&["stop", &session.name, "--now"]);
}

#[test]
fn the_sample_recordings_are_sound_and_hold_what_their_readme_says() {
    let lab = Lab::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    for (name, sweeps, points) in [("battery_130", 130, 57), ("li_lpscl_li_fresh", 8, 64)] {
        // A copy, because a checkout may be read-only and a recording in use is not.
        let copy = lab.path(&format!("{name}.interphase"));
        std::fs::copy(folder.join(format!("{name}.interphase")), &copy).unwrap();
        let copy = copy.to_str().unwrap();
        assert!(
            lab.succeed(&["verify", copy]).contains("ended and closed"),
            "{name}"
        );
        let shown: Value = serde_json::from_str(&lab.succeed(&["show", copy, "--json"])).unwrap();
        let found = shown["sweeps"].as_array().unwrap();
        assert_eq!(found.len(), sweeps, "{name}");
        assert!(found.iter().all(|sweep| sweep["n_points"] == points), "{name}");
    }
    let battery = folder.join("battery_130.interphase");
    let shown: Value =
        serde_json::from_str(&lab.succeed(&["show", battery.to_str().unwrap(), "--json"])).unwrap();
    assert!(shown["session"]["source"].as_str().unwrap().contains("AutoEIS"));
}
