//! What is said about how far a fit may be believed.

use super::*;

#[test]
fn arcs_of_nearly_equal_time_constant_are_called_degenerate() {
    let circuit = circuit("R0-p(R1,CPE1)-p(R2,CPE2)");
    let frequencies = frequencies(1e6, 0.1, 70);
    let at = |tau2: f64| {
        let truth = [
            10.0,
            50.0,
            1e-4f64.powf(0.85) / 50.0,
            0.85,
            60.0,
            tau2.powf(0.85) / 60.0,
            0.85,
        ];
        let spectrum = noisy(&circuit, &truth, &frequencies, 1e-3, 0.0, 3);
        fit(&spectrum, &circuit, &FitOptions::warm(truth.to_vec())).unwrap()
    };
    let pairs = at(6e-4).degenerate_pairs();
    assert!(
        pairs
            .iter()
            .any(|pair| pair.name == "R1" && pair.with == "R2" && pair.correlation < -0.98),
        "{pairs:?}"
    );
    assert!(at(1e-1).degenerate_pairs().is_empty());
}

#[test]
fn q_and_n_of_one_arc_are_not_called_degenerate() {
    let circuit = circuit("R0-p(R1,CPE1)");
    let truth = [10.0, 50.0, 1e-6, 0.9];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 1.0, 60), 5e-3, 0.0, 3);
    let result = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
    assert!(result.correlation[2][3] < -0.98, "{}", result.correlation[2][3]);
    assert!(result.degenerate_pairs().is_empty());
}

#[test]
fn an_arc_beyond_the_last_frequency_is_degenerate_with_the_diffusion_beside_it() {
    let circuit = circuit("R0-p(R1,CPE1)-C2");
    // A slow arc of which only the beginning is seen looks like a capacitor.
    let truth = [10.0, 1000.0, 1e-3, 0.97, 2e-3];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e4, 0.3, 60), 1e-3, 0.0, 3);
    let result = fit(&spectrum, &circuit, &FitOptions::warm(truth.to_vec())).unwrap();
    let pairs = result.degenerate_pairs();
    assert!(
        pairs.iter().any(|pair| pair.with == "C2" && pair.name != "R0"),
        "{pairs:?} {result:?}"
    );
}

#[test]
fn a_circuit_that_does_not_explain_the_data_has_lower_limits_for_errors() {
    let truth = circuit("R0-p(R1,CPE1)-p(R2,CPE2)");
    let parameters = [10.0, 50.0, 1e-6, 0.9, 60.0, 1e-4, 0.8];
    let spectrum = noisy(&truth, &parameters, &frequencies(1e5, 0.1, 60), 1e-3, 0.0, 7);
    let wrong = fit(&spectrum, &circuit("R0-p(R1,CPE1)"), &FitOptions::default()).unwrap();
    assert!(wrong.errors_are_lower_limits());
    let right = fit(&spectrum, &truth, &FitOptions::default()).unwrap();
    assert!(!right.errors_are_lower_limits());
}

#[test]
fn rounding_is_not_called_a_pattern() {
    let circuit = circuit("R0-p(R1,C1)");
    let spectrum = noisy(
        &circuit,
        &[100.0, 1000.0, 1e-6],
        &frequencies(1e5, 1.0, 50),
        0.0,
        0.0,
        0,
    );
    let result = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
    assert_eq!(result.runs_p, None);
    assert!(!result.errors_are_lower_limits());
}

#[test]
fn an_interval_of_an_exponent_ends_at_its_bound_and_that_of_a_resistance_is_a_factor() {
    let circuit = circuit("R0-p(R1,CPE1)");
    let truth = [10.0, 50.0, 1e-6, 0.995];
    let result = (0..20)
        .map(|seed| {
            let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 1.0, 30), 1e-2, 0.0, seed);
            fit(&spectrum, &circuit, &FitOptions::default()).unwrap()
        })
        .find(|result| {
            let n = result.parameter("CPE1.n").unwrap();
            !n.at_bound && n.value + n.std_error.unwrap() > 1.0
        })
        .unwrap();
    let n = result.parameter("CPE1.n").unwrap();
    let t = result.quantile(0.95).unwrap();
    let (lower, upper) = result.interval("CPE1.n", 0.95).unwrap();
    assert!((lower - (n.value - t * n.std_error.unwrap())).abs() < 1e-12 && upper == 1.0);
    let r1 = result.parameter("R1").unwrap();
    let (lower, upper) = result.interval("R1", 0.95).unwrap();
    let factor = (t * r1.std_error.unwrap() / r1.value).exp();
    assert!(
        (upper / r1.value / factor - 1.0).abs() < 1e-12 && (r1.value / lower / factor - 1.0).abs() < 1e-12
    );
    assert_eq!(result.interval("R9", 0.95), None);
    assert_eq!(result.interval("R1", 1.0), None);
}

/// With an exponent at its bound the data do not become surer of Q than they are: over many realisations of a
/// capacitor fitted as CPE, its Q lies within three of its errors.
#[test]
fn an_exponent_at_its_bound_does_not_make_its_q_certain() {
    let truth = circuit("R0-p(R1,C1)");
    let circuit = circuit("R0-p(R1,CPE1)");
    let (mut at_bound, mut inside) = (0, 0);
    for seed in 0..200 {
        let spectrum = noisy(
            &truth,
            &[100.0, 1000.0, 1e-6],
            &frequencies(1e5, 1.0, 40),
            5e-3,
            0.0,
            seed,
        );
        let result = fit(
            &spectrum,
            &circuit,
            &FitOptions::warm(vec![100.0, 1000.0, 1e-6, 0.99]),
        )
        .unwrap();
        if result.parameter("CPE1.n").unwrap().at_bound {
            at_bound += 1;
            let (lower, upper) = result.interval("CPE1.Q", 0.95).unwrap();
            inside += usize::from((lower..=upper).contains(&1e-6));
        }
    }
    assert!((60..=140).contains(&at_bound), "{at_bound}");
    assert!(inside * 100 >= at_bound * 92, "{inside} of {at_bound}");
}
