//! Single starts far from the truth, and what the user says about a start.

use rand::Rng;

use super::*;

/// Starts within a factor of ten of the truth, exponents from 0.5 to 1.
fn far_starts(truth: &[f64], exponents: &[usize], count: usize) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(20_240_501);
    (0..count)
        .map(|_| {
            let mut start: Vec<f64> = truth
                .iter()
                .map(|value| value * 10f64.powf(generator.random_range(-1.0..1.0)))
                .collect();
            for &index in exponents {
                start[index] = generator.random_range(0.5..1.0);
            }
            start
        })
        .collect()
}

/// All 100 single starts, and the program's own guess, must reach the minimum next to the truth.
fn assert_all_starts_succeed(text: &str, truth: &[f64], exponents: &[usize]) {
    let circuit = circuit(text);
    let spectrum = noisy(&circuit, truth, &frequencies(1e6, 1e-3, 100), 5e-3, 0.0, 11);
    let single = |start: Vec<f64>| {
        let options = FitOptions {
            cold: ColdStarts::Never,
            ..FitOptions::warm(start)
        };
        fit(&spectrum, &circuit, &options).unwrap().chi_squared
    };
    let best = single(truth.to_vec());
    let own = fit(&spectrum, &circuit, &FitOptions::default())
        .unwrap()
        .chi_squared;
    assert!(
        own <= best * (1.0 + 1e-9),
        "own guess: {own}, from the truth {best}"
    );
    let mut ten_off: Vec<f64> = truth
        .iter()
        .enumerate()
        .map(|(i, v)| if i % 2 == 0 { v * 10.0 } else { v / 10.0 })
        .collect();
    for &index in exponents {
        ten_off[index] = 0.6;
    }
    for start in far_starts(truth, exponents, 100).into_iter().chain([ten_off]) {
        let found = single(start.clone());
        assert!(found <= best * 1.0001, "from {start:?}: {found}, not {best}");
    }
}

#[test]
fn each_of_100_far_starts_finds_the_reference_circuit() {
    let truth = [10.0, 50.0, 1e-6, 0.9, 100.0 * std::f64::consts::FRAC_1_SQRT_2];
    assert_all_starts_succeed("R0-p(R1,CPE1)-W1", &truth, &[3]);
}

#[test]
fn each_of_100_far_starts_finds_the_hard_circuit() {
    let truth = [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 30.0];
    assert_all_starts_succeed("R0-p(R1,CPE1)-p(R2,CPE2)-Wo1", &truth, &[3, 6]);
}

const ARCS: &str = "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1";
const ARCS_TRUTH: [f64; 9] = [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 30.0];

fn arcs_spectrum(seed: u64) -> Spectrum {
    noisy(
        &circuit(ARCS),
        &ARCS_TRUTH,
        &frequencies(1e6, 1e-3, 60),
        5e-3,
        0.0,
        seed,
    )
}

fn best_chi_squared(seed: u64) -> f64 {
    fit(&arcs_spectrum(seed), &circuit(ARCS), &FitOptions::default())
        .unwrap()
        .chi_squared
}

#[test]
fn what_is_held_stays_held_and_the_rest_is_found() {
    let names = ["R0", "CPE1.n", "CPE2.Q", "Wo1.tau", "R2", "Wo1.R"];
    for (seed, name) in names.into_iter().enumerate() {
        let circuit = circuit(ARCS);
        let truth = ARCS_TRUTH[circuit.parameter_index(name).unwrap()];
        let options = FitOptions {
            fixed: vec![(name.to_owned(), truth)],
            ..FitOptions::default()
        };
        let result = fit(&arcs_spectrum(seed as u64), &circuit, &options).unwrap();
        assert_eq!(result.parameter(name).unwrap().value, truth);
        // One parameter less costs about one unit of chi-squared over the noise, and rarely more than ten.
        let best = best_chi_squared(seed as u64);
        assert!(
            result.chi_squared < best * 1.1,
            "{name} held: {} not {best}",
            result.chi_squared
        );
    }
}

#[test]
fn a_wrong_hint_costs_time_and_nothing_else() {
    for (name, value) in [
        ("R0", 100.0),
        ("R1", 60.0),
        ("R2", 120.0),
        ("CPE1.n", 0.4),
        ("CPE2.Q", 1e-9),
        ("Wo1.R", 1e5),
        ("Wo1.tau", 1e-4),
        ("R1", 1e300),
    ] {
        let options = FitOptions {
            named_start: vec![(name.to_owned(), value)],
            ..FitOptions::default()
        };
        let result = fit(&arcs_spectrum(4), &circuit(ARCS), &options).unwrap();
        let best = best_chi_squared(4);
        assert!(
            result.converged && result.chi_squared < best * 1.001,
            "{name} = {value}: {} not {best}",
            result.chi_squared
        );
    }
}

#[test]
fn equal_bounds_hold_a_parameter() {
    let options = FitOptions {
        bounds: vec![("R1".to_owned(), 21.0, 21.0)],
        ..FitOptions::default()
    };
    let result = fit(&arcs_spectrum(4), &circuit(ARCS), &options).unwrap();
    let held = result.parameter("R1").unwrap();
    assert!(held.fixed && !held.at_bound, "{held:?}");
    assert_eq!(held.value, 21.0);
    let fixed = FitOptions {
        fixed: vec![("R1".to_owned(), 21.0)],
        ..FitOptions::default()
    };
    let fixed = fit(&arcs_spectrum(4), &circuit(ARCS), &fixed).unwrap();
    assert_eq!(result.reduced_chi_squared, fixed.reduced_chi_squared);
}

#[test]
fn a_blocking_porous_electrode_is_held_at_zero_and_infinity() {
    let model = circuit("R0-TLM1");
    let names: Vec<&str> = model.parameters().iter().map(|p| p.name.as_str()).collect();
    let value = |name: &str| match name {
        "R0" => 5.0,
        "TLM1.R_ion" => 30.0,
        "TLM1.R_e" => 0.0,
        "TLM1.R_ct" => f64::INFINITY,
        "TLM1.Q" => 1e-3,
        _ => 0.95,
    };
    let truth: Vec<f64> = names.iter().map(|name| value(name)).collect();
    let frequencies: Vec<f64> = (0..50).map(|i| 10f64.powf(4.0 - 0.12 * f64::from(i))).collect();
    let impedance: Vec<_> = frequencies.iter().map(|&f| model.impedance(&truth, f)).collect();
    let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
    let options = FitOptions {
        fixed: vec![
            ("TLM1.R_e".to_owned(), 0.0),
            ("TLM1.R_ct".to_owned(), f64::INFINITY),
        ],
        ..FitOptions::default()
    };
    let result = fit(&spectrum, &model, &options).unwrap();
    for (name, expected) in [("R0", 5.0), ("TLM1.R_ion", 30.0), ("TLM1.Q", 1e-3)] {
        let found = result.parameter(name).unwrap().value;
        assert!((found / expected - 1.0).abs() < 1e-3, "{name} {found}");
    }
}

#[test]
fn ties_and_bounds_and_named_starts_do_not_spoil_the_guess() {
    let options = [
        FitOptions {
            ties: vec![("CPE1.n".to_owned(), "CPE2.n".to_owned())],
            ..FitOptions::default()
        },
        FitOptions {
            bounds: vec![("R1".to_owned(), 15.0, 25.0), ("Wo1.tau".to_owned(), 20.0, 50.0)],
            ..FitOptions::default()
        },
        FitOptions {
            named_start: vec![("R2".to_owned(), 20.0), ("Wo1.tau".to_owned(), 3.0)],
            ..FitOptions::default()
        },
    ];
    for (case, options) in options.into_iter().enumerate() {
        let result = fit(&arcs_spectrum(4), &circuit(ARCS), &options).unwrap();
        // What the same options reach from the truth.
        let from_truth = FitOptions {
            start: Some(ARCS_TRUTH.to_vec()),
            named_start: Vec::new(),
            ..options.clone()
        };
        let best = fit(&arcs_spectrum(4), &circuit(ARCS), &from_truth)
            .unwrap()
            .chi_squared;
        assert!(
            result.chi_squared < best * 1.001,
            "case {case}: {} not {best}",
            result.chi_squared
        );
        for (name, lower, upper) in &options.bounds {
            assert!(
                (lower..=upper).contains(&&result.parameter(name).unwrap().value),
                "{name}"
            );
        }
    }
}

#[test]
fn a_rail_held_at_nothing_does_not_spoil_the_guess() {
    let circuit = circuit("R0-TLM1");
    let truth = [10.0, 100.0, 1e-9, 300.0, 1e-4, 0.9];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e5, 1e-2, 60), 5e-3, 0.0, 2);
    let options = FitOptions {
        fixed: vec![("TLM1.R_e".to_owned(), 1e-9)],
        ..FitOptions::default()
    };
    let result = fit(&spectrum, &circuit, &options).unwrap();
    let r_ct = result.parameter("TLM1.R_ct").unwrap().value;
    assert!((r_ct / 300.0 - 1.0).abs() < 0.05, "{r_ct}");
}
