//! `interphase fit` and `rank` with odd requests and odd data: no wrong number is to be believed.

use num_complex::Complex64;
use serde_json::Value;

use super::lab::Lab;
use super::spectra::{REFERENCE, TRUTH, csv, points, write_reference, write_series};

const ARC: &str = "R0-p(R1,CPE1)";

fn objects(text: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(text)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn fit(lab: &Lab, file: &str, circuit: &str, extra: &[&str]) -> Value {
    let mut arguments = vec!["fit", file, "--circuit", circuit, "--json"];
    arguments.extend(extra);
    objects(lab.succeed(&arguments).as_bytes()).remove(0)
}

fn number(object: &Value, name: &str, key: &str) -> Option<f64> {
    let parameters = object["parameters"].as_array().unwrap();
    let parameter = parameters.iter().find(|parameter| parameter["name"] == name);
    parameter.unwrap()[key].as_f64()
}

#[test]
fn requests_that_cannot_be_meant_are_refused_with_status_2_and_the_allowed_range() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 1);
    write_reference(&lab, "b.csv", 2);
    for (arguments, words) in [
        (
            &["--fix", "CPE1.n=2"][..],
            "CPE1.n = 2 is impossible: it must be above 0 and at most 1",
        ),
        (
            &["--start", "CPE1.n=1.5"],
            "CPE1.n = 1.5 is impossible: it must be above 0 and at most 1",
        ),
        (
            &["--bound", "CPE1.n=3:5"],
            "bounds 3 to 5 of CPE1.n reach beyond its range: it must be above 0 and at most 1",
        ),
        (
            &["--bound", "CPE1.n=0.5:1.2"],
            "bounds 0.5 to 1.2 of CPE1.n reach beyond its range",
        ),
        (&["--bound", "R1=inf:inf"], "R1 = inf is impossible"),
        (
            &["--fix", "R1=-5"],
            "R1 = -5 is impossible: it must be a finite number above zero",
        ),
        (
            &["--fix", "R1=1e300", "--bound", "R1=1:2"],
            "R1 is held at 1e300, outside its bounds 1 to 2",
        ),
        (&["--fix", "R1=50", "--fix", "R1=60"], "--fix R1 is given twice"),
        (
            &["--bound", "R1=1:10", "--bound", "R1=20:30"],
            "--bound R1 is given twice",
        ),
        (
            &["--start", "R1=1", "--start", "R1=2"],
            "--start R1 is given twice",
        ),
        (&["--tie", "R1=R1"], "R1 is tied to itself"),
        (
            &["--tie", "R1=R0", "--tie", "R0=R1"],
            "R0 = R1 says nothing: other ties make them equal already",
        ),
        (
            &["--tie", "R1=R0", "--fix", "R1=50", "--fix", "R0=10"],
            "held at 50 and 10",
        ),
        (&["--temperatures-k", "300,310"], "--activated"),
        (&["--share", "CPE1.n", "--robust"], "single spectra"),
        (&["--share", "R1", "--share", "R1"], "shared twice"),
        (&["--share", "R1", "--fix", "R1=50"], "is held at a value"),
        (
            &[
                "--activated",
                "R1",
                "--temperatures-k",
                "300,310",
                "--bound",
                "R1=1:2",
            ],
            "R1 follows an activation energy through the series and cannot have bounds",
        ),
    ] {
        let output = lab.run(&[&["fit", "a.csv", "b.csv", "--circuit", REFERENCE], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains(words) && output.stdout.is_empty(),
            "{arguments:?}: {said}"
        );
        assert!(said.len() < 400, "{said}");
    }
    let output = lab.run(&["rank", "a.csv", "--circuit", "R0-p(R1,CPE1); CPE1.n=2"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_exponent_below_the_range_of_the_search_is_the_users_to_ask_for() {
    let lab = Lab::new();
    let truth = [10.0, 500.0, 1e-3, 0.2];
    std::fs::write(lab.path("a.csv"), csv(&points(ARC, &truth, 0.1, 1))).unwrap();
    let held = fit(&lab, "a.csv", ARC, &["--fix", "CPE1.n=0.2"]);
    assert_eq!(number(&held, "CPE1.n", "value"), Some(0.2));
    let bounded = fit(&lab, "a.csv", ARC, &["--bound", "CPE1.n=0.1:1"]);
    assert!((number(&bounded, "CPE1.n", "value").unwrap() - 0.2).abs() < 0.02);
}

#[test]
fn a_file_that_breaks_off_gives_its_whole_spectra_and_then_one_error() {
    let lab = Lab::new();
    write_series(&lab, "days.csv", &[50.0, 60.0, 75.0]);
    let text = std::fs::read_to_string(lab.path("days.csv")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.truncate(150);
    lines.push("2,oops,1,-1");
    std::fs::write(lab.path("days.csv"), lines.join("\n")).unwrap();
    for command in [
        &["fit", "days.csv", "--circuit", REFERENCE, "--json"][..],
        &["rank", "days.csv", "--circuit", REFERENCE, "--json"],
    ] {
        let output = lab.run(command);
        assert_eq!(output.status.code(), Some(1));
        let objects = objects(&output.stdout);
        assert_eq!(objects.len(), 3, "{objects:?}");
        assert!(
            objects[..2]
                .iter()
                .all(|object| object["error"].is_null() && object["spectrum"].is_string())
        );
        assert!(
            objects[2]["error"].as_str().unwrap().contains("days.csv:151"),
            "{}",
            objects[2]
        );
        assert_eq!(
            objects[2].as_object().unwrap().len(),
            2,
            "file and error, nothing else"
        );
    }
}

#[test]
fn impedances_of_any_size_are_fitted_alike() {
    let lab = Lab::new();
    for scale in [1e-12, 1.0, 1e12] {
        let truth = [10.0, 50.0, 1e-5, 0.9];
        let scaled: Vec<(f64, Complex64)> = points(ARC, &truth, 0.5, 3)
            .into_iter()
            .map(|(frequency, z)| (frequency, z * scale))
            .collect();
        std::fs::write(lab.path("a.csv"), csv(&scaled)).unwrap();
        let object = fit(&lab, "a.csv", ARC, &[]);
        for (name, truth) in [
            ("R0", 10.0 * scale),
            ("R1", 50.0 * scale),
            ("CPE1.Q", 1e-5 / scale),
        ] {
            let (value, error) = (number(&object, name, "value"), number(&object, name, "std_error"));
            let (value, error) = (value.unwrap(), error.unwrap());
            assert!(
                (value - truth).abs() < 4.0 * error && error < 0.1 * truth,
                "{scale:e}: {name} {value:e}"
            );
        }
    }
}

#[test]
fn order_repeats_and_rows_without_numbers_change_no_result() {
    let lab = Lab::new();
    let spectrum = points(REFERENCE, &TRUTH, 0.5, 4);
    std::fs::write(lab.path("a.csv"), csv(&spectrum)).unwrap();
    let mut shuffled = spectrum.clone();
    shuffled.sort_by_key(|(frequency, _)| (frequency * 7919.0) as u64 % 101);
    let broken = csv(&shuffled) + "1000,NaN,-1\n2000,inf,-1\n0,1,1\n";
    std::fs::write(lab.path("b.csv"), broken).unwrap();
    let twice: Vec<_> = spectrum.iter().flat_map(|point| [*point, *point]).collect();
    std::fs::write(lab.path("c.csv"), csv(&twice)).unwrap();
    let [plain, mixed, doubled] = ["a.csv", "b.csv", "c.csv"].map(|file| fit(&lab, file, REFERENCE, &[]));
    assert_eq!((&mixed["n_used"], &mixed["left_out"]), (&60.into(), &3.into()));
    for name in ["R0", "R1", "CPE1.Q", "CPE1.n", "W1"] {
        let value = |object| number(object, name, "value").unwrap();
        assert!((value(&mixed) / value(&plain) - 1.0).abs() < 1e-6, "{name}");
        assert!((value(&doubled) / value(&plain) - 1.0).abs() < 1e-6, "{name}");
    }
}

/// As the documentation defines it, however few the points.
#[test]
fn determined_follows_from_the_standard_error_alone() {
    let lab = Lab::new();
    let mut both = [false; 2];
    for seed in 0..6 {
        for count in [3, 4, 6, 30] {
            let all = points(ARC, &[10.0, 50.0, 1e-5, 0.9], 3.0, seed);
            let some: Vec<_> = all.into_iter().skip(2).step_by(58 / count).take(count).collect();
            std::fs::write(lab.path("a.csv"), csv(&some)).unwrap();
            let object = fit(&lab, "a.csv", ARC, &[]);
            for (name, limit) in [("R1", 0.3), ("CPE1.Q", 0.3), ("CPE1.n", 0.05)] {
                let scale = if name == "CPE1.n" {
                    Some(1.0)
                } else {
                    number(&object, name, "value")
                };
                let relative = number(&object, name, "std_error").map(|error| error / scale.unwrap());
                let expected = relative.is_some_and(|error| error <= limit);
                let parameters = object["parameters"].as_array().unwrap();
                let told = parameters
                    .iter()
                    .find(|parameter| parameter["name"] == name)
                    .unwrap();
                assert_eq!(told["determined"], expected, "{count} points: {told}");
                both[usize::from(expected)] = true;
            }
        }
    }
    assert_eq!(both, [true; 2]);
    let few: Vec<_> = points(ARC, &[10.0, 50.0, 1e-5, 0.9], 0.5, 1)
        .into_iter()
        .step_by(15)
        .collect();
    std::fs::write(lab.path("a.csv"), csv(&few)).unwrap();
    let table = lab.succeed(&["fit", "a.csv", "--circuit", ARC]);
    assert!(table.contains("numbers more than parameters"), "{table}");
}

#[test]
fn no_number_of_a_table_has_hundreds_of_digits_and_what_is_held_is_told_in_sums() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 5);
    for value in ["1e300", "1e-300"] {
        let table = lab.succeed(&[
            "fit",
            "a.csv",
            "--circuit",
            REFERENCE,
            "--fix",
            &format!("R1={value}"),
        ]);
        assert!(table.lines().all(|line| line.chars().count() < 160), "{table}");
        let told = format!("1.00{} Ω", &value[1..]);
        assert!(table.contains(&told), "{told}: {table}");
    }
    let table = lab.succeed(&[
        "fit",
        "a.csv",
        "--circuit",
        REFERENCE,
        "--fix",
        "R0=10",
        "--fix",
        "R1=50",
    ]);
    assert!(table.lines().any(|line| line.trim() == "R0+R1 60.0 Ω"), "{table}");
}

#[test]
fn tied_parameters_are_not_called_degenerate() {
    let lab = Lab::new();
    let circuit = "R0-p(R1,CPE1)-p(R2,CPE2)";
    let truth = [10.0, 30.0, 3e-6, 0.9, 30.0, 2e-3, 0.9];
    std::fs::write(lab.path("a.csv"), csv(&points(circuit, &truth, 0.5, 6))).unwrap();
    let object = fit(&lab, "a.csv", circuit, &["--tie", "R2=R1"]);
    assert_eq!(object["correlation"][1][4].as_f64().map(f64::round), Some(1.0));
    assert_eq!(object["degenerate"], serde_json::json!([]));
}

#[test]
fn residuals_of_one_sign_are_structure() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 7);
    let object = fit(&lab, "a.csv", "R0", &["--fix", "R0=1"]);
    assert!(object["runs_p"].as_f64().unwrap() < 1e-9);
    assert_eq!(object["errors_are_lower_limits"], true);
}

#[test]
fn a_joint_fit_says_where_what_is_shared_stands_on_its_bound() {
    let lab = Lab::new();
    for (name, seed) in [("a.csv", 8), ("b.csv", 9)] {
        write_reference(&lab, name, seed);
    }
    let arguments = [
        "fit",
        "a.csv",
        "b.csv",
        "--circuit",
        REFERENCE,
        "--share",
        "CPE1.n",
        "--bound",
        "CPE1.n=0.5:0.85",
    ];
    let text = lab.succeed(&[&arguments[..], &["--json"]].concat());
    let shared = &objects(text.as_bytes())[0]["joint"]["shared"][0];
    assert_eq!(
        (&shared["value"], &shared["at_bound"]),
        (&0.85.into(), &true.into())
    );
    assert!(shared["std_error"].is_null() && shared["determined"] == false);
    let table = lab.succeed(&arguments);
    assert!(table.contains("CPE1.n  at its bound 0.850 in all"), "{table}");
}

#[test]
fn help_says_what_a_script_and_a_reader_must_know() {
    let lab = Lab::new();
    let help = lab
        .succeed(&["fit", "--help"])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for words in [
        "SE(ln p) up to 0.3",
        "converged is false",
        "With --sigma",
        "one more says the error",
        "2 wrong command line",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
}
