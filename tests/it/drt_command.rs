//! `interphase drt` and `plot --kind drt`: what scripts rely on.

use num_complex::Complex64;
use serde_json::Value;

use super::lab::Lab;

/// A spectrum as text: 81 points from 1 MHz to 10 mHz.
fn text(z: impl Fn(Complex64) -> Complex64) -> String {
    let mut text = String::from("frequency_hz,z_real_ohm,z_imag_ohm\n");
    for index in 0..81 {
        let frequency = 1e6 * 10f64.powf(-0.1 * f64::from(index));
        let z = z(Complex64::new(0.0, std::f64::consts::TAU * frequency));
        // One part in 400, of either sign: noise that is the same everywhere.
        let wrong = 1.0 + 0.0025 * (f64::from(index) * 12.9898).sin();
        text.push_str(&format!("{frequency},{},{}\n", wrong * z.re, wrong * z.im));
    }
    text
}

fn two_zarcs(s: Complex64) -> Complex64 {
    5.0 + 20.0 / (1.0 + (s * 2e-5).powf(0.9)) + 40.0 / (1.0 + (s * 2e-2).powf(0.85))
}

fn lab() -> Lab {
    let lab = Lab::new();
    std::fs::write(lab.path("two.csv"), text(two_zarcs)).unwrap();
    std::fs::write(
        lab.path("tail.csv"),
        text(|s| 10.0 + 1.0 / (1.0 / 50.0 + 1e-6 * s.powf(0.9)) + 100.0 / s.sqrt()),
    )
    .unwrap();
    std::fs::write(lab.path("coil.csv"), text(|s| 1.0 + 1e-3 * s)).unwrap();
    lab
}

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

#[test]
fn drt_as_json_has_the_promised_keys_and_the_area_of_its_curve() {
    let (status, text, _) = run(&lab(), &["drt", "two.csv", "--json"]);
    assert_eq!(status, 0);
    let object = &objects(&text)[0];
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys[..10],
        [
            "file",
            "lambda",
            "method",
            "tau_s",
            "gamma_ohm",
            "r_infinity_ohm",
            "inductance_h",
            "r_polarisation_ohm",
            "peaks",
            "tau_window_s",
        ]
    );
    let numbers = |key: &str| -> Vec<f64> {
        let array = object[key].as_array().unwrap();
        array.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (tau, gamma) = (numbers("tau_s"), numbers("gamma_ohm"));
    assert_eq!((tau.len(), gamma.len()), (100, 100));
    let area: f64 = (1..100)
        .map(|k| 0.5 * (gamma[k] + gamma[k - 1]) * (tau[k] / tau[k - 1]).ln())
        .sum();
    assert!((area / 60.0 - 1.0).abs() < 0.01, "{area}");
    let peaks = object["peaks"].as_array().unwrap();
    assert_eq!(peaks.len(), 2);
    for (peak, truth) in peaks.iter().zip([20.0, 40.0]) {
        assert_eq!(peak["persistent"], true);
        let number = |key: &str| peak[key].as_f64().unwrap();
        assert!((number("resistance_ohm") / truth - 1.0).abs() < 0.05, "{peak}");
        let product = number("resistance_ohm") * number("capacitance_f") / number("tau_s");
        assert!((product - 1.0).abs() < 1e-9);
        let turns = number("tau_s") * number("frequency_hz") * std::f64::consts::TAU;
        assert!((turns - 1.0).abs() < 1e-9);
    }
    let window = numbers("tau_window_s");
    assert!((window[0] * std::f64::consts::TAU * 1e6 - 1.0).abs() < 1e-6);
    assert!((window[1] * std::f64::consts::TAU * 1e-2 - 1.0).abs() < 1e-6);
}

#[test]
fn many_files_come_in_their_order_and_one_without_meaning_does_not_stop_the_others() {
    let files = ["coil.csv", "two.csv", "none.csv", "tail.csv"];
    let (status, text, messages) = run(&lab(), &[&["drt", "--json"], &files[..]].concat());
    assert_eq!(status, 1, "{messages}");
    let objects = objects(&text);
    let names: Vec<&str> = objects
        .iter()
        .map(|object| object["file"].as_str().unwrap())
        .collect();
    assert_eq!(names, files);
    assert!(objects[0]["error"].as_str().unwrap().contains("inductive"));
    assert!(objects[2]["error"].is_string() && objects[1]["peaks"].is_array());
    assert_eq!(objects[3]["tail"]["kind"], "warburg");
    assert!(
        messages.contains("coil.csv: ") && messages.contains("none.csv"),
        "{messages}"
    );
}

#[test]
fn people_read_peaks_what_stands_beside_them_and_candidates() {
    let (status, text, messages) = run(&lab(), &["drt", "tail.csv"]);
    assert_eq!(status, 0, "{messages}");
    for word in [
        "tail: Warburg 70",
        "R_inf 10",
        "masked",
        "candidate",
        "geometry is not known",
        "kHz",
    ] {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    let (_, text, _) = run(&lab(), &["drt", "tail.csv", "--cell", "llzo_pellet_blocking"]);
    assert!(
        text.contains("candidate") && !text.contains("geometry is not known"),
        "{text}"
    );
}

#[test]
fn a_weight_that_cannot_be_is_a_wrong_command_line() {
    let lab = lab();
    for wrong in ["0", "-1", "nan", "inf", "-inf", "much"] {
        let (status, text, messages) = run(&lab, &["drt", "two.csv", "--lambda", wrong]);
        assert_eq!((status, text.as_str()), (2, ""), "{wrong}: {messages}");
    }
    let (status, text, _) = run(&lab, &["drt", "two.csv", "--lambda", "1e-2", "--json"]);
    assert_eq!(status, 0);
    let object = &objects(&text)[0];
    assert_eq!(
        (object["lambda"].as_f64(), &object["lambda_source"]),
        (Some(0.01), &"given".into())
    );
}

#[test]
fn a_distribution_is_drawn_with_its_peaks() {
    let lab = lab();
    let output = lab.run(&["plot", "two.csv", "--kind", "drt", "--out", "-"]);
    let svg = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for word in [
        "class=\"fitted\"",
        "class=\"foretold\"",
        "class=\"guide\"",
        "gamma per ln tau",
        "persistent peak",
    ] {
        assert!(svg.contains(word), "`{word}` is missing");
    }
    let (status, _, messages) = run(&lab, &["plot", "coil.csv", "--kind", "drt", "--out", "x.svg"]);
    assert_eq!(status, 1);
    assert!(
        messages.contains("inductive") && !lab.path("x.svg").exists(),
        "{messages}"
    );
}

/// Sweeps of one cell in one file: the slower arc grows, and from the sixth on there is a third one.
fn series(sweeps: std::ops::Range<u32>) -> String {
    let mut text = String::from("spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n");
    for sweep in sweeps {
        let grown = 1.0 + 0.05 * f64::from(sweep);
        let third = if sweep > 5 { 15.0 } else { 0.0 };
        let one = self::text(|s| {
            5.0 + 20.0 / (1.0 + (s * 1e-5).powf(0.95))
                + third / (1.0 + (s * 8e-4).powf(0.95))
                + 40.0 * grown / (1.0 + (s * 5e-2 * grown).powf(0.95))
        });
        for line in one.lines().skip(1) {
            text.push_str(&format!("{sweep},{line}\n"));
        }
    }
    text
}

#[test]
fn peaks_keep_their_numbers_over_the_spectra_of_a_file_and_new_ones_are_told() {
    let lab = lab();
    std::fs::write(lab.path("series.csv"), series(1..11)).unwrap();
    let (status, text, messages) = run(&lab, &["drt", "series.csv", "--json"]);
    assert_eq!(status, 0, "{messages}");
    let objects = objects(&text);
    assert_eq!(objects.len(), 10);
    for (index, object) in objects.iter().enumerate() {
        let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys[..2], ["file", "lambda"]);
        let ids: Vec<u64> = object["peaks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|peak| peak["id"].as_u64().unwrap())
            .collect();
        let wanted: &[u64] = if index < 5 { &[1, 2] } else { &[1, 3, 2] };
        assert_eq!(ids, wanted, "{index}");
        let born: &[u64] = match index {
            0 => &[1, 2],
            5 => &[3],
            _ => &[],
        };
        assert_eq!(object["peaks_born"], serde_json::json!(born), "{index}");
    }
    let (_, text, _) = run(&lab, &["drt", "series.csv"]);
    for word in ["new: peak 3", "peaks over 10 spectra"] {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[test]
fn files_of_one_series_are_one_course_and_otherwise_each_begins_anew() {
    let lab = lab();
    for (name, sweeps) in [("a.csv", 1..4), ("b.csv", 6..9)] {
        std::fs::write(lab.path(name), series(sweeps)).unwrap();
    }
    let last = |arguments: &[&str]| {
        let (status, text, messages) = run(&lab, &[&["drt", "a.csv", "b.csv", "--csv"], arguments].concat());
        assert_eq!(status, 0, "{messages}");
        assert!(text.starts_with("file,spectrum,peak,tau_s,"), "{text}");
        let rows: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        assert_eq!(rows.len(), 3 * 2 + 3 * 3, "{text}");
        let ids = rows[rows.len() - 3..]
            .iter()
            .map(|row| row.split(',').nth(2).unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(last(&["--series"]), ["1", "3", "2"]);
    assert_eq!(last(&[]), ["1", "2", "3"]);
}
