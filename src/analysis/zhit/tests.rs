use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

type Cell = fn(Complex64) -> Complex64;

fn zarc(s: Complex64, resistance: f64, tau: f64, exponent: f64) -> Complex64 {
    resistance / (1.0 + (s * tau).powf(exponent))
}

/// Closed forms, with the largest error of the method in percent, as measured at 10 points a decade without noise.
const CELLS: &[(&str, Cell, f64)] = &[
    ("R-p(R,C)", |s| 10.0 + 100.0 / (1.0 + s * 1e-2), 3.7),
    ("p(R,C)", |s| 100.0 / (1.0 + s * 1e-2), 3.0),
    ("Zarc 0.85", |s| 10.0 + zarc(s, 100.0, 1e-2, 0.85), 1.9),
    ("Zarc 0.7", |s| 10.0 + zarc(s, 100.0, 1e-2, 0.7), 0.9),
    (
        "two Zarcs",
        |s| 5.0 + zarc(s, 20.0, 2e-5, 0.9) + zarc(s, 40.0, 2e-2, 0.85),
        2.6,
    ),
    ("R-W", |s| 10.0 + 10.0 / s.sqrt(), 0.2),
    (
        "reference",
        |s| 10.0 + 1.0 / (1.0 / 50.0 + 1e-6 * s.powf(0.9)) + 100.0 / s.sqrt(),
        2.9,
    ),
    (
        "blocking C",
        |s| 10.0 + zarc(s, 50.0, 1e-3, 0.9) + 1.0 / (s * 1e-4),
        3.2,
    ),
    ("with L", |s| 10.0 + zarc(s, 50.0, 1e-3, 0.9) + s * 1e-5, 2.8),
];

fn spectrum(cell: impl Fn(Complex64, f64) -> Complex64, noise: f64, seed: u64) -> Spectrum {
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let total: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let mut time = 0.0;
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|f| {
            time += 1.0 / f;
            let z = cell(Complex64::new(0.0, TAU * f), time / total);
            z + noise * z.norm() * Complex64::new(draw(), draw())
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

#[test]
fn closed_forms_come_back_within_what_the_method_can() {
    for (name, cell, accuracy) in CELLS {
        let found = zhit(&spectrum(|s, _| cell(s), 0.0, 0), None).unwrap();
        let largest = found.largest().unwrap().deviation_percent.abs();
        println!("{name}: {largest:.2} %");
        assert!(largest < *accuracy, "{name}: {largest}");
        assert!(found.disagreements().is_empty(), "{name}: {:?}", found.remarks());
        for point in &found.points {
            let ratio = point.modulus_ohm / point.reconstructed_ohm;
            assert!((100.0 * (ratio - 1.0) - point.deviation_percent).abs() < 1e-9);
        }
    }
}

#[test]
fn noise_is_not_called_disagreement() {
    let (mut stretches, mut count) = (0, 0);
    for (name, cell, _) in CELLS {
        for seed in 0..12 {
            for noise in [0.001, 0.005, 0.02] {
                let spectrum = spectrum(|s, _| cell(s), noise, seed);
                let found = zhit(&spectrum, Noise::of(&spectrum).as_ref()).unwrap();
                let told = found.disagreements().len();
                if told > 0 {
                    println!("{name} {noise} {seed}: {:?}", found.remarks());
                }
                stretches += usize::from(told > 0);
                count += 1;
            }
        }
    }
    println!("{stretches} of {count}");
    assert!(100 * stretches <= 2 * count, "{stretches} of {count}");
}

#[test]
fn drift_shows_at_the_low_end_with_its_sign_and_size() {
    for growth in [0.05, 0.2, 0.5, -0.2] {
        let spectrum = spectrum(
            |s, time| 10.0 + zarc(s, 100.0 * (1.0 + growth * time), 1e-2, 0.85) + 0.5 / s.sqrt(),
            1e-3,
            7,
        );
        let found = zhit(&spectrum, Noise::of(&spectrum).as_ref()).unwrap();
        let told = found.disagreements();
        let low = told.iter().find(|stretch| stretch.at_low_end);
        let low = low.unwrap_or_else(|| panic!("{growth}: {told:?}"));
        // The arc is 100 of 112 ohm there, and grows until the last point.
        let expected = 100.0 * growth * 100.0 / 112.0;
        assert!(
            (low.largest_percent / expected - 1.0).abs() < 0.25,
            "{growth}: {low:?} {expected}"
        );
        assert!(low.from_hz < 1.0, "{low:?}");
        let words = found.remarks().join(" ");
        assert!(words.contains("as from drift"), "{words}");
        assert!(
            words.contains(if growth > 0.0 { "above" } else { "below" }),
            "{words}"
        );
    }
}

#[test]
fn phases_beyond_half_a_turn_are_followed() {
    // A negative resistance turns the phase past 180 degrees; the modulus is still told by it within the arc.
    let points: Vec<Point> = [-3.0_f64, -3.1, 3.1, 3.0]
        .iter()
        .enumerate()
        .map(|(i, phase)| Point::new(10f64.powi(i as i32), phase.cos(), phase.sin()))
        .collect();
    let phases = unwrapped(&points.iter().collect::<Vec<_>>());
    assert!(
        phases.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.2),
        "{phases:?}"
    );
}

#[test]
fn wild_points_do_not_bend_the_rest() {
    let mut spectrum = spectrum(|s, _| (CELLS[2].1)(s), 1e-3, 1);
    for index in [20, 45] {
        let point = &mut spectrum.points[index];
        (point.z_real_ohm, point.z_imag_ohm) = (0.8 * point.z_real_ohm, 1.4 * point.z_imag_ohm);
    }
    let found = zhit(&spectrum, Noise::of(&spectrum).as_ref()).unwrap();
    assert!(found.disagreements().is_empty(), "{:?}", found.remarks());
}

#[test]
fn too_short_a_range_is_said() {
    let mut short = spectrum(|s, _| (CELLS[0].1)(s), 0.0, 0);
    short.points.truncate(15);
    let error = zhit(&short, None).unwrap_err();
    assert!(
        error.to_string().contains("15 usable points over 1.4 decades"),
        "{error}"
    );
    assert!(zhit(&Spectrum::default(), None).is_err());
    let same = Spectrum::from_impedance(&[10.0; 20], &[Complex64::new(1.0, -1.0); 20]);
    assert!(zhit(&same, None).is_err());
}

#[test]
fn a_range_that_lies_elsewhere_takes_its_offset_from_its_upper_part() {
    let mut fast = spectrum(|s, _| (CELLS[2].1)(s), 0.0, 0);
    for point in &mut fast.points {
        point.frequency_hz *= 1e6;
    }
    let found = zhit(&fast, None).unwrap();
    assert!(found.window_hz[0] > 1e6, "{:?}", found.window_hz);
}
