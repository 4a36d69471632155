//! What is said about parameters that the data do not determine, and about data that cannot be used.

use crate::spectrum::{Point, PointStatus};

use super::*;

#[test]
fn two_resistances_in_series_are_not_told_apart_but_their_sum_is() {
    let truth = circuit("R0-p(R1,C1)");
    let spectrum = noisy(
        &truth,
        &[100.0, 1000.0, 1e-6],
        &frequencies(1e5, 1.0, 50),
        1e-3,
        0.0,
        1,
    );
    let options = FitOptions {
        sums: vec!["R0 + R2".to_owned()],
        ..FitOptions::default()
    };
    let result = fit(&spectrum, &circuit("R0-R2-p(R1,C1)"), &options).unwrap();
    for name in ["R0", "R2"] {
        let parameter = result.parameter(name).unwrap();
        assert!(
            !parameter.determined && parameter.std_error.is_none(),
            "{parameter:?}"
        );
    }
    assert!(result.parameter("R1").unwrap().determined);
    let sum = result.sum("R0+R2").unwrap();
    assert!(
        sum.determined && (sum.value - 100.0).abs() < 4.0 * sum.std_error.unwrap(),
        "{sum:?}"
    );
    assert!(result.correlation[0].iter().all(|&entry| entry == 0.0));
}

#[test]
fn an_arc_that_is_not_there_is_not_determined() {
    let truth = circuit("R0-p(R1,C1)");
    let spectrum = noisy(
        &truth,
        &[100.0, 1000.0, 1e-6],
        &frequencies(1e5, 1.0, 50),
        5e-3,
        0.0,
        4,
    );
    let result = fit(
        &spectrum,
        &circuit("R0-p(R1,CPE1)-p(R2,CPE2)"),
        &FitOptions::default(),
    )
    .unwrap();
    let undetermined = result.parameters.iter().filter(|p| !p.determined).count();
    assert!(undetermined >= 2, "{result:?}");
    assert!(result.parameters.iter().all(|p| p.value.is_finite()));
}

#[test]
fn a_capacitor_fitted_as_cpe_ends_at_the_bound_of_its_exponent() {
    let truth = circuit("R0-p(R1,C1)");
    let frequencies = frequencies(1e5, 1.0, 50);
    let at_bound = (0..10).filter(|&seed| {
        let spectrum = noisy(&truth, &[100.0, 1000.0, 1e-6], &frequencies, 1e-3, 0.0, seed);
        let result = fit(&spectrum, &circuit("R0-p(R1,CPE1)"), &FitOptions::default()).unwrap();
        let exponent = result.parameter("CPE1.n").unwrap();
        assert!((exponent.value - 1.0).abs() < 2e-3 && exponent.value <= 1.0);
        assert_eq!(exponent.std_error.is_none(), exponent.at_bound);
        assert!((result.parameter("R1").unwrap().value - 1000.0).abs() < 5.0);
        exponent.at_bound
    });
    let count = at_bound.count();
    assert!(
        (2..=8).contains(&count),
        "half of them lie beyond the bound: {count}"
    );
}

#[test]
fn unusable_points_are_left_out_and_counted() {
    let truth = circuit("R0-p(R1,C1)");
    let parameters = [100.0, 1000.0, 1e-6];
    let mut spectrum = noisy(&truth, &parameters, &frequencies(1e5, 1.0, 30), 1e-3, 0.0, 2);
    let clean = fit(&spectrum, &truth, &FitOptions::default()).unwrap();
    let overload = Point {
        status: PointStatus::Overload,
        ..Point::new(50.0, 1e9, 1e9)
    };
    spectrum.points.extend([
        overload,
        Point::new(0.0, 1.0, 1.0),
        Point::new(1.0, f64::NAN, 1.0),
        Point::new(1.0, 0.0, 0.0),
        Point::new(f64::INFINITY, 1.0, 1.0),
    ]);
    let result = fit(&spectrum, &truth, &FitOptions::default()).unwrap();
    assert_eq!((result.n_points, result.n_used, result.left_out), (35, 30, 5));
    assert_eq!(values(&result), values(&clean));
}

#[test]
fn noise_free_data_give_the_truth_to_many_digits() {
    for (text, truth) in [
        ("R0-p(R1,C1)", vec![100.0, 1000.0, 1e-6]),
        (
            "L0-R0-p(R1,CPE1)-p(R2,CPE2)-CPE3",
            vec![
                2e-7,
                5.0,
                250.0,
                1.096621e-10,
                0.97,
                60.0,
                1.595564e-7,
                0.88,
                5e-6,
                0.92,
            ],
        ),
        ("R0-p(R1-W1,C1)", vec![10.0, 50.0, 30.0, 1e-5]),
        (
            "L0-R0-p(R1,CPE1)-p(R2,CPE2)-Ws1",
            vec![2e-7, 10.0, 60.0, 3e-8, 0.9, 180.0, 3e-6, 0.8, 30.0, 50.0],
        ),
    ] {
        let circuit = circuit(text);
        let spectrum = noisy(&circuit, &truth, &frequencies(2e7, 1e-3, 90), 0.0, 0.0, 0);
        let result = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
        for (parameter, truth) in result.parameters.iter().zip(&truth) {
            assert!(
                (parameter.value / truth - 1.0).abs() < 1e-6,
                "{text}: {} = {}, not {truth}; chi squared {}",
                parameter.name,
                parameter.value,
                result.chi_squared
            );
        }
        assert!(result.converged, "{text}");
    }
}

#[test]
fn a_model_that_does_not_fit_shows_in_the_runs() {
    let truth = circuit("R0-p(R1,CPE1)-p(R2,CPE2)");
    let parameters = [10.0, 50.0, 1e-6, 0.9, 60.0, 1e-4, 0.8];
    let spectrum = noisy(&truth, &parameters, &frequencies(1e5, 0.1, 60), 1e-3, 0.0, 7);
    let wrong = fit(&spectrum, &circuit("R0-p(R1,CPE1)"), &FitOptions::default()).unwrap();
    assert!(wrong.runs_p.unwrap() < 1e-4);
    let right = fit(&spectrum, &truth, &FitOptions::default()).unwrap();
    assert!(right.runs_p.unwrap() > 1e-3 && right.bic.unwrap() < wrong.bic.unwrap() - 100.0);
}

#[test]
fn an_error_whose_square_is_zero_to_the_machine_is_not_claimed_to_be_zero() {
    let truth = circuit("R0");
    let spectrum = noisy(&truth, &[1e-169], &frequencies(1e3, 1.0, 30), 5e-3, 0.0, 2);
    let result = fit(&spectrum, &truth, &FitOptions::default()).unwrap();
    let r0 = &result.parameters[0];
    assert!(r0.std_error.is_none() && !r0.determined, "{r0:?}");
}
