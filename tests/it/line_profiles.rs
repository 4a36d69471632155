//! Instruments of line profiles, from both ends: whole sessions against the simulator of the same profile.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

/// 100 ohm in series with 1 kohm beside 1 µF, without noise.
const CELL: &str = r#"
name = "exact"
chemistry = "resistors and a capacitor"
configuration = "dummy"
[circuit]
model = "R0-p(R1,C1)"
track = ["R1"]
[circuit.start]
R0 = 100.0
R1 = 1000.0
C1 = 1e-6
[simulation]
open_circuit_v = 3.7
noise = { relative = 0.0, absolute_ohm = 0.0 }
"#;

/// Z of that cell, by hand.
fn true_z(f: f64) -> (f64, f64) {
    let x = 2.0 * std::f64::consts::PI * f * 1e-3;
    (100.0 + 1000.0 / (1.0 + x * x), -1000.0 * x / (1.0 + x * x))
}

/// A simulator of an instrument.
struct Instrument {
    child: Child,
    port: String,
}

impl Instrument {
    fn serve(lab: &Lab, profile: &str, time_scale: u32) -> Self {
        std::fs::write(lab.path("exact.toml"), CELL).unwrap();
        let scale = time_scale.to_string();
        let mut child = lab
            .command(&["simulate", "--instrument", profile, "--cell", "exact.toml"])
            .args(["--time-scale", &scale])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        assert!(port.starts_with("/dev/"), "{port}");
        let port = port.trim().to_owned();
        Self { child, port }
    }
}

impl Drop for Instrument {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn plan(lab: &Lab, f_max_hz: f64, f_min_hz: f64, points_per_decade: u32, more: &str) {
    let text = format!(
        "name = \"short\"\nrepeat = 2\n{more}\n[[step]]\ntechnique = \"peis\"\nf_max_hz = {f_max_hz:?}\n\
         f_min_hz = {f_min_hz:?}\npoints_per_decade = {points_per_decade}\namplitude_vrms = 0.01\n"
    );
    std::fs::write(lab.path("short.toml"), text).unwrap();
}

fn arguments<'a>(profile: &'a str, port: &'a str) -> Vec<&'a str> {
    let mut arguments = vec![
        "run",
        "--headless",
        "--json",
        "--cell",
        "exact.toml",
        "--plan",
        "short.toml",
    ];
    arguments.extend(["--out", "a.interphase", "--instrument", profile, "--port", port]);
    arguments
}

fn measure(lab: &Lab, profile: &str, port: &str) -> Vec<Value> {
    let events = lines_of(&lab.succeed(&arguments(profile, port)));
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    for ended in of_kind(&events, "sweep_ended") {
        assert_eq!(ended["complete"], true, "{ended}");
    }
    assert_eq!(
        of_kind(&events, "alarm").len(),
        0,
        "{:?}",
        of_kind(&events, "alarm")
    );
    let again = lab.succeed(&["replay", "a.interphase", "--redecode"]);
    let points = of_kind(&events, "point").len();
    assert!(
        again.contains(&format!("{points} points decoded again, 0 differ")),
        "{again}"
    );
    events
}

fn number(event: &Value, key: &str) -> f64 {
    event[key].as_f64().unwrap_or_else(|| panic!("{key} of {event}"))
}

/// Whether every point is what the cell has at its frequency, to the digits that the instrument sends.
fn points_are_exact(
    events: &[Value],
    expected: usize,
    f: impl Fn(usize, f64) -> f64,
    step_ohm: impl Fn(f64) -> f64,
) {
    let points = of_kind(events, "point");
    assert_eq!(points.len(), 2 * expected);
    for point in points {
        let index = usize::try_from(point["index"].as_u64().unwrap()).unwrap();
        let frequency = f(index, number(point, "frequency_hz"));
        let (real, imaginary) = true_z(frequency);
        let (is_real, is_imaginary) = (number(point, "z_real_ohm"), number(point, "z_imag_ohm"));
        for (is, wanted) in [(is_real, real), (is_imaginary, imaginary)] {
            assert!(
                (is - wanted).abs() <= 1.001 * step_ohm(wanted),
                "{is} for {wanted}: {point}"
            );
        }
        assert_eq!(point["status"], "ok");
    }
}

/// Half of the last of so many significant digits.
fn half_digit(digits: i32) -> impl Fn(f64) -> f64 {
    move |value: f64| 0.5 * 10_f64.powi(value.abs().log10().floor() as i32 + 1 - digits)
}

#[test]
fn bt4560_measures_to_the_digits_sent() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "bt4560", 1000);
    plan(&lab, 1000.0, 1.0, 3, "");
    let events = measure(&lab, "bt4560", &instrument.port);
    points_are_exact(&events, 10, |_, f| f, half_digit(8));
    assert_eq!(of_kind(&events, "identity")[0]["instrument"], "BT4560");
    // Its excitation is its own, and the potential comes with each point.
    let point = &of_kind(&events, "point")[0];
    assert!(point["amplitude_vrms"].is_null());
    assert!((number(point, "potential_v") - 3.7).abs() < 1e-4);
    assert!((number(of_kind(&events, "sweep_started")[0], "bias_v") - 3.7).abs() < 1e-4);
    // The recording has the characters of the line as numbers, no more and no less.
    let heard: String = of_kind(&events, "wire")
        .iter()
        .filter(|wire| wire["direction"] == "rx")
        .map(|wire| wire["bytes"].as_str().unwrap())
        .collect();
    for point in of_kind(&events, "point") {
        let row = format!("{:+.7E}", number(point, "z_real_ohm"));
        let (mantissa, power) = row.split_once('E').unwrap();
        let power: i32 = power.parse().unwrap();
        let row = format!(
            "{mantissa}E{}{:02},",
            if power < 0 { '-' } else { '+' },
            power.abs()
        );
        assert!(heard.contains(&row), "{row}");
    }
}

#[test]
fn im3590_measures_to_the_digits_sent() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "im3590", 1000);
    plan(&lab, 1e4, 10.0, 3, "");
    let events = measure(&lab, "im3590", &instrument.port);
    points_are_exact(&events, 10, |_, f| f, half_digit(7));
    assert_eq!(of_kind(&events, "point")[0]["amplitude_vrms"], 0.01);
}

#[test]
fn sciospec_lcr1_measures_to_the_digits_sent_though_its_rows_stream() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "sciospec_lcr1", 1000);
    plan(&lab, 1e5, 10.0, 2, "");
    let events = measure(&lab, "sciospec_lcr1", &instrument.port);
    points_are_exact(&events, 9, |_, f| f, half_digit(7));
}

#[test]
fn helpstat_is_listened_to() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "helpstat", 100);
    plan(&lab, 200e3, 10.0, 6, "");
    let events = measure(&lab, "helpstat", &instrument.port);
    let grid = |index: usize, is: f64| {
        let f = 200e3 * (10.0 / 200e3_f64).powf(index as f64 / 26.0);
        assert!((f - is).abs() <= 0.005_001, "{f} {is}");
        f
    };
    points_are_exact(&events, 27, grid, |_| 0.5e-4);
    assert!(
        of_kind(&events, "wire")
            .iter()
            .all(|wire| wire["direction"] == "rx"),
        "nothing is sent"
    );
    assert!(
        of_kind(&events, "sweep_started")[0]["bias_v"].is_null(),
        "its bias is not known"
    );
}

#[test]
fn the_example_of_the_ad5940_is_listened_to() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "ad5940", 20);
    plan(&lab, 100e3, 1000.0, 10, "");
    let events = measure(&lab, "ad5940", &instrument.port);
    let grid = |index: usize, _| 1000.0 * 100_f64.powf(index as f64 / 20.0);
    // |Z| and phase with six digits after the point.
    points_are_exact(&events, 21, grid, |_| 1e-5);
}

#[test]
fn the_battery_example_of_the_ad5940_is_listened_to() {
    let lab = Lab::new();
    let instrument = Instrument::serve(&lab, "ad5940_battery", 100);
    plan(&lab, 1000.0, 1.0, 10, "");
    let events = measure(&lab, "ad5940_battery", &instrument.port);
    let grid = |index: usize, _| 1000_f64.powf(index as f64 / 30.0);
    points_are_exact(&events, 31, grid, |_| 0.5e-9);
}

#[test]
fn a_profile_of_the_users_own_is_as_good_as_a_shipped_one_and_a_wrong_one_is_refused() {
    let lab = Lab::new();
    let shipped = lab.succeed(&["profiles", "show", "bt4560"]);
    std::fs::write(lab.path("mine.toml"), shipped.replace("\"bt4560\"", "\"mine\"")).unwrap();
    let checked = lab.succeed(&["profiles", "check", "mine.toml"]);
    assert!(checked.contains("a valid instrument profile"), "{checked}");
    let instrument = Instrument::serve(&lab, "mine.toml", 1000);
    plan(&lab, 1000.0, 100.0, 2, "");
    let events = measure(&lab, "mine.toml", &instrument.port);
    assert_eq!(of_kind(&events, "session")[0]["instrument"], "mine");
    let wrong = shipped.replace("{frequency_hz:.4g}", "{frequency:.4g}");
    std::fs::write(lab.path("wrong.toml"), &wrong).unwrap();
    let output = lab.run(&["profiles", "check", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = wrong
        .lines()
        .position(|line| line.contains("{frequency:.4g}"))
        .unwrap()
        + 1;
    assert!(
        message.contains(&format!("wrong.toml:{line}: line.sweep.set[0]: ")),
        "{message}"
    );
    assert!(message.contains("did you mean `frequency_hz`"), "{message}");
}

#[test]
fn a_plan_that_the_instrument_cannot_do_is_refused_before_anything_is_sent() {
    let lab = Lab::new();
    std::fs::write(lab.path("exact.toml"), CELL).unwrap();
    for (profile, f_max, f_min, per_decade, more, says) in [
        ("bt4560", 1e4, 1.0, 3, "", "at most 1000 Hz"),
        (
            "bt4560",
            1e3,
            1.0,
            3,
            "limits = { current_max_a = 0.1 }",
            "chooses its excitation",
        ),
        ("ad5940", 1e5, 1.0, 3, "", "chooses its frequencies"),
        (
            "helpstat",
            200e3,
            10.0,
            6,
            "limits = { potential_max_v = 4.2 }",
            "cannot read the potential",
        ),
        ("rodeostat", 1e3, 1.0, 3, "", "measures none"),
    ] {
        plan(&lab, f_max, f_min, per_decade, more);
        // There is no such port: the refusal comes before it is looked at.
        let output = lab.run(&arguments(profile, "/dev/no-such-port"));
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(says), "{profile}: {message}");
    }
}
