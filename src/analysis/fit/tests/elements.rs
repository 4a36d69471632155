//! Elements beyond R, C, L, CPE and diffusion, fitted from the program's own guess.

use super::*;

/// The fit of data with 0.1 % noise, which must end at the noise.
fn fitted(text: &str, truth: &[f64], fixed: &[(&str, f64)]) -> FitResult {
    let circuit = circuit(text);
    let spectrum = noisy(&circuit, truth, &frequencies(100e3, 0.01, 71), 1e-3, 0.0, 11);
    let options = FitOptions {
        fixed: fixed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
        ..FitOptions::default()
    };
    let result = fit(&spectrum, &circuit, &options).unwrap();
    let noise = result.noise_percent.unwrap();
    assert!(
        result.converged && (0.08..0.12).contains(&noise),
        "{text}: {noise} %, {:?}",
        values(&result)
    );
    result
}

fn assert_truth(result: &FitResult, truth: &[f64]) {
    for (parameter, truth) in result.parameters.iter().zip(truth) {
        let error = parameter.std_error.unwrap_or(0.0);
        assert!(
            parameter.determined && (parameter.value - truth).abs() <= 4.0 * error,
            "{} {} ± {error}, not {truth}",
            parameter.name,
            parameter.value
        );
    }
}

#[test]
fn arcs_of_one_element_are_found_without_a_start() {
    for (text, truth) in [
        ("R0-K1", vec![10.0, 50.0, 1e-3]),
        ("R0-Zarc1-Zarc2", vec![10.0, 50.0, 1e-4, 0.9, 80.0, 0.05, 0.8]),
        ("R0-Art1-K1", vec![10.0, 50.0, 1e-4, 0.9, 80.0, 0.05]),
        ("R0-HN1", vec![10.0, 50.0, 1e-3, 0.9, 0.6]),
        (
            "L0-R0-Zarc1-p(R1,CPE1)",
            vec![1e-6, 10.0, 50.0, 1e-4, 0.9, 80.0, 1e-3, 0.8],
        ),
        ("R0-Zarc1-W1", vec![10.0, 50.0, 1e-4, 0.9, 20.0]),
    ] {
        assert_truth(&fitted(text, &truth, &[]), &truth);
    }
}

#[test]
fn arcs_of_one_element_are_named_in_the_order_of_their_time_constants() {
    let slow_first = [10.0, 80.0, 0.05, 0.8, 50.0, 1e-4, 0.9];
    let fast_first = [10.0, 50.0, 1e-4, 0.9, 80.0, 0.05, 0.8];
    let result = fitted("R0-Zarc1-Zarc2", &slow_first, &[]);
    assert_truth(&result, &fast_first);
    let sums: Vec<&str> = result.sums.iter().map(|sum| sum.name.as_str()).collect();
    assert_eq!(sums, ["Zarc1.R+Zarc2.R", "R0+Zarc1.R+Zarc2.R"]);
    assert_eq!(result.parameter("Zarc2.tau").unwrap().arc_id, Some(2));
    // With a start the names are those of the start.
    let circuit = circuit("R0-Zarc1-Zarc2");
    let spectrum = noisy(
        &circuit,
        &slow_first,
        &frequencies(100e3, 0.01, 71),
        1e-3,
        0.0,
        11,
    );
    let warm = fit(&spectrum, &circuit, &FitOptions::warm(slow_first.to_vec())).unwrap();
    assert_truth(&warm, &slow_first);
}

#[test]
fn lines_and_reactions_are_found_without_a_start() {
    for (text, truth) in [
        ("R0-G1", vec![10.0, 50.0, 0.1]),
        ("R0-Gs1", vec![10.0, 50.0, 0.1, 0.5]),
        ("La1-R0-p(R1,CPE1)", vec![1e-4, 0.8, 10.0, 50.0, 1e-4, 0.9]),
    ] {
        assert_truth(&fitted(text, &truth, &[]), &truth);
    }
}

#[test]
fn a_porous_electrode_is_found_without_a_start() {
    let truth = [5.0, 30.0, 0.1, 60.0, 5e-3, 0.9];
    let result = fitted("R0-TLM1", &truth, &[("TLM1.R_e", 0.1)]);
    assert_truth(&result, &truth);
    assert!(result.parameter("TLM1.R_e").unwrap().fixed);
}
