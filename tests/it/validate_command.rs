//! `interphase validate`, and what drift-corrected spectra are made of: what scripts rely on.

use std::fmt::Write as _;
use std::path::Path;

use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

use super::lab::Lab;

const HEADER: &str = "spectrum,frequency_hz,z_real_ohm,z_imag_ohm,sigma,t_s\n";

/// Sweeps one after the other of R + ZARC + W with `noise` (a fraction of |Z|), whose arc grows by `growth` a sweep,
/// linear in time.
fn sweeps(count: usize, growth: f64, noise: f64, seed: u64) -> String {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let length: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
    let (mut text, mut clock) = (HEADER.to_owned(), 0.0);
    for sweep in 1..=count {
        for f in &frequencies {
            let s = Complex64::new(0.0, std::f64::consts::TAU * f);
            let arc = 100.0 * (1.0 + growth * clock / length) / (1.0 + (s * 1e-2).powf(0.85));
            let exact = 10.0 + arc + 0.5 / s.sqrt();
            let sigma = noise * exact.norm();
            let z = exact + sigma * Complex64::new(draw(), draw());
            writeln!(text, "{sweep},{f},{},{},{sigma},{clock}", z.re, z.im).unwrap();
            clock += 1.0 / f;
        }
    }
    text
}

fn lab(files: &[(&str, String)]) -> Lab {
    let lab = Lab::new();
    for (name, text) in files {
        std::fs::write(lab.path(name), text).unwrap();
    }
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

fn verdicts(objects: &[Value]) -> Vec<&str> {
    objects
        .iter()
        .map(|object| object["verdict"].as_str().unwrap_or("none"))
        .collect()
}

#[test]
fn validate_as_json_has_the_promised_keys_first_and_the_limits_it_judged_by() {
    let lab = lab(&[("a.csv", sweeps(1, 0.0, 1e-3, 1))]);
    let (status, text, _) = run(&lab, &["validate", "a.csv", "--json", "--scan"]);
    assert_eq!(status, 0);
    let object = &objects(&text)[0];
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let promised = [
        "file",
        "n_points",
        "method",
        "form",
        "m",
        "mu",
        "series_capacitance",
        "inductance",
        "noise_percent",
        "noise_source",
        "max_residual_percent",
        "rms_residual_percent",
        "residuals",
        "verdict",
        "reasons",
    ];
    // A file whose table has a column of names has named spectra.
    let keys: Vec<&str> = keys.into_iter().filter(|key| *key != "spectrum").collect();
    assert_eq!(keys[..promised.len()], promised);
    assert_eq!(object["verdict"], "pass");
    assert_eq!(
        (object["method"].as_str(), object["noise_source"].as_str()),
        (Some("lin-kk"), Some("local"))
    );
    assert!((object["noise_percent"].as_f64().unwrap() - 0.1).abs() < 0.03);
    let residuals = object["residuals"].as_array().unwrap();
    assert_eq!(residuals.len(), 71);
    let largest = residuals
        .iter()
        .flat_map(|residual| [&residual["real_percent"], &residual["imag_percent"]])
        .map(|value| value.as_f64().unwrap().abs())
        .fold(0.0, f64::max);
    assert_eq!(object["max_residual_percent"].as_f64().unwrap(), largest);
    assert_eq!(object["limits"]["suspect_percent"], 1.0);
    assert_eq!(object["limits"]["fail_percent"], 2.0);
    let reasons = object["reasons"].to_string();
    assert!(
        reasons.contains("does not exclude a non-linear answer"),
        "{reasons}"
    );
    assert_eq!(object["zhit"]["points"].as_array().unwrap().len(), 71);
    assert!(object["scan"].as_array().unwrap().len() > 20);
}

#[test]
fn a_drift_during_the_sweep_fails_with_a_reason_in_words_and_is_no_error() {
    let lab = lab(&[("a.csv", sweeps(1, 0.5, 1e-3, 2))]);
    let (status, text, messages) = run(&lab, &["validate", "a.csv"]);
    assert_eq!(status, 0, "{messages}");
    for words in [
        "FAIL",
        "residuals ",
        "below ",
        "drift",
        "Z-HIT: below",
        "Limits: ",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let object = &objects(&run(&lab, &["validate", "a.csv", "--json"]).1)[0];
    let stretch = &object["zhit"]["disagreements"][0];
    assert_eq!(stretch["at_low_end"], true);
    // 50 ohm more on 112 ohm at the end of the sweep; the method finds it within a quarter.
    assert!(
        (stretch["largest_percent"].as_f64().unwrap() / 44.6 - 1.0).abs() < 0.25,
        "{stretch}"
    );
}

#[test]
fn none_of_the_spectra_of_a_batterys_life_fails_and_most_pass() {
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/battery_130.interphase");
    let lab = Lab::new();
    let (status, text, messages) = run(&lab, &["validate", recording.to_str().unwrap(), "--json"]);
    assert_eq!(status, 0, "{messages}");
    let objects = objects(&text);
    let verdicts = verdicts(&objects);
    let count = |word| verdicts.iter().filter(|verdict| **verdict == word).count();
    assert_eq!(verdicts.len(), 130);
    assert_eq!(objects[129]["spectrum"], "sweep 130");
    assert_eq!(count("fail"), 0, "{verdicts:?}");
    assert!(count("pass") >= 100, "{} pass", count("pass"));
    let (_, text, _) = run(&lab, &["validate", recording.to_str().unwrap()]);
    assert!(
        text.lines().count() < 300,
        "one line each, reasons where they do not pass"
    );
    assert!(text.contains("130 judged: "), "{text}");
}

#[test]
fn many_files_come_out_in_order_and_one_that_cannot_be_judged_is_told_and_the_rest_done() {
    let short: String = sweeps(1, 0.0, 1e-3, 3)
        .lines()
        .take(12)
        .fold(String::new(), |text, line| text + line + "\n");
    let lab = lab(&[
        ("a.csv", sweeps(1, 0.0, 1e-3, 3)),
        ("short.csv", short),
        ("b.csv", sweeps(2, 0.0, 1e-3, 4)),
    ]);
    let (status, text, messages) = run(
        &lab,
        &["validate", "a.csv", "short.csv", "none.csv", "b.csv", "--json"],
    );
    assert_eq!(status, 1);
    assert!(
        messages.contains("short.csv") && messages.contains("too short to judge"),
        "{messages}"
    );
    assert!(messages.contains("none.csv"), "{messages}");
    let objects = objects(&text);
    let files: Vec<&str> = objects
        .iter()
        .map(|object| object["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, ["a.csv", "short.csv", "none.csv", "b.csv", "b.csv"]);
    assert_eq!(verdicts(&objects), ["pass", "none", "none", "pass", "pass"]);
    assert!(objects[1]["verdict"].is_null() && objects[1]["reasons"][0].is_string());
    assert_eq!(run(&lab, &["validate"]).0, 2);
}

#[test]
fn points_that_are_left_out_do_not_count_and_are_told() {
    let mut text = String::new();
    for (index, line) in sweeps(1, 0.0, 1e-3, 5).lines().enumerate() {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        if index == 31 {
            fields[2] = (1.3 * fields[2].parse::<f64>().unwrap()).to_string();
        }
        text.push_str(&(fields.join(",") + "\n"));
    }
    let lab = lab(&[("a.csv", text)]);
    let with = &objects(&run(&lab, &["validate", "a.csv", "--json"]).1)[0];
    assert_ne!(with["verdict"], "pass");
    let without = &objects(
        &run(
            &lab,
            &["validate", "a.csv", "--json", "--drop", "30", "--fmin", "0.02"],
        )
        .1,
    )[0];
    assert_eq!(without["verdict"], "pass", "{}", without["reasons"]);
    assert_eq!(
        (&without["n_points"], &without["n_used"]),
        (&71.into(), &66.into())
    );
    assert_eq!(without["excluded"][0]["reason"], "dropped");
}

#[test]
fn a_column_of_standard_errors_is_the_noise_and_one_of_another_size_is_doubted() {
    let lab = lab(&[("a.csv", sweeps(1, 0.0, 2e-3, 6))]);
    let object = &objects(&run(&lab, &["validate", "a.csv", "--sigma", "sigma", "--json"]).1)[0];
    assert_eq!(object["noise_source"], "sigma");
    assert!((object["noise_percent"].as_f64().unwrap() - 0.2).abs() < 0.01);
    assert!(
        !object["remarks"].to_string().contains("column"),
        "{}",
        object["remarks"]
    );
    let wrong = &objects(&run(&lab, &["validate", "a.csv", "--sigma", "t_s", "--json"]).1)[0];
    if wrong["noise_source"] == "sigma" {
        assert!(
            wrong["remarks"].to_string().contains("right column"),
            "{}",
            wrong["remarks"]
        );
    }
    let (status, _, messages) = run(&lab, &["validate", "a.csv", "--sigma", "none"]);
    assert!(status == 1 && messages.contains("sigma"), "{messages}");
}

#[test]
fn repeats_give_the_noise_where_they_are_repeats_and_not_where_the_cell_changed() {
    let jumping: String = (0..5)
        .map(|sweep: i32| {
            // To and fro: no change that is linear from sweep to sweep.
            let text = sweeps(1, 0.0, 1e-3, 20 + sweep as u64);
            let factor = if sweep % 2 == 0 { 1.0 } else { 1.05 };
            let rows = text.lines().skip(1).map(|line| {
                let f: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
                format!(
                    "{sweep},{},{},{},{},{}\n",
                    f[1],
                    factor * f[2],
                    factor * f[3],
                    f[4],
                    f[5]
                )
            });
            rows.collect::<String>()
        })
        .collect();
    let lab = lab(&[
        ("same.csv", sweeps(5, 0.0, 1e-3, 7)),
        ("jumping.csv", HEADER.to_owned() + &jumping),
        ("two.csv", sweeps(2, 0.0, 1e-3, 8)),
    ]);
    let of = |file| {
        let (_, text, messages) = run(&lab, &["validate", file, "--repeats", "--json"]);
        (objects(&text), messages)
    };
    let (same, _) = of("same.csv");
    assert_eq!(same[2]["noise_source"], "repeats");
    assert!((same[2]["noise_percent"].as_f64().unwrap() - 0.1).abs() < 0.015);
    let (jumped, messages) = of("jumping.csv");
    assert_eq!(jumped[2]["noise_source"], "local");
    assert!(
        messages.contains("the cell changed from one to the next"),
        "{messages}"
    );
    assert!(
        jumped[1]["change_since_previous"]["largest_percent"]
            .as_f64()
            .unwrap()
            > 4.0
    );
    let (two, messages) = of("two.csv");
    assert_eq!(two[0]["noise_source"], "local");
    assert!(messages.contains("three spectra in a row"), "{messages}");
}

#[test]
fn drift_corrected_spectra_pass_where_the_sweeps_do_not_and_are_called_so_everywhere() {
    let lab = lab(&[("a.csv", sweeps(5, 0.2, 1e-3, 9))]);
    let sweeps = objects(&run(&lab, &["validate", "a.csv", "--json"]).1);
    assert_eq!(sweeps.len(), 5);
    assert!(
        verdicts(&sweeps).iter().all(|verdict| *verdict != "pass"),
        "{:?}",
        verdicts(&sweeps)
    );
    let correction = &sweeps[2]["change_since_previous"]["instant_correction_percent"];
    assert!(
        (5.0..20.0).contains(&correction.as_f64().unwrap()),
        "{correction}"
    );
    let (status, text, messages) = run(&lab, &["validate", "a.csv", "--instant", "--json"]);
    assert_eq!(status, 0, "{messages}");
    let instants = objects(&text);
    assert_eq!(verdicts(&instants), ["pass"; 3]);
    let name = instants[0]["spectrum"].as_str().unwrap();
    assert!(
        name.starts_with("instant of") && name.ends_with("drift-corrected"),
        "{name}"
    );
    // The arc of the third sweep at the time when it began is 140 ohm.
    let circuit = ["--circuit", "R0-Zarc1-W1", "--instant", "--json"];
    let fits = objects(&run(&lab, &[&["fit", "a.csv"], &circuit[..]].concat()).1);
    assert_eq!(fits.len(), 3);
    assert!(fits[1]["spectrum"].as_str().unwrap().ends_with("drift-corrected"));
    let arc = &fits[1]["parameters"][1];
    assert_eq!(arc["name"], "Zarc1.R");
    assert!((arc["value"].as_f64().unwrap() - 140.0).abs() < 0.7, "{arc}");
    lab.succeed(&["convert", "a.csv", "--instant", "--out", "b.csv"]);
    let converted = objects(&run(&lab, &["validate", "b.csv", "--json"]).1);
    assert_eq!(verdicts(&converted), ["pass"; 3]);
}

#[test]
fn what_has_no_instant_is_refused_with_a_reason() {
    let two = sweeps(2, 0.1, 1e-3, 10);
    let without_times: String = sweeps(3, 0.1, 1e-3, 10)
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n")
        .collect();
    let lab = lab(&[("two.csv", two), ("times.csv", without_times)]);
    for (file, words) in [
        ("two.csv", "an instant needs three"),
        ("times.csv", "without a time"),
    ] {
        let (status, text, messages) = run(&lab, &["validate", file, "--instant", "--json"]);
        assert_eq!(status, 1);
        assert!(messages.contains(words), "{messages}");
        assert!(objects(&text)[0]["error"].as_str().unwrap().contains(words));
    }
}

#[test]
fn standard_errors_that_are_missing_are_told() {
    let mut lines: Vec<String> = sweeps(1, 0.0, 2e-3, 6).lines().map(str::to_owned).collect();
    let mut fields: Vec<String> = lines[20].split(',').map(str::to_owned).collect();
    fields[4] = "nan".to_owned();
    lines[20] = fields.join(",");
    let lab = lab(&[("a.csv", lines.join("\n") + "\n")]);
    let object = &objects(&run(&lab, &["validate", "a.csv", "--sigma", "sigma", "--json"]).1)[0];
    assert_eq!(object["noise_source"], "local");
    assert!(
        object["remarks"]
            .to_string()
            .contains("1 of 71 points have no standard error"),
        "{}",
        object["remarks"]
    );
}

#[test]
fn a_drift_that_is_known_from_the_sweep_before_counts_as_in_a_session() {
    let lab = lab(&[("a.csv", sweeps(3, 0.05, 1e-3, 12))]);
    let found = objects(&run(&lab, &["validate", "a.csv", "--json"]).1);
    for object in &found[1..] {
        assert_ne!(object["verdict"], "pass");
        let reasons = object["reasons"].to_string();
        assert!(
            reasons.contains("changes by +") && reasons.contains("during a sweep"),
            "{reasons}"
        );
    }
}
