//! Parameters that have the same value.

use super::*;

const CIRCUIT: &str = "R0-p(R1,CPE1)-p(R2,CPE2)";
const TRUTH: [f64; 7] = [10.0, 50.0, 1e-6, 0.9, 70.0, 1e-4, 0.9];

fn spectrum(seed: u64) -> Spectrum {
    noisy(
        &circuit(CIRCUIT),
        &TRUTH,
        &frequencies(1e6, 0.1, 60),
        3e-3,
        0.0,
        seed,
    )
}

fn tied(pairs: &[(&str, &str)]) -> FitOptions {
    FitOptions {
        ties: pairs
            .iter()
            .map(|(name, to)| ((*name).to_owned(), (*to).to_owned()))
            .collect(),
        ..FitOptions::default()
    }
}

#[test]
fn tied_parameters_share_value_and_error_and_correlate_fully() {
    let options = tied(&[("CPE2.n", "CPE1.n")]);
    let result = fit(&spectrum(1), &circuit(CIRCUIT), &options).unwrap();
    let (one, two) = (
        result.parameter("CPE1.n").unwrap(),
        result.parameter("CPE2.n").unwrap(),
    );
    assert_eq!(
        (one.value, one.std_error, one.determined),
        (two.value, two.std_error, two.determined)
    );
    assert!((result.correlation[3][6] - 1.0).abs() < 1e-12);
    assert_eq!(result.degrees_of_freedom(), 120 - 6, "the pair counts once");
    let reduced = result.chi_squared / 114.0;
    assert!((result.reduced_chi_squared.unwrap() / reduced - 1.0).abs() < 1e-12);
    let free = fit(&spectrum(1), &circuit(CIRCUIT), &FitOptions::default()).unwrap();
    assert!(result.chi_squared > free.chi_squared);
    assert!(
        one.std_error < free.parameter("CPE1.n").unwrap().std_error,
        "two arcs know n better than one"
    );
    assert!(result.parameter("CPE2.Q").unwrap().std_error < free.parameter("CPE2.Q").unwrap().std_error);
}

/// Second differences of chi-squared about the optimum, in natural parameters of which two move together.
#[test]
fn errors_under_a_tie_are_those_of_the_curvature() {
    let circuit = circuit(CIRCUIT);
    let spectrum = spectrum(2);
    let result = fit(&spectrum, &circuit, &tied(&[("CPE2.n", "CPE1.n")])).unwrap();
    let best = values(&result);
    // J of the weighted residuals by central differences, with column 3 standing for both exponents.
    let residuals = |p: &[f64]| -> Vec<f64> {
        spectrum
            .points
            .iter()
            .flat_map(|point| {
                let off =
                    (circuit.impedance(p, point.frequency_hz) - point.impedance()) / point.impedance().norm();
                [off.re, off.im]
            })
            .collect()
    };
    let columns: Vec<Vec<f64>> = [0, 1, 2, 3, 4, 5]
        .into_iter()
        .map(|index| {
            let step = 1e-5 * best[index];
            let at = |sign: f64| {
                let mut moved = best.clone();
                moved[index] += sign * step;
                if index == 3 {
                    moved[6] = moved[3];
                }
                residuals(&moved)
            };
            let (above, below) = (at(1.0), at(-1.0));
            above
                .iter()
                .zip(below)
                .map(|(a, b)| (a - b) / (2.0 * step) * best[index])
                .collect()
        })
        .collect();
    let normal = nalgebra::DMatrix::from_fn(6, 6, |a, b| {
        columns[a]
            .iter()
            .zip(&columns[b])
            .map(|(x, y)| x * y)
            .sum::<f64>()
    });
    let covariance = normal.try_inverse().unwrap() * result.reduced_chi_squared.unwrap();
    for index in 0..6 {
        let expected = covariance[(index, index)].sqrt() * best[index];
        let found = result.parameters[index].std_error.unwrap();
        assert!(
            (found / expected - 1.0).abs() < 1e-6,
            "{}: {found}, {expected}",
            result.parameters[index].name
        );
    }
}

#[test]
fn a_sum_of_tied_parameters_is_twice_one_of_them() {
    let options = FitOptions {
        sums: vec!["R1+R2".to_owned()],
        ..tied(&[("R2", "R1")])
    };
    let circuit = circuit(CIRCUIT);
    let truth = [10.0, 50.0, 1e-6, 0.9, 50.0, 1e-4, 0.9];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 0.1, 60), 3e-3, 0.0, 3);
    let result = fit(&spectrum, &circuit, &options).unwrap();
    let (r1, sum) = (result.parameter("R1").unwrap(), result.sum("R1+R2").unwrap());
    assert!((sum.value / r1.value - 2.0).abs() < 1e-12);
    assert!((sum.std_error.unwrap() / r1.std_error.unwrap() - 2.0).abs() < 1e-9);
    let found = result.combined_error(&[(1, 1.0), (4, 1.0)]).unwrap();
    assert!((found / sum.std_error.unwrap() - 1.0).abs() < 1e-9);
    let (lower, upper) = result.interval("R1+R2", 0.95).unwrap();
    assert!(lower < 100.0 && 100.0 < upper);
}

#[test]
fn a_chain_of_ties_is_one_number_and_holding_one_holds_all() {
    let circuit = circuit("R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)");
    let truth = [5.0, 30.0, 1e-7, 0.85, 40.0, 1e-5, 0.85, 60.0, 1e-3, 0.85];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 0.01, 80), 2e-3, 0.0, 4);
    let options = tied(&[("CPE2.n", "CPE1.n"), ("CPE3.n", "CPE2.n")]);
    let result = fit(&spectrum, &circuit, &options).unwrap();
    let n: Vec<f64> = [3, 6, 9].map(|index| result.parameters[index].value).to_vec();
    assert!(
        n[0] == n[1] && n[1] == n[2] && (n[0] - 0.85).abs() < 0.01,
        "{n:?}"
    );
    assert_eq!(result.degrees_of_freedom(), 160 - 8);

    let held = FitOptions {
        fixed: vec![("CPE3.n".to_owned(), 0.85)],
        ..options.clone()
    };
    let result = fit(&spectrum, &circuit, &held).unwrap();
    for index in [3, 6, 9] {
        let parameter = &result.parameters[index];
        assert!(parameter.value == 0.85 && parameter.fixed && parameter.std_error.is_none());
    }
    assert_eq!(result.degrees_of_freedom(), 160 - 7);

    let contradictory = FitOptions {
        fixed: vec![("CPE3.n".to_owned(), 0.85), ("CPE1.n".to_owned(), 0.8)],
        ..options.clone()
    };
    assert!(matches!(
        fit(&spectrum, &circuit, &contradictory),
        Err(FitError::ContradictoryTie { .. })
    ));
    assert!(matches!(
        fit(&spectrum, &circuit, &tied(&[("R1", "CPE1.n")])),
        Err(FitError::UnequalTie { .. })
    ));
}

#[test]
fn bounds_of_all_tied_parameters_hold() {
    let mut options = tied(&[("CPE2.n", "CPE1.n")]);
    options.bounds = vec![("CPE1.n".to_owned(), 0.5, 0.95), ("CPE2.n".to_owned(), 0.5, 0.8)];
    let result = fit(&spectrum(5), &circuit(CIRCUIT), &options).unwrap();
    for name in ["CPE1.n", "CPE2.n"] {
        let n = result.parameter(name).unwrap();
        assert!(
            (n.value - 0.8).abs() < 1e-9 && n.at_bound && n.std_error.is_none(),
            "{n:?}"
        );
    }
    options.bounds[0] = ("CPE1.n".to_owned(), 0.9, 0.95);
    assert!(matches!(
        fit(&spectrum(5), &circuit(CIRCUIT), &options),
        Err(FitError::EmptyBounds { .. })
    ));
}

#[test]
fn a_sum_with_a_fixed_part_has_the_error_of_the_rest() {
    let options = FitOptions {
        fixed: vec![("R1".to_owned(), 50.0)],
        ..FitOptions::default()
    };
    let result = fit(&spectrum(6), &circuit(CIRCUIT), &options).unwrap();
    let (r2, sum) = (result.parameter("R2").unwrap(), result.sum("R1+R2").unwrap());
    assert!((sum.value - r2.value - 50.0).abs() < 1e-9);
    assert!((sum.std_error.unwrap() / r2.std_error.unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn a_sum_with_a_part_on_a_bound_has_no_error() {
    let options = FitOptions {
        bounds: vec![("R2".to_owned(), 90.0, 200.0)],
        ..FitOptions::default()
    };
    let result = fit(&spectrum(7), &circuit(CIRCUIT), &options).unwrap();
    assert!(result.parameter("R2").unwrap().at_bound);
    let sum = result.sum("R1+R2").unwrap();
    assert!(sum.std_error.is_none() && !sum.determined, "{sum:?}");
}

/// The truth of R1+R2 lies in its interval as often as it should, tied or not.
#[test]
fn intervals_of_sums_cover_the_truth() {
    let circuit = circuit(CIRCUIT);
    for options in [FitOptions::default(), tied(&[("CPE2.n", "CPE1.n")])] {
        let mut inside = [0; 2];
        for seed in 0..400 {
            let options = FitOptions {
                start: Some(TRUTH.to_vec()),
                cold: ColdStarts::Never,
                ..options.clone()
            };
            let result = fit(&spectrum(5000 + seed), &circuit, &options).unwrap();
            for (count, (name, truth)) in inside.iter_mut().zip([("R1+R2", 120.0), ("R0+R1+R2", 130.0)]) {
                let (lower, upper) = result.interval(name, 0.95).unwrap();
                *count += usize::from((lower..=upper).contains(&truth));
            }
        }
        println!("{inside:?} of 400");
        assert!(
            inside.iter().all(|count| (364..=396).contains(count)),
            "{inside:?}"
        );
    }
}
