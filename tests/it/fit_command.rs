//! `interphase fit`: what scripts rely on.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::Value;

use super::lab::Lab;
use super::spectra::{REFERENCE, TRUTH, csv, points, write_reference, write_series};

/// Runs to its end; status, standard output, standard error.
fn run(lab: &Lab, arguments: &[&str]) -> (i32, String, String) {
    let output = lab.run(arguments);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn parameter<'a>(object: &'a Value, name: &str) -> &'a Value {
    object["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|parameter| parameter["name"] == name)
        .unwrap()
}

#[test]
fn fit_as_json_has_the_promised_keys_in_their_order_and_finds_the_truth() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 1);
    let text = lab.succeed(&["fit", "a.csv", "--circuit", REFERENCE, "--json"]);
    let object = &objects(&text)[0];
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys[..19],
        [
            "file",
            "circuit",
            "n_points",
            "weight",
            "converged",
            "starts",
            "evaluations",
            "elapsed_us",
            "guess_us",
            "n_used",
            "left_out",
            "chi_squared",
            "reduced_chi_squared",
            "noise_percent",
            "aicc",
            "bic",
            "parameters",
            "correlation",
            "sums"
        ]
    );
    assert_eq!(object["file"], "a.csv");
    assert_eq!(object["circuit"], REFERENCE);
    assert_eq!(object["weight"], "modulus");
    assert_eq!(object["converged"], true);
    assert_eq!(
        (&object["n_points"], &object["n_used"], &object["left_out"]),
        (&60.into(), &60.into(), &0.into())
    );
    assert!(object["starts"].is_u64() && object["evaluations"].is_u64());
    assert!(object["elapsed_us"].as_f64().unwrap() > 0.0 && object["guess_us"].as_f64().unwrap() > 0.0);
    let noise = object["noise_percent"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&noise), "{noise}");
    let (n, p) = (120.0, 5.0);
    let s = object["chi_squared"].as_f64().unwrap();
    let close = |key: &str, expected: f64| {
        let found = object[key].as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-9 * expected.abs(),
            "{key}: {found} {expected}"
        );
    };
    close("reduced_chi_squared", s / (n - p));
    close(
        "aicc",
        n * (s / n).ln() + 2.0 * p + 2.0 * p * (p + 1.0) / (n - p - 1.0),
    );
    close("bic", n * (s / n).ln() + p * n.ln());
    let names = ["R0", "R1", "CPE1.Q", "CPE1.n", "W1"];
    let units = ["ohm", "ohm", "S s^n", "1", "ohm s^-1/2"];
    let parameters = object["parameters"].as_array().unwrap();
    for (((parameter, name), unit), truth) in parameters.iter().zip(names).zip(units).zip(TRUTH) {
        assert_eq!(
            (&parameter["name"], &parameter["unit"]),
            (&name.into(), &unit.into())
        );
        let (value, error) = (
            parameter["value"].as_f64().unwrap(),
            parameter["std_error"].as_f64().unwrap(),
        );
        assert!(
            (value - truth).abs() < 5.0 * error,
            "{name}: {value} +- {error}, true {truth}"
        );
        assert_eq!(
            (&parameter["fixed"], &parameter["determined"]),
            (&false.into(), &true.into())
        );
    }
    assert_eq!(parameters[0]["lower"], 0.0);
    assert!(parameters[0]["upper"].is_null(), "no bound is null");
    let correlation = object["correlation"].as_array().unwrap();
    assert_eq!((correlation.len(), &correlation[2][2]), (5, &Value::from(1.0)));
    let sum = &object["sums"][0];
    assert_eq!(sum["name"], "R0+R1");
    assert!((sum["value"].as_f64().unwrap() - 60.0).abs() < 5.0 * sum["std_error"].as_f64().unwrap());
}

#[test]
fn a_fixed_parameter_has_no_error_and_an_undetermined_one_is_flagged() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 2);
    let text = lab.succeed(&[
        "fit",
        "a.csv",
        "--circuit",
        "R(RQ)W",
        "--fix",
        "CPE1.n=0.9",
        "--fix",
        "R0=10",
        "--json",
    ]);
    let object = &objects(&text)[0];
    assert_eq!(object["circuit"], REFERENCE, "either notation");
    let fixed = parameter(object, "CPE1.n");
    assert_eq!(
        (&fixed["value"], &fixed["fixed"]),
        (&Value::from(0.9), &true.into())
    );
    assert!(fixed["std_error"].is_null());
    // The fastest points alone say nothing of the diffusion.
    let text = lab.succeed(&["fit", "a.csv", "--circuit", REFERENCE, "--fmin", "30k", "--json"]);
    let object = &objects(&text)[0];
    assert_eq!(parameter(object, "W1")["determined"], false);
    assert_eq!(
        (&object["n_points"], &object["n_used"], &object["left_out"]),
        (&60.into(), &16.into(), &44.into())
    );
    let table = lab.succeed(&["fit", "a.csv", "--circuit", REFERENCE, "--fmin", "30k"]);
    let line = table
        .lines()
        .find(|line| line.trim_start().starts_with("W1"))
        .unwrap();
    assert!(
        !line.bytes().skip(6).any(|byte| byte.is_ascii_digit()),
        "no bare number: {line}"
    );
}

#[test]
fn start_values_bounds_ties_and_weights_are_obeyed() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 3);
    let fit = |extra: &[&str]| {
        let mut arguments = vec!["fit", "a.csv", "--circuit", REFERENCE, "--json"];
        arguments.extend(extra);
        objects(&lab.succeed(&arguments)).remove(0)
    };
    let started = fit(&[
        "--start",
        "R0=20",
        "--start",
        "R1=100",
        "--start",
        "CPE1.Q=2u",
        "--start",
        "CPE1.n=0.8",
        "--start",
        "W1=100",
    ]);
    assert_eq!(started["starts"], 1, "all values given: the only start");
    assert!((parameter(&started, "R1")["value"].as_f64().unwrap() - 50.0).abs() < 1.0);
    let bounded = fit(&["--bound", "R0=11:20"]);
    let r0 = parameter(&bounded, "R0");
    assert_eq!(
        (&r0["lower"], &r0["upper"], &r0["at_bound"]),
        (&11.0.into(), &20.0.into(), &true.into())
    );
    assert!((r0["value"].as_f64().unwrap() - 11.0).abs() < 1e-9 && r0["std_error"].is_null());
    let tied = fit(&["--tie", "R1=R0"]);
    assert_eq!(parameter(&tied, "R1")["value"], parameter(&tied, "R0")["value"]);
    for weight in ["proportional", "unit"] {
        let weighted = fit(&["--weight", weight]);
        assert_eq!(weighted["weight"], weight);
        assert!(
            weighted["noise_percent"].is_null(),
            "known with modulus weight only"
        );
    }
}

#[test]
fn points_are_dropped_by_index_and_by_frequency() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 4);
    let text = lab.succeed(&[
        "fit",
        "a.csv",
        "--circuit",
        REFERENCE,
        "--fmax",
        "1e5",
        "--drop",
        "20",
        "--drop",
        "100Hz",
        "--curve",
        "c.csv",
        "--json",
    ]);
    let object = &objects(&text)[0];
    assert_eq!((&object["n_used"], &object["left_out"]), (&48.into(), &12.into()));
    let curve = std::fs::read_to_string(lab.path("c.csv")).unwrap();
    let mut lines = curve.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("frequency_hz,z_real_ohm,z_imag_ohm,")
    );
    let unused: Vec<usize> = lines
        .enumerate()
        .filter(|(_, line)| line.ends_with(",0"))
        .map(|(index, _)| index)
        .collect();
    assert_eq!(unused, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 40]);
}

#[test]
fn a_curve_holds_measured_and_fitted_values_and_can_be_fitted_itself() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 5);
    lab.succeed(&["fit", "a.csv", "--circuit", REFERENCE, "--curve", "c.csv"]);
    let mut reader = ::csv::Reader::from_path(lab.path("c.csv")).unwrap();
    let rows: Vec<Vec<f64>> = reader
        .records()
        .map(|row| row.unwrap().iter().map(|field| field.parse().unwrap()).collect())
        .collect();
    for (row, (frequency, z)) in rows.iter().zip(points(REFERENCE, &TRUTH, 0.5, 5)) {
        assert_eq!(
            row[..3],
            [frequency, z.re, z.im],
            "measured values to the last bit"
        );
        assert!((row[5] - 100.0 * (row[1] - row[3]) / z.norm()).abs() < 1e-9);
        assert!((row[6] - 100.0 * (row[2] - row[4]) / z.norm()).abs() < 1e-9);
        assert!(row[5].abs() < 3.0 && row[7] == 1.0);
    }
    assert_eq!(rows.len(), 60);
    lab.succeed(&["fit", "c.csv", "--circuit", REFERENCE]);
    let (status, _, message) = run(
        &lab,
        &["fit", "a.csv", "--circuit", REFERENCE, "--curve", "./a.csv"],
    );
    assert_eq!(status, 2);
    assert!(message.contains("overwrite"), "{message}");
}

#[test]
fn several_spectra_of_a_file_are_a_series_with_an_object_each() {
    let lab = Lab::new();
    let resistances = [50.0, 60.0, 75.0, 90.0];
    write_series(&lab, "days.csv", &resistances);
    let text = lab.succeed(&[
        "fit",
        "days.csv",
        "--circuit",
        REFERENCE,
        "--json",
        "--curve",
        "c.csv",
    ]);
    let objects = objects(&text);
    assert_eq!(objects.len(), 4);
    for (index, (object, resistance)) in objects.iter().zip(resistances).enumerate() {
        assert_eq!(object["file"], "days.csv");
        assert!(object["spectrum"].is_string(), "{object}");
        assert!((parameter(object, "R1")["value"].as_f64().unwrap() - resistance).abs() < 1.0);
        assert_eq!(
            object["starts"] == 1,
            index > 0,
            "the later ones start from the one before"
        );
    }
    let names: Vec<&str> = objects
        .iter()
        .map(|object| object["spectrum"].as_str().unwrap())
        .collect();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let curve = std::fs::read_to_string(lab.path("c.csv")).unwrap();
    assert!(curve.starts_with("spectrum,frequency_hz,"));
    assert_eq!(curve.lines().count(), 1 + 4 * 60);
}

#[test]
fn files_are_one_series_only_when_asked() {
    let lab = Lab::new();
    for (name, seed) in [("a.csv", 6), ("b.csv", 7)] {
        write_reference(&lab, name, seed);
    }
    let starts = |extra: &[&str]| {
        let mut arguments = vec!["fit", "a.csv", "b.csv", "--circuit", REFERENCE, "--json"];
        arguments.extend(extra);
        objects(&lab.succeed(&arguments))[1]["starts"].as_u64().unwrap()
    };
    assert!(starts(&[]) > 1);
    assert_eq!(starts(&["--series"]), 1);
}

#[test]
fn a_hundred_files_come_out_in_the_order_given() {
    let lab = Lab::new();
    let names: Vec<String> = (0..100)
        .map(|index| format!("{:03}.csv", (index * 37) % 100))
        .collect();
    for (seed, name) in names.iter().enumerate() {
        write_reference(&lab, name, seed as u64);
    }
    let mut arguments = vec!["fit", "--circuit", REFERENCE, "--json"];
    arguments.extend(names.iter().map(String::as_str));
    let objects = objects(&lab.succeed(&arguments));
    let files: Vec<&str> = objects
        .iter()
        .map(|object| object["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, names);
    assert!(
        objects
            .iter()
            .all(|object| (parameter(object, "R1")["value"].as_f64().unwrap() - 50.0).abs() < 1.0)
    );
}

#[test]
fn a_bad_file_does_not_stop_the_others() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 8);
    std::fs::write(
        lab.path("bad.csv"),
        "frequency_hz,z_real_ohm,z_imag_ohm\n1000,10,ten\n",
    )
    .unwrap();
    std::fs::write(lab.path("few.csv"), "1000,10,-1\n100,20,-3\n").unwrap();
    let files = [
        "fit",
        "bad.csv",
        "few.csv",
        "nothing.csv",
        "a.csv",
        "--circuit",
        REFERENCE,
    ];
    let (status, text, message) = run(&lab, &[&files[..], &["--json"]].concat());
    assert_eq!(status, 1);
    let objects = objects(&text);
    assert_eq!(objects.len(), 4, "one object a file");
    for (object, file) in objects.iter().zip(&files[1..]) {
        assert_eq!(object["file"], *file);
        assert_eq!(object["error"].is_string(), *file != "a.csv", "{object}");
    }
    for word in [
        "bad.csv:2",
        "few.csv: 2 usable points",
        "nothing.csv: No such file",
    ] {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    let (status, text, message) = run(&lab, &files);
    assert_eq!(status, 1);
    assert!(
        text.contains("a.csv: R0-p(R1,CPE1)-W1, 60 points") && !text.contains("bad.csv"),
        "{text}"
    );
    assert!(message.contains("bad.csv:2"));
}

#[test]
fn rows_of_csv_hold_values_errors_and_flags() {
    let lab = Lab::new();
    write_series(&lab, "days.csv", &[50.0, 60.0]);
    let text = lab.succeed(&[
        "fit",
        "days.csv",
        "--circuit",
        REFERENCE,
        "--csv",
        "--fix",
        "R0=10",
    ]);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|head| head == name)
            .unwrap_or_else(|| panic!("{name}: {header:?}"))
    };
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    for (row, truth) in rows.iter().zip([50.0, 60.0]) {
        let number = |name: &str| row[column(name)].parse::<f64>().unwrap();
        assert_eq!(&row[column("file")], "days.csv");
        assert!((number("R1 / ohm") - truth).abs() < 5.0 * number("R1 std_error"));
        assert!(number("R1 lower_95") < number("R1 / ohm") && number("R1 / ohm") < number("R1 upper_95"));
        assert_eq!(
            (&row[column("R0 flag")], &row[column("R0 std_error")]),
            ("fixed", "")
        );
        assert!(number("chi_squared") > 0.0);
    }
}

#[test]
fn standard_input_is_a_file_and_its_name_is_a_dash() {
    let lab = Lab::new();
    let mut child = lab
        .command(&["fit", "-", "--circuit", REFERENCE, "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = csv(&points(REFERENCE, &TRUTH, 0.5, 9));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let mut written = String::new();
    child.stdout.take().unwrap().read_to_string(&mut written).unwrap();
    assert!(child.wait().unwrap().success());
    let object = &objects(&written)[0];
    assert_eq!((&object["file"], &object["n_used"]), (&"-".into(), &60.into()));
    assert_eq!(run(&lab, &["fit", "-", "-", "--circuit", REFERENCE]).0, 2);
}

#[test]
fn a_closed_pipe_ends_the_work_quietly() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 10);
    let mut arguments = vec!["fit", "--circuit", REFERENCE, "--json"];
    arguments.extend(std::iter::repeat_n("a.csv", 400));
    let mut child = lab
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert!(line.starts_with("{\"file\":\"a.csv\""));
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_wrong_command_line_is_refused_before_any_file_is_read() {
    let lab = Lab::new();
    for (extra, words) in [
        (
            &["--start", "R7=5"][..],
            &["no parameter `R7`", "did you mean `R"][..],
        ),
        (&["--fix", "CPE1.q=1"], &["did you mean `CPE1.Q`"]),
        (&["--start", "R1=0"], &["above zero"]),
        (&["--start", "R1=ten"], &["`ten` is no number"]),
        (&["--start", "R1"], &["NAME=VALUE"]),
        (&["--bound", "R1=9:3"], &["lower one"]),
        (
            &["--bound", "R1=10:20", "--start", "R1=5"],
            &["outside its bounds"],
        ),
        (&["--tie", "R1=CPE1.Q"], &["cannot be tied"]),
        (&["--weight", "heavy"], &["modulus, proportional, unit"]),
        (&["--json", "--csv"], &["cannot be used with"]),
        (&["--fmin", "-1"], &["--fmin"]),
    ] {
        let (status, text, message) = run(
            &lab,
            &[&["fit", "nothing.csv", "--circuit", REFERENCE], extra].concat(),
        );
        assert_eq!((status, text.as_str()), (2, ""), "{extra:?}: {message}");
        for word in words {
            assert!(
                message.contains(word),
                "{extra:?}: `{word}` is missing in: {message}"
            );
        }
    }
    let (status, _, message) = run(&lab, &["fit", "a.csv", "--circuit", "R0-p(R1,CPX1)"]);
    assert_eq!(status, 2);
    assert!(
        message.contains("\n  R0-p(R1,CPX1)\n          ^"),
        "a caret: {message}"
    );
    assert_eq!(run(&lab, &["fit", "a.csv"]).0, 2, "a circuit is needed");
    assert_eq!(
        run(&lab, &["fit", "--circuit", REFERENCE]).0,
        2,
        "a file is needed"
    );
}
