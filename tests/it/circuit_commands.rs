//! `interphase eval`, `rank` and `completions`: what scripts rely on.

use interphase::circuit::Circuit;
use serde_json::Value;

use super::lab::Lab;
use super::spectra::{csv, points, write_reference, write_series};

#[track_caller]
fn refused(lab: &Lab, arguments: &[&str], status: i32, words: &[&str]) {
    let output = lab.run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(
            message.contains(word),
            "{arguments:?}: `{word}` is missing in: {message}"
        );
    }
}

#[test]
fn eval_writes_impedances_to_the_last_bit() {
    let lab = Lab::new();
    let text = lab.succeed(&[
        "eval",
        "R(RQ)",
        "R0=100",
        "R1=1k",
        "CPE1.Q=1u",
        "CPE1.n=0.9",
        "--f",
        "1e6:0.1:10",
    ]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("frequency_hz,z_real_ohm,z_imag_ohm"));
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let rows: Vec<Vec<f64>> = lines
        .map(|line| line.split(',').map(|field| field.parse().unwrap()).collect())
        .collect();
    assert_eq!((rows.len(), rows[0][0], rows[70][0]), (71, 1e6, 0.1));
    for row in rows {
        let z = circuit.impedance(&[100.0, 1000.0, 1e-6, 0.9], row[0]);
        assert_eq!((row[1], row[2]), (z.re, z.im));
    }
    let one = lab.succeed(&[
        "eval",
        "R0-p(R1,C1)",
        "R0=100",
        "R1=1000",
        "C1=1e-6",
        "--f",
        "1000",
    ]);
    assert_eq!(one.lines().count(), 2);
}

#[test]
fn eval_says_what_is_missing_unknown_or_impossible() {
    let lab = Lab::new();
    let eval = |values: &[&'static str]| [&["eval", "R0-p(R1,CPE1)", "--f", "1000"], values].concat();
    refused(
        &lab,
        &eval(&["R0=1", "CPE1.n=0.9"]),
        2,
        &["R1 (in ohm)", "CPE1.Q (in S s^n)"],
    );
    refused(
        &lab,
        &eval(&["R0=1", "CPE1.N=0.9"]),
        2,
        &["`CPE1.N`", "did you mean `CPE1.n`"],
    );
    refused(&lab, &eval(&["R0=1", "R0=2"]), 2, &["R0 is given twice"]);
    refused(&lab, &eval(&["CPE1.n=1.5"]), 2, &["CPE1.n = 1.5 is impossible"]);
    refused(&lab, &eval(&["R0=-1"]), 2, &["R0 = -1 is impossible"]);
    refused(&lab, &["eval", "R0", "R0=1"], 2, &["--f"]);
    refused(&lab, &["eval", "R0", "R0=1", "--f", "1:2"], 2, &["FROM:TO"]);
    refused(
        &lab,
        &["eval", "R0-C1", "R0=1", "C1=0", "--f", "10"],
        1,
        &["no finite impedance at 10 Hz"],
    );
}

#[test]
fn rank_as_json_compares_the_family_and_names_the_true_circuit() {
    let lab = Lab::new();
    let truth = "R0-p(R1,CPE1)-p(R2,CPE2)";
    let values = [10.0, 30.0, 3e-6, 0.9, 50.0, 2e-3, 0.85];
    std::fs::write(lab.path("a.csv"), csv(&points(truth, &values, 0.5, 4))).unwrap();
    let text = lab.succeed(&["rank", "a.csv", "--json", "--bootstrap", "19"]);
    let object: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "file",
            "n_points",
            "n_used",
            "weight",
            "candidates",
            "comparisons",
            "remarks"
        ]
    );
    let candidates = object["candidates"].as_array().unwrap();
    assert!((10..=14).contains(&candidates.len()));
    let place = candidates
        .iter()
        .position(|candidate| candidate["circuit"] == truth)
        .unwrap();
    let remarks = object["remarks"].to_string();
    assert!(
        place == 0 || remarks.contains(&format!("{truth} are not distinguishable")),
        "{place} {remarks}"
    );
    let mut last = f64::NEG_INFINITY;
    for candidate in candidates {
        for key in ["chi_squared", "reduced_chi_squared", "aicc", "bic", "delta_bic"] {
            assert!(candidate[key].is_f64(), "{key}: {candidate}");
        }
        for key in ["free", "undetermined", "at_bound"] {
            assert!(candidate[key].is_u64(), "{key}: {candidate}");
        }
        let bic = candidate["bic"].as_f64().unwrap();
        assert!(bic >= last);
        last = bic;
    }
    assert_eq!(candidates[0]["delta_bic"], 0.0);
    let comparisons = object["comparisons"].as_array().unwrap();
    let tested = comparisons
        .iter()
        .find(|comparison| comparison["test"] == "bootstrap")
        .unwrap();
    assert!((0.05..=1.0).contains(&tested["p"].as_f64().unwrap()), "{tested}");
    assert_eq!(
        lab.succeed(&["rank", "a.csv", "--json", "--bootstrap", "19"]),
        text,
        "same seed, same result"
    );
    let without = lab.succeed(&["rank", "a.csv", "--json", "--no-bootstrap"]);
    let without: Value = serde_json::from_str(&without).unwrap();
    for comparison in without["comparisons"].as_array().unwrap() {
        assert!(comparison["test"] == "f" || (comparison["test"].is_null() && comparison["p"].is_null()));
    }
}

#[test]
fn rank_compares_the_circuits_given_and_tests_conditions_by_f() {
    let lab = Lab::new();
    write_series(&lab, "days.csv", &[50.0, 60.0]);
    let text = lab.succeed(&[
        "rank",
        "days.csv",
        "--circuit",
        "R0-p(R1,CPE1)-W1",
        "--circuit",
        "R0-p(R1,CPE1)-W1; CPE1.n=0.8",
        "--json",
    ]);
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 2);
    for object in objects {
        assert!(object["spectrum"].is_string());
        let comparison = &object["comparisons"][0];
        assert_eq!(comparison["smaller"], "R0-p(R1,CPE1)-W1; CPE1.n=0.8");
        assert_eq!(comparison["test"], "f");
        assert!(comparison["p"].as_f64().unwrap() < 1e-6);
    }
    let table = lab.succeed(&[
        "rank",
        "days.csv",
        "--circuit",
        "R0-p(R1,CPE1)-W1",
        "--circuit",
        "R0-C1",
    ]);
    assert!(table.contains("ΔBIC") && table.contains("strong"), "{table}");
    refused(
        &lab,
        &["rank", "days.csv", "--circuit", "R0-C1; C2=5"],
        2,
        &["no parameter C2"],
    );
    refused(&lab, &["rank", "nothing.csv"], 1, &["nothing.csv"]);
}

#[test]
fn rank_goes_on_after_a_bad_file() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 3);
    let output = lab.run(&[
        "rank",
        "nothing.csv",
        "a.csv",
        "--circuit",
        "R0-p(R1,CPE1)-W1",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&objects[0]["file"], &objects[1]["file"]),
        (&"nothing.csv".into(), &"a.csv".into())
    );
    assert!(objects[0]["error"].is_string() && objects[1]["candidates"].is_array());
}

#[test]
fn completions_know_the_commands() {
    let lab = Lab::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = lab.succeed(&["completions", shell]);
        assert!(
            script.contains("interphase") && script.contains("simulate") && script.contains("circuit"),
            "{shell}"
        );
    }
    refused(&lab, &["completions", "cobol"], 2, &["bash"]);
}
