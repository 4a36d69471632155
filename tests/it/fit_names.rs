//! `interphase fit`: names of arcs, and what scripts must be told beside the numbers.

use serde_json::Value;

use super::lab::Lab;
use super::spectra::{REFERENCE, csv, points, write_reference};

const ARCS: &str = "R0-p(R1,CPE1)-p(R2,CPE2)";

fn write_arcs(lab: &Lab, name: &str) {
    let truth = [10.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85];
    std::fs::write(lab.path(name), csv(&points(ARCS, &truth, 0.5, 3))).unwrap();
}

#[test]
fn arcs_out_of_the_order_of_their_names_are_told_in_every_form() {
    let lab = Lab::new();
    write_arcs(&lab, "a.csv");
    let run = |extra: &[&str]| {
        let output = lab.run(&[&["fit", "a.csv", "--circuit", ARCS], extra].concat());
        assert_eq!(output.status.code(), Some(0));
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let words = "the arcs of R1, R2 are not in the order of their time constants";
    let [table, warning] = run(&["--bound", "R1=30:60"]);
    assert!(table.contains(words), "{table}");
    assert!(
        warning.contains("warning: a.csv") && warning.contains(words),
        "{warning}"
    );
    let [json, _] = run(&["--bound", "R1=30:60", "--json"]);
    let object: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(object["arcs_out_of_order"], serde_json::json!(["R1", "R2"]));
    let [json, warning] = run(&["--json"]);
    let object: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(object["arcs_out_of_order"], serde_json::json!([]));
    assert!(!warning.contains("order"), "{warning}");
}

#[test]
fn rows_of_csv_hold_judgements_and_sums() {
    let lab = Lab::new();
    write_arcs(&lab, "a.csv");
    let text = lab.succeed(&["fit", "a.csv", "--circuit", ARCS, "--csv", "--bound", "R1=30:60"]);
    // What one arc cannot explain leaves a pattern.
    let single = lab.succeed(&["fit", "a.csv", "--circuit", "R0-p(R1,CPE1)", "--csv"]);
    let read = |text: &str, name: &str| {
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let place = header.iter().position(|head| head == name);
        let place = place.unwrap_or_else(|| panic!("{name}: {header:?}"));
        reader.records().next().unwrap().unwrap()[place].to_owned()
    };
    let number = |name: &str| read(&text, name).parse::<f64>().unwrap();
    assert!((number("R1+R2 / ohm") - 60.0).abs() < 5.0 * number("R1+R2 std_error"));
    assert!((number("R0+R1+R2 / ohm") - 70.0).abs() < 5.0 * number("R0+R1+R2 std_error"));
    assert_eq!(read(&text, "R1+R2 flag"), "");
    assert_eq!(read(&text, "arcs_out_of_order"), "R1 R2");
    assert_eq!(
        [
            read(&text, "errors_are_lower_limits"),
            read(&single, "errors_are_lower_limits")
        ],
        ["false", "true"]
    );
    assert_eq!(read(&single, "degenerate"), "");
}

#[test]
fn a_row_of_csv_names_degenerate_arcs_and_a_row_of_an_error_has_all_columns() {
    let lab = Lab::new();
    let truth = [10.0, 20.0, 1e-4, 25.0, 1.05e-4];
    let circuit = "R0-p(R1,C1)-p(R2,C2)";
    std::fs::write(lab.path("a.csv"), csv(&points(circuit, &truth, 0.5, 3))).unwrap();
    let output = lab.run(&["fit", "a.csv", "nothing.csv", "--circuit", circuit, "--csv"]);
    assert_eq!(output.status.code(), Some(1));
    let mut reader = ::csv::Reader::from_reader(&output.stdout[..]);
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|head| head == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows[0][place("degenerate")].contains("R1 R2"), "{:?}", rows[0]);
    assert!(rows[1][place("error")].contains("nothing.csv"), "{:?}", rows[1]);
}

#[test]
fn a_curve_is_not_written_where_nothing_was_fitted() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 1);
    std::fs::write(lab.path("old.csv"), "kept").unwrap();
    for (curve, extra) in [("c.csv", &[][..]), ("old.csv", &["--force"])] {
        let arguments = [
            "fit",
            "a.csv",
            "--circuit",
            REFERENCE,
            "--fmin",
            "7e5",
            "--curve",
            curve,
        ];
        let output = lab.run(&[&arguments[..], extra].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        // Two points are too few for five parameters.
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("--curve {curve} is not written")),
            "{said}"
        );
    }
    assert!(!lab.path("c.csv").exists());
    assert_eq!(std::fs::read_to_string(lab.path("old.csv")).unwrap(), "kept");
}

#[test]
fn a_ranking_without_a_place_is_a_failure_that_says_why() {
    let lab = Lab::new();
    std::fs::write(
        lab.path("none.csv"),
        "frequency_hz,z_real_ohm,z_imag_ohm\n1000,nan,nan\n100,nan,nan\n",
    )
    .unwrap();
    std::fs::write(
        lab.path("two.csv"),
        "frequency_hz,z_real_ohm,z_imag_ohm\n1000,10,-1\n100,11,-9\n",
    )
    .unwrap();
    for (file, words) in [
        ("none.csv", "no circuit could be ranked: 0 usable points"),
        (
            "two.csv",
            "no circuit could be ranked: 2 usable points are too few",
        ),
    ] {
        let output = lab.run(&["rank", file, "--no-bootstrap", "--json"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        for candidate in object["candidates"].as_array().unwrap() {
            assert!(candidate["delta_bic"].is_null() && candidate["error"].is_string());
        }
    }
}
