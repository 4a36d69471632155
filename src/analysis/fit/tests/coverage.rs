//! Whether errors and intervals are true: over many noise realisations of the same cell.

use super::*;

const RUNS: u64 = 1000;

/// How many of the realisations have the truth within their 95 % intervals, and how many say by the runs test
/// that the circuit does not explain them.
fn coverage(text: &str, truth: &[f64], options: &FitOptions) -> (Vec<u64>, u64) {
    let circuit = circuit(text);
    let frequencies = frequencies(1e6, 1e-3, 100);
    let mut inside = vec![0; truth.len()];
    let mut limits = 0;
    for seed in 0..RUNS {
        let mut spectrum = noisy(&circuit, truth, &frequencies, 5e-3, 0.0, 40_000 + seed);
        if options.weight == Weight::Sigma {
            for point in &mut spectrum.points {
                point.std_error_ohm = Some(5e-3 * circuit.impedance(truth, point.frequency_hz).norm());
            }
        }
        let options = FitOptions {
            start: Some(truth.to_vec()),
            cold: ColdStarts::Never,
            ..options.clone()
        };
        let result = fit(&spectrum, &circuit, &options).unwrap();
        limits += u64::from(result.errors_are_lower_limits());
        for ((inside, parameter), truth) in inside.iter_mut().zip(&result.parameters).zip(truth) {
            let (lower, upper) = result.interval(&parameter.name, 0.95).unwrap();
            *inside += u64::from((lower..=upper).contains(truth));
        }
    }
    (inside, limits)
}

const REFERENCE: (&str, [f64; 5]) = (
    "R0-p(R1,CPE1)-W1",
    [10.0, 50.0, 1e-6, 0.9, 100.0 * std::f64::consts::FRAC_1_SQRT_2],
);
const HARD: (&str, [f64; 9]) = (
    "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1",
    [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 30.0],
);

fn assert_covers(text: &str, truth: &[f64], options: &FitOptions) {
    let (inside, limits) = coverage(text, truth, options);
    println!("{text}: {inside:?} of {RUNS} inside, {limits} called lower limits");
    assert!(
        inside.iter().all(|&count| (920..=980).contains(&count)),
        "{text}: {inside:?}"
    );
    assert!(
        limits < RUNS / 100,
        "{text}: {limits} false alarms of the runs test"
    );
}

#[test]
fn intervals_of_the_reference_circuit_cover_the_truth() {
    assert_covers(REFERENCE.0, &REFERENCE.1, &FitOptions::default());
}

#[test]
fn intervals_of_the_hard_circuit_cover_the_truth() {
    assert_covers(HARD.0, &HARD.1, &FitOptions::default());
}

#[test]
fn intervals_from_known_errors_cover_the_truth() {
    let options = FitOptions {
        weight: Weight::Sigma,
        ..FitOptions::default()
    };
    assert_covers(REFERENCE.0, &REFERENCE.1, &options);
}

#[test]
fn robust_intervals_cover_the_truth() {
    let options = FitOptions {
        robust: true,
        ..FitOptions::default()
    };
    assert_covers(REFERENCE.0, &REFERENCE.1, &options);
}
