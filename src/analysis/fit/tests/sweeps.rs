//! A solid-state cell swept again and again, seen as a session sees it: cold, warm, and point by point.

use super::*;

const CIRCUIT: &str = "L0-R0-p(R1,CPE1)-p(R2,CPE2)";
const TRUTH: [f64; 8] = [3e-7, 20.0, 46.0, 2.48148e-6, 0.85, 44.0, 4.691476e-5, 0.80];
const SEEDS: u64 = 40;

fn sweep(seed: u64) -> Spectrum {
    noisy(
        &circuit(CIRCUIT),
        &TRUTH,
        &frequencies(200e3, 0.1, 64),
        1e-3,
        1e-3,
        seed,
    )
}

fn assert_interface_follows(options: &FitOptions) {
    let circuit = circuit(CIRCUIT);
    let mut inside = 0;
    for seed in 0..SEEDS {
        let result = fit(&sweep(seed), &circuit, options).unwrap();
        let sum = result.sum("R1+R2").unwrap();
        let error = sum.std_error.unwrap();
        assert!(result.converged && sum.determined, "seed {seed}");
        assert!(
            error < 1.0,
            "seed {seed}: an interface of 90 ohm known to {error} ohm"
        );
        inside += usize::from((sum.value - 90.0).abs() <= 3.0 * error);
        // R1 is the faster arc, whatever the start.
        assert!(
            (result.parameter("R1").unwrap().value - 46.0).abs() < 10.0,
            "seed {seed}: {result:?}"
        );
        assert_eq!(result.parameter("CPE2.n").unwrap().arc_id, Some(2));
    }
    assert!(inside >= 39, "{inside} of {SEEDS} within three standard errors");
}

#[test]
fn the_interface_resistance_is_true_from_a_cold_start() {
    assert_interface_follows(&FitOptions::default());
}

#[test]
fn the_interface_resistance_is_true_from_the_last_sweep() {
    let mut last = TRUTH;
    for (value, drift) in last.iter_mut().zip([1.0, 1.02, 0.9, 1.1, 1.01, 1.08, 0.93, 0.99]) {
        *value *= drift;
    }
    assert_interface_follows(&FitOptions::warm(last.to_vec()));
}

#[test]
fn a_refit_from_the_last_sweep_needs_no_further_start() {
    let circuit = circuit(CIRCUIT);
    let first = fit(&sweep(0), &circuit, &FitOptions::default()).unwrap();
    let options = FitOptions {
        expected_reduced_chi_squared: first.reduced_chi_squared,
        ..FitOptions::warm(values(&first))
    };
    let second = fit(&sweep(1), &circuit, &options).unwrap();
    assert_eq!(second.starts, 1);
    assert!(second.evaluations < 20, "{}", second.evaluations);
}

#[test]
fn a_warm_start_in_the_wrong_place_is_not_believed() {
    let circuit = circuit(CIRCUIT);
    let lost = vec![1e-7, 300.0, 1e-3, 1e-9, 0.3, 1e-3, 1.0, 0.3];
    let expected = fit(&sweep(3), &circuit, &FitOptions::default()).unwrap();
    let options = FitOptions {
        expected_reduced_chi_squared: expected.reduced_chi_squared,
        ..FitOptions::warm(lost)
    };
    let found = fit(&sweep(3), &circuit, &options).unwrap();
    assert!((found.chi_squared / expected.chi_squared - 1.0).abs() < 1e-6);
}

#[test]
fn arcs_keep_the_names_of_the_start() {
    let circuit = circuit(CIRCUIT);
    let cold = fit(&sweep(5), &circuit, &FitOptions::default()).unwrap();
    let v = values(&cold);
    assert!(
        circuit.arcs()[0].ln_tau(&v) < circuit.arcs()[1].ln_tau(&v),
        "a cold fit orders arcs"
    );
    // The same cell, whose history calls the slower arc R1.
    let exchanged = vec![v[0], v[1], v[5], v[6], v[7], v[2], v[3], v[4]];
    for cold in [ColdStarts::Always, ColdStarts::Never] {
        let options = FitOptions {
            cold,
            ..FitOptions::warm(exchanged.clone())
        };
        let result = fit(&sweep(5), &circuit, &options).unwrap();
        for (found, expected) in values(&result).iter().zip(&exchanged) {
            assert!(
                (found / expected - 1.0).abs() < 1e-5,
                "{cold:?}: {found} {expected}"
            );
        }
        let error = result.parameter("R1").unwrap().std_error.unwrap();
        let named = fit(&sweep(5), &circuit, &FitOptions::default()).unwrap();
        let expected = named.parameter("R2").unwrap().std_error.unwrap();
        assert!(
            (error / expected - 1.0).abs() < 1e-4,
            "errors move with the names"
        );
    }
}

/// Every prefix of a sweep, each from the optimum of the one before and from the last sweep, as a session does.
#[test]
fn a_growing_sweep_never_claims_what_it_cannot_know() {
    let circuit = circuit(CIRCUIT);
    let last: Vec<f64> = TRUTH.iter().map(|v| v * 0.97).collect();
    let (mut claims, mut wrong, mut refused) = (0, 0, 0);
    for seed in 0..SEEDS {
        for warm in [true, false] {
            // Cold fits of every prefix are for a machine, not for a test: some prefixes of some sweeps.
            let lengths: Vec<usize> = if warm {
                (1..=64).collect()
            } else {
                (5..=64).step_by(7).collect()
            };
            if !warm && seed % 10 != 0 {
                continue;
            }
            let whole = sweep(seed);
            let mut partial: Option<Vec<f64>> = None;
            for k in lengths {
                let spectrum = Spectrum::from(whole.points[..k].to_vec());
                let options = FitOptions {
                    also_start: partial.iter().cloned().collect(),
                    expected_reduced_chi_squared: Some(3e-6),
                    start: warm.then(|| last.clone()),
                    ..FitOptions::default()
                };
                let result = match fit(&spectrum, &circuit, &options) {
                    Ok(result) => result,
                    Err(FitError::TooFewPoints { used, needed }) => {
                        assert!(used == k && needed == 5 && k < 5);
                        refused += 1;
                        continue;
                    }
                    Err(other) => panic!("{other}"),
                };
                for (parameter, truth) in result.parameters.iter().zip(TRUTH) {
                    assert!(
                        parameter.value.is_finite() && parameter.value > 0.0 && parameter.value < 1e12,
                        "{k} points: {} = {}",
                        parameter.name,
                        parameter.value
                    );
                    if parameter.determined {
                        claims += 1;
                        let error = parameter.std_error.unwrap();
                        wrong += usize::from((parameter.value - truth).abs() > 5.0 * error);
                    }
                }
                partial = warm.then(|| values(&result));
            }
        }
    }
    println!("{claims} claims, {wrong} wrong by more than 5 standard errors, {refused} refused");
    assert!(claims > 5000, "{claims}");
    assert!(wrong * 400 <= claims, "{wrong} of {claims}");
}

#[test]
fn half_a_sweep_knows_the_fast_arc_and_says_nothing_of_the_slow_one() {
    let circuit = circuit(CIRCUIT);
    let options = FitOptions::warm(TRUTH.to_vec());
    let start = fit(&Spectrum::from(sweep(1).points[..8].to_vec()), &circuit, &options).unwrap();
    assert!(!start.parameter("R2").unwrap().determined);
    assert!(!start.parameter("CPE2.Q").unwrap().determined);
    let whole = fit(&sweep(1), &circuit, &options).unwrap();
    assert!(
        whole
            .parameters
            .iter()
            .filter(|p| p.name != "L0")
            .all(|p| p.determined),
        "{whole:?}"
    );
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let circuit = circuit(CIRCUIT);
    let fits: Vec<_> = (0..2)
        .map(|_| fit(&sweep(9), &circuit, &FitOptions::default()).unwrap())
        .collect();
    assert_eq!(fits[0], fits[1]);
}
