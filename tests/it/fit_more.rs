//! `interphase fit` with known errors, outliers and shared parameters; `interphase convert`.

use std::fmt::Write as _;

use serde_json::Value;

use super::lab::{Lab, lines_of};
use super::spectra::{REFERENCE, TRUTH, points, write_reference, write_series};

fn parameter(object: &Value, name: &str) -> (f64, f64) {
    let parameter = object["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|parameter| parameter["name"] == name)
        .unwrap();
    (
        parameter["value"].as_f64().unwrap(),
        parameter["std_error"].as_f64().unwrap(),
    )
}

/// A spectrum with 0.5 % noise whose points say `claimed_percent`.
fn write_with_sigma(lab: &Lab, name: &str, claimed_percent: f64) {
    let mut text = String::from("frequency_hz,z_real_ohm,z_imag_ohm,error_ohm\n");
    for (frequency, z) in points(REFERENCE, &TRUTH, 0.5, 3) {
        let error = claimed_percent / 100.0 * z.norm();
        writeln!(text, "{frequency:?},{:?},{:?},{error:?}", z.re, z.im).unwrap();
    }
    std::fs::write(lab.path(name), text).unwrap();
}

#[test]
fn errors_of_the_points_weight_the_fit_and_are_not_scaled() {
    let lab = Lab::new();
    write_with_sigma(&lab, "true.csv", 0.5);
    write_with_sigma(&lab, "small.csv", 0.1);
    let arguments = |file| {
        [
            "fit",
            file,
            "--circuit",
            REFERENCE,
            "--sigma",
            "error_ohm",
            "--json",
        ]
    };
    let honest = lines_of(&lab.succeed(&arguments("true.csv"))).remove(0);
    let boastful = lines_of(&lab.succeed(&arguments("small.csv"))).remove(0);
    assert_eq!(honest["weight"], "sigma");
    let reduced = honest["reduced_chi_squared"].as_f64().unwrap();
    assert!((0.6..1.5).contains(&reduced), "{reduced}");
    let ((_, wide), (_, narrow)) = (parameter(&honest, "R1"), parameter(&boastful, "R1"));
    assert!(
        (wide / narrow / 5.0 - 1.0).abs() < 0.01,
        "errors follow the column: {wide} {narrow}"
    );
    // What the residuals ask for is given beside them.
    assert!(honest["parameters"][1]["std_error_scaled"].is_null());
    let scaled = boastful["parameters"][1]["std_error_scaled"].as_f64().unwrap();
    assert!(
        (scaled / narrow - 5.0 * reduced.sqrt()).abs() < 0.05,
        "{scaled} {narrow}"
    );
    let refused = lab.run(&["fit", "true.csv", "--circuit", REFERENCE, "--sigma", "sd"]);
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(
        message.contains("no column \"sd\"") && message.contains("error_ohm"),
        "{message}"
    );
}

#[test]
fn a_robust_fit_names_the_outliers_and_finds_the_truth_in_spite_of_them() {
    let lab = Lab::new();
    let mut text = String::from("frequency_hz,z_real_ohm,z_imag_ohm\n");
    for (index, (frequency, z)) in points(REFERENCE, &TRUTH, 0.5, 5).into_iter().enumerate() {
        let z = if [20, 33].contains(&index) { z * 1.4 } else { z };
        writeln!(text, "{frequency:?},{:?},{:?}", z.re, z.im).unwrap();
    }
    std::fs::write(lab.path("wild.csv"), text).unwrap();
    let text = lab.succeed(&["fit", "wild.csv", "--circuit", REFERENCE, "--robust", "--json"]);
    let object = lines_of(&text).remove(0);
    assert_eq!(
        object["robust"]["down_weighted"],
        serde_json::json!([20, 33]),
        "{object}"
    );
    for (name, truth) in ["R0", "R1", "CPE1.Q", "CPE1.n", "W1"].into_iter().zip(TRUTH) {
        let (value, error) = parameter(&object, name);
        assert!((value - truth).abs() < 4.0 * error, "{name} {value} {error}");
    }
    let plain = lines_of(&lab.succeed(&["fit", "wild.csv", "--circuit", REFERENCE, "--json"])).remove(0);
    assert!(plain["robust"].is_null());
}

#[test]
fn a_shared_parameter_has_one_value_in_all_spectra_of_all_files() {
    let lab = Lab::new();
    write_series(&lab, "a.csv", &[50.0, 60.0, 70.0]);
    write_reference(&lab, "b.csv", 9);
    let text = lab.succeed(&[
        "fit",
        "a.csv",
        "b.csv",
        "--circuit",
        REFERENCE,
        "--share",
        "CPE1.n",
        "--json",
    ]);
    let objects = lines_of(&text);
    assert_eq!(objects.len(), 4);
    let (n, error) = parameter(&objects[0], "CPE1.n");
    assert!((n - 0.9).abs() < 4.0 * error);
    for object in &objects {
        assert_eq!(parameter(object, "CPE1.n"), (n, error));
        assert_eq!(object["joint"]["n_spectra"], 4);
        assert_eq!(object["joint"]["free"], 1 + 4 * 4);
        assert_eq!(object["joint"]["shared"][0]["name"], "CPE1.n");
    }
    let told = lab.succeed(&["fit", "a.csv", "--circuit", REFERENCE, "--share", "CPE1.n"]);
    assert!(told.contains("in all"), "{told}");
    for (arguments, status, words) in [
        (
            &["fit", "b.csv", "--circuit", REFERENCE, "--share", "R1"][..],
            1,
            "two spectra",
        ),
        (
            &["fit", "a.csv", "--circuit", REFERENCE, "--share", "R9"],
            2,
            "R9",
        ),
        (
            &["fit", "a.csv", "--circuit", REFERENCE, "--activated", "R1"],
            2,
            "--temperatures-k",
        ),
    ] {
        let output = lab.run(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn converting_there_and_back_gives_the_same_numbers() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 1);
    for (from, to) in [("a.csv", "b.mpt"), ("b.mpt", "c.z"), ("c.z", "d.csv")] {
        lab.succeed(&["convert", from, "--out", to]);
    }
    let numbers = |name: &str| -> Vec<Vec<f64>> {
        let text = std::fs::read_to_string(lab.path(name)).unwrap();
        let rows = text.lines().skip(1);
        rows.map(|row| {
            row.split(',')
                .take(3)
                .map(|field| field.parse().unwrap())
                .collect()
        })
        .collect()
    };
    assert_eq!(numbers("d.csv"), numbers("a.csv"));
}

#[test]
fn convert_refuses_what_it_cannot_do_and_replaces_only_when_told_to() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 1);
    write_series(&lab, "several.csv", &[50.0, 60.0]);
    std::fs::write(lab.path("taken.z"), "mine").unwrap();
    for (arguments, status, words) in [
        (&["convert", "a.csv", "--out", "a.xyz"][..], 2, "extension"),
        (&["convert", "a.csv", "--out", "taken.z"], 1, "--force"),
        (
            &["convert", "a.csv", "--out", "a.csv", "--force"],
            1,
            "is the file that is read",
        ),
        (
            &["convert", "several.csv", "--out", "several.z"],
            1,
            "one spectrum",
        ),
        (&["convert", "missing.csv", "--out", "b.z"], 1, "missing.csv"),
    ] {
        let output = lab.run(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {message}");
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_to_string(lab.path("taken.z")).unwrap(), "mine");
    assert!(!lab.path("several.z").exists());
    lab.succeed(&["convert", "a.csv", "--out", "taken.z", "--force"]);
    assert!(
        std::fs::read_to_string(lab.path("taken.z"))
            .unwrap()
            .starts_with("ZPLOT2")
    );
}
