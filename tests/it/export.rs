//! `export`, and `import` of what it wrote: the same numbers; files whole or not at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::lab::{Lab, lines_of, wait_until};
use super::resume::full_disk_library;

/// A cell whose working electrode is the negative one, so that charge current is reduction at it.
fn cell(lab: &Lab, window: &str) {
    let text = format!(
        "name = \"mine\"\nchemistry = \"test\"\nconfiguration = \"full\"\n{window}\n[circuit]\nmodel = \"R0-p(R1,C1)\"\n\
         start = {{ R0 = 100.0, R1 = 1000.0, C1 = 1e-6 }}\n"
    );
    std::fs::write(lab.path("mine.toml"), text).unwrap();
}

/// Event lines with numbers that use all their digits: samples, then a sweep, three times.
fn event_lines(points_a_sweep: u32) -> String {
    let mut generator = ChaCha8Rng::seed_from_u64(6);
    let circuit = interphase::circuit::Circuit::parse("R0-p(R1,C1)").unwrap();
    let mut text = String::new();
    let mut ns = 1_000_000_000_u64;
    let mut seq = 1;
    let mut add = |ns: u64, fields: Value| {
        let mut event = json!({
            "seq": seq,
            "utc": format!("2026-11-23T08:00:{:02}.{:06}Z", ns / 1_000_000_000, ns / 1000 % 1_000_000),
            "t_s": ns as f64 / 1e9,
        });
        seq += 1;
        event
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        writeln!(text, "{event}").unwrap();
    };
    add(0, json!({"kind": "note", "text": "passed over"}));
    for sweep in 1..=3 {
        for index in 0..5 {
            ns += generator.random_range(1..300_000_000);
            let tiny: f64 = generator.random_range(-1.0..1.0);
            add(
                ns,
                json!({
                    "kind": "sample",
                    "technique": "ocp",
                    "device_t_s": generator.random_range(0.0..10.0),
                    "potential_v": -3.5 + tiny,
                    "current_a": match index { 0 => Value::Null, 1 => json!(0.0), 2 => json!(5e-324), _ => json!(1e-6 * tiny) },
                    "charge_c": (index == 3).then_some(tiny),
                    "temperature_k": (index == 4).then_some(298.15 + tiny),
                    "pressure_mpa": null,
                }),
            );
        }
        for index in 0..points_a_sweep {
            let frequency = 1e5 * 10f64.powf(-f64::from(index) / 5.0) * generator.random_range(0.99..1.01);
            let z = circuit.impedance(&[100.0, 1000.0 * f64::from(sweep), 1e-6], frequency);
            let begun = ns;
            ns += generator.random_range(1..300_000_000);
            add(
                ns,
                json!({
                    "kind": "point",
                    "sweep": sweep,
                    "index": index,
                    "frequency_hz": frequency,
                    "z_real_ohm": z.re * generator.random_range(0.999..1.001),
                    "z_imag_ohm": z.im * generator.random_range(0.999..1.001),
                    "status": if index == 2 { "warning" } else { "ok" },
                    "status_bits": index,
                    "range": "10 mA, \"high\"",
                    "noise": null,
                    "potential_v": -3.5 + generator.random_range(-1e-3..1e-3),
                    "current_a": generator.random_range(-1e-3..1e-3),
                    "amplitude_vrms": 0.01,
                    "amplitude_arms": null,
                    "std_error_ohm": generator.random_range(0.01..1.0),
                    "t_start_s": begun as f64 / 1e9,
                }),
            );
        }
    }
    text
}

fn import(lab: &Lab, files: &[&str], out: &str) {
    let mut arguments = vec!["import"];
    arguments.extend(files);
    arguments.extend(["--out", out, "--cell", "mine.toml"]);
    lab.succeed(&arguments);
    assert!(lab.succeed(&["verify", out]).starts_with("sound"));
}

/// The given fields of all events of a kind; a number by its bits.
fn values(lines: &str, kind: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let bits = |value: &Value| match value.as_f64() {
        Some(number) => format!("{:016x}", number.to_bits()),
        None => value.to_string(),
    };
    lines_of(lines)
        .iter()
        .filter(|event| event["kind"] == kind)
        .map(|event| fields.iter().map(|field| bits(&event[*field])).collect())
        .collect()
}

const SAMPLE: [&str; 9] = [
    "utc",
    "t_s",
    "technique",
    "device_t_s",
    "potential_v",
    "current_a",
    "charge_c",
    "temperature_k",
    "pressure_mpa",
];
const POINT: [&str; 17] = [
    "utc",
    "t_s",
    "sweep",
    "index",
    "frequency_hz",
    "z_real_ohm",
    "z_imag_ohm",
    "status",
    "status_bits",
    "range",
    "noise",
    "potential_v",
    "current_a",
    "amplitude_vrms",
    "amplitude_arms",
    "std_error_ohm",
    "t_start_s",
];

#[track_caller]
fn same(one: &str, other: &str, kind: &str, fields: &[&str]) {
    let (one, other) = (values(one, kind, fields), values(other, kind, fields));
    assert!(!one.is_empty());
    assert_eq!(one.len(), other.len(), "{kind}");
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "{fields:?}");
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn what_is_exported_and_imported_has_the_same_numbers_to_the_last_bit() {
    let lab = Lab::new();
    cell(&lab, "potential_window_v = [-4.5, -2.0]");
    let text = event_lines(11);
    std::fs::write(lab.path("first.jsonl"), &text).unwrap();
    import(&lab, &["first.jsonl"], "a.interphase");
    let original = lab.succeed(&["replay", "a.interphase", "--json"]);
    same(&text, &original, "sample", &SAMPLE);
    same(&text, &original, "point", &POINT);

    for format in ["csv", "jsonl", "bdf", "z", "mpt"] {
        lab.succeed(&["export", "a.interphase", "--format", format, "--out", format]);
    }
    let lines: String = original
        .lines()
        .filter(|line| !line.contains("\"kind\":\"state\""))
        .fold(String::new(), |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        });
    let exported = std::fs::read_to_string(lab.path("jsonl/events.jsonl")).unwrap();
    assert_eq!(exported, lines, "the same lines as of replay");

    let again = |files: &[&str], out: &str| {
        import(&lab, files, out);
        lab.succeed(&["replay", out, "--json"])
    };
    for (files, out) in [
        (&["jsonl/events.jsonl"][..], "jsonl.interphase"),
        (
            &[
                "csv/fits.csv",
                "csv/points.csv",
                "csv/samples.csv",
                "csv/sweeps.csv",
            ],
            "csv.interphase",
        ),
    ] {
        let found = again(files, out);
        same(&original, &found, "sample", &SAMPLE);
        same(&original, &found, "point", &POINT);
        let order = |text: &str| -> Vec<String> {
            let kinds = values(text, "sample", &["kind", "t_s"]).into_iter();
            kinds
                .chain(values(text, "point", &["kind", "t_s"]))
                .flatten()
                .collect()
        };
        assert_eq!(order(&original), order(&found));
    }
    let found = again(&["bdf/timeseries.bdf.csv", "bdf/eis.bdf.csv"], "bdf.interphase");
    same(
        &original,
        &found,
        "sample",
        &["utc", "t_s", "potential_v", "current_a"],
    );
    let of_points = [
        "sweep",
        "frequency_hz",
        "z_real_ohm",
        "z_imag_ohm",
        "status",
        "std_error_ohm",
        "t_start_s",
    ];
    same(&original, &found, "point", &of_points);
    let sweeps = ["sweep_00001", "sweep_00002", "sweep_00003"];
    let files = |extension: &str| sweeps.map(|name| format!("{extension}/{name}.{extension}"));
    let of_files = ["sweep", "index", "frequency_hz", "z_real_ohm", "z_imag_ohm"];
    let found = again(&files("z").each_ref().map(String::as_str), "z.interphase");
    same(&original, &found, "point", &of_files);
    let found = again(&files("mpt").each_ref().map(String::as_str), "mpt.interphase");
    same(&original, &found, "point", &of_files);
    same(&original, &found, "point", &["potential_v", "current_a"]);
}

#[test]
fn battery_data_counts_the_current_of_a_charging_cell_as_positive() {
    let lab = Lab::new();
    cell(&lab, "potential_window_v = [-4.5, -2.0]");
    let bdf = "Test Time / s,Voltage / V,Current / A\n0.0,3.5,0.001\n1.25,3.625,-0.002\n";
    std::fs::write(lab.path("a.csv"), bdf).unwrap();
    import(&lab, &["a.csv"], "a.interphase");
    let lines = lab.succeed(&["replay", "a.interphase", "--json"]);
    let currents: Vec<Value> = lines_of(&lines)
        .iter()
        .filter(|event| event["kind"] == "sample")
        .map(|event| json!([event["t_s"], event["potential_v"], event["current_a"]]))
        .collect();
    assert_eq!(
        currents,
        [json!([0.0, -3.5, -0.001]), json!([1.25, -3.625, 0.002])]
    );
    lab.succeed(&["export", "a.interphase", "--format", "bdf", "--out", "bdf"]);
    let text = std::fs::read_to_string(lab.path("bdf/timeseries.bdf.csv")).unwrap();
    for (line, wanted) in text.lines().zip(bdf.lines()) {
        assert!(line.starts_with(wanted), "{line}: {wanted}");
    }
    let metadata = std::fs::read_to_string(lab.path("bdf/bdf_metadata.json")).unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let words = metadata["conventions"]["current"].as_str().unwrap();
    assert!(words.contains("negative one"), "{words}");
    assert_eq!(metadata["files"]["timeseries.bdf.csv"]["rows"], 2);
}

#[test]
fn a_file_that_exists_is_kept_unless_it_may_be_replaced() {
    let lab = Lab::new();
    cell(&lab, "");
    std::fs::write(lab.path("a.jsonl"), event_lines(6)).unwrap();
    import(&lab, &["a.jsonl"], "a.interphase");
    std::fs::create_dir(lab.path("out")).unwrap();
    std::fs::write(lab.path("out/samples.csv"), "precious").unwrap();
    let arguments = ["export", "a.interphase", "--format", "csv", "--out", "out"];
    let output = lab.run(&arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.contains("out/samples.csv") && message.contains("--force"),
        "{message}"
    );
    assert!(output.stdout.is_empty());
    assert_eq!(
        names(&lab.path("out")),
        BTreeSet::from(["samples.csv".to_owned()])
    );
    assert_eq!(
        std::fs::read_to_string(lab.path("out/samples.csv")).unwrap(),
        "precious"
    );

    let told = lab.succeed(&[
        "export",
        "a.interphase",
        "--format",
        "csv",
        "--out",
        "out",
        "--force",
        "--json",
    ]);
    let told = lines_of(&told);
    let files: BTreeSet<String> = told
        .iter()
        .map(|line| {
            line["file"]
                .as_str()
                .unwrap()
                .trim_start_matches("out/")
                .to_owned()
        })
        .collect();
    assert_eq!(
        files,
        names(&lab.path("out")),
        "every file is told, and nothing else is there"
    );
    for line in &told {
        let text = std::fs::read_to_string(lab.path(line["file"].as_str().unwrap())).unwrap();
        assert_eq!(line["bytes"], text.len());
        assert!(text.starts_with("seq,utc,t_s,"), "{text}");
    }
    let rows = |what: &str| told.iter().find(|line| line["what"] == what).unwrap()["rows"].clone();
    assert_eq!([rows("points"), rows("samples"), rows("sweeps")], [18, 15, 3]);
    assert_eq!(rows("fits"), 9, "a row a parameter");
}

#[test]
fn a_full_disk_leaves_nothing_behind_and_is_named_with_the_file() {
    let lab = Lab::new();
    let Some(library) = full_disk_library(&lab) else {
        return;
    };
    cell(&lab, "");
    std::fs::write(lab.path("a.jsonl"), event_lines(6)).unwrap();
    import(&lab, &["a.jsonl"], "a.interphase");
    std::fs::write(lab.path("full"), "").unwrap();
    std::fs::create_dir(lab.path("out")).unwrap();
    std::fs::write(lab.path("out/points.csv"), "precious").unwrap();
    for (format, failure) in [
        ("csv", ""),
        ("jsonl", ""),
        ("z", ""),
        ("csv", "s2 5"),
        ("bdf", "s3 28"),
    ] {
        for (out, left) in [("out", 1), ("new", 0)] {
            let mut command = lab.command(&[
                "export",
                "a.interphase",
                "--format",
                format,
                "--out",
                out,
                "--force",
            ]);
            // As the program itself calls the files: beside their places in the folder.
            command.env("LD_PRELOAD", &library).env("DISK_FILES", out);
            match failure {
                "" => command.env("DISK_FULL_IF", lab.path("full")),
                failure => command.env("DISK_FAIL", failure),
            };
            let output = command.output().unwrap();
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{format} {failure}: {message}");
            assert!(message.contains(&format!("cannot write {out}/")), "{message}");
            assert!(output.stdout.is_empty());
            assert_eq!(names(&lab.path(out)).len(), left, "{:?}", names(&lab.path(out)));
        }
    }
    assert_eq!(
        std::fs::read_to_string(lab.path("out/points.csv")).unwrap(),
        "precious"
    );
    assert!(!lab.path("new").exists());
}

#[test]
fn a_recording_without_anything_for_a_format_says_so() {
    let lab = Lab::new();
    cell(&lab, "");
    std::fs::write(
        lab.path("rest.csv"),
        "test_time_second,voltage_volt,current_ampere\n0,1,0\n1,1,0\n",
    )
    .unwrap();
    import(&lab, &["rest.csv"], "rest.interphase");
    let spectrum = "frequency_hz,z_real_ohm,z_imag_ohm\n1000,10,-1\n100,20,-2\n";
    std::fs::write(lab.path("a.csv"), spectrum).unwrap();
    import(&lab, &["a.csv"], "eis.interphase");
    for (recording, format, word) in [
        ("rest.interphase", "z", "no sweep"),
        ("rest.interphase", "mpt", "no sweep"),
        ("rest.interphase", "svg", "no sweep"),
        ("eis.interphase", "bdf", "no sample"),
    ] {
        let output = lab.run(&["export", recording, "--format", format, "--out", "out"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(recording) && message.contains(word), "{message}");
        assert!(!lab.path("out").exists());
    }
}

#[test]
fn figures_of_a_recording_are_drawn() {
    let lab = Lab::new();
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/battery_130.interphase");
    lab.succeed(&["export", recording, "--format", "svg", "--out", "svg"]);
    assert_eq!(
        names(&lab.path("svg")),
        ["bode.svg", "history.svg", "nyquist.svg"]
            .map(str::to_owned)
            .into()
    );
    for (name, word) in [
        ("nyquist", "sweep 130"),
        ("bode", "sweep 130"),
        ("history", "history"),
    ] {
        let svg = std::fs::read_to_string(lab.path(&format!("svg/{name}.svg"))).unwrap();
        assert!(
            svg.contains("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains(word),
            "{name}"
        );
    }
}

#[test]
fn a_running_session_is_exported_as_of_one_moment_and_goes_on() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 100, 61);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let count = || {
        let output = lab.run(&[
            "export",
            session.recording(),
            "--format",
            "jsonl",
            "--out",
            "live",
            "--force",
        ]);
        let text = std::fs::read_to_string(lab.path("live/events.jsonl")).unwrap_or_default();
        if output.status.success() {
            text.lines().count()
        } else {
            0
        }
    };
    wait_until("some events are exported", || count() > 40);
    let first = std::fs::read_to_string(lab.path("live/events.jsonl")).unwrap();
    let lines = first.lines().count();
    wait_until("the session has gone on", || count() > lines);
    lab.succeed(&["stop", &session.name, "--now"]);
    wait_until("the session has ended", || lab.sessions().is_empty());
    assert!(lab.succeed(&["verify", session.recording()]).starts_with("sound"));
    let whole = lab.succeed(&["replay", session.recording(), "--json"]);
    assert!(
        whole.starts_with(&first),
        "what was exported is what was recorded"
    );
}

#[test]
fn direct_current_and_spectra_of_several_files_become_one_recording_in_order() {
    let lab = Lab::new();
    cell(&lab, "");
    let rest = "EC-Lab ASCII FILE\r\nNb header lines : 5\r\n\r\nOpen Circuit Voltage\r\n\
                time/s\tEwe/V\tI/mA\t\r\n0.0\t1.5\t0.0\t\r\n60.0\t1.25\t12.5\t\r\n";
    std::fs::write(lab.path("rest.mpt"), rest).unwrap();
    std::fs::write(lab.path("eis.csv"), "f,Z',Z''\n1000,10,-1\n100,20,-2\n").unwrap();
    std::fs::write(
        lab.path("later.mpt"),
        rest.replace("Open Circuit Voltage", "Chronopotentiometry"),
    )
    .unwrap();
    let output = lab.run(&[
        "import",
        "rest.mpt",
        "eis.csv",
        "later.mpt",
        "--out",
        "a.interphase",
        "--cell",
        "mine.toml",
    ]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && message.contains("later.mpt: begins before"),
        "{message}"
    );
    let lines = lines_of(&lab.succeed(&["replay", "a.interphase", "--json"]));
    let told: Vec<Value> = lines
        .iter()
        .filter(|event| event["kind"] == "sample" || event["kind"] == "point")
        .map(|event| {
            json!([
                event["kind"],
                event["t_s"],
                event["technique"],
                event["current_a"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["sample", 0.0, "ocp", 0.0]),
            json!(["sample", 60.0, "ocp", 0.0125]),
            json!(["point", 60.0, null, null]),
            json!(["point", 60.0, null, null]),
            json!(["sample", 60.0, "cp", 0.0]),
            json!(["sample", 120.0, "cp", 0.0125]),
        ]
    );

    std::fs::write(
        lab.path("wrong.csv"),
        "Test Time / s,Voltage / V,Current / A\n0,1,0\n1,1,much\n",
    )
    .unwrap();
    let output = lab.run(&[
        "import",
        "wrong.csv",
        "--out",
        "b.interphase",
        "--cell",
        "mine.toml",
    ]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.contains("wrong.csv:3: column 3: \"Current / A\" is \"much\", not a number"),
        "{message}"
    );
    assert!(!lab.path("b.interphase").exists());
}

#[test]
fn convert_carries_standard_errors_where_the_format_can_and_says_where_it_cannot() {
    let lab = Lab::new();
    std::fs::write(
        lab.path("a.csv"),
        "frequency_hz,z_real_ohm,z_imag_ohm,sigma,mine\n1000,10,-1,0.25,3\n100,20,-2,0.5,4\n",
    )
    .unwrap();
    let convert = |arguments: &[&str]| {
        let output = lab.run(&[&["convert", "a.csv", "--force"], arguments].concat());
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let written = || std::fs::read_to_string(lab.path("b.csv")).unwrap();
    assert!(convert(&["--out", "b.csv"]).contains("\"sigma\" is taken for the standard error"));
    assert!(
        written().contains("std_error_ohm\n") && written().contains(",0.25\n"),
        "{}",
        written()
    );
    convert(&["--out", "b.csv", "--sigma", "mine"]);
    assert!(written().contains(",3.0\n"), "{}", written());
    for out in ["b.z", "b.mpt"] {
        let message = convert(&["--out", out]);
        assert!(
            message.contains("standard errors of 2 points have no place"),
            "{message}"
        );
    }
    std::fs::write(
        lab.path("a.csv"),
        "frequency_hz,z_real_ohm,z_imag_ohm,sd\n1000,10,-1,0\n100,20,-2,0\n",
    )
    .unwrap();
    let message = convert(&["--out", "b.csv"]);
    assert!(
        message.contains("the standard errors are not written"),
        "{message}"
    );
    assert_eq!(
        written(),
        "frequency_hz,z_real_ohm,z_imag_ohm\n1000.0,10.0,-1.0\n100.0,20.0,-2.0\n"
    );
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let lab = Lab::new();
    let help = |arguments: &[&str], variable: &str| {
        let mut command = lab.command(arguments);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        if !variable.is_empty() {
            command.env(variable, "1");
        }
        let output = command.output().unwrap();
        assert!(output.status.success());
        output.stdout.contains(&0x1b)
    };
    assert!(!help(&["sessions", "--help"], ""), "a pipe is no terminal");
    assert!(help(&["sessions", "--help", "--color", "always"], ""));
    assert!(help(&["--color=always", "sessions", "--help"], "NO_COLOR"));
    assert!(help(&["sessions", "--help"], "CLICOLOR_FORCE"));
    assert!(!help(
        &["sessions", "--help", "--color", "never"],
        "CLICOLOR_FORCE"
    ));
    assert_eq!(
        lab.run(&["sessions", "--color", "sometimes"]).status.code(),
        Some(2)
    );
}
