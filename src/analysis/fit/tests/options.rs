//! What the caller may ask for, and what is refused.

use super::*;

const TRUTH: [f64; 4] = [10.0, 50.0, 1e-6, 0.9];

fn arc() -> (Circuit, Spectrum) {
    let circuit = circuit("R0-p(R1,CPE1)");
    let spectrum = noisy(&circuit, &TRUTH, &frequencies(1e6, 1.0, 40), 2e-3, 0.0, 3);
    (circuit, spectrum)
}

fn named(values: &[(&str, f64)]) -> Vec<(String, f64)> {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

#[test]
fn a_fixed_parameter_keeps_its_value_and_has_no_error() {
    let (circuit, spectrum) = arc();
    let options = FitOptions {
        fixed: named(&[("CPE1.n", 0.9)]),
        ..FitOptions::default()
    };
    let result = fit(&spectrum, &circuit, &options).unwrap();
    let exponent = result.parameter("CPE1.n").unwrap();
    assert!(exponent.fixed && exponent.determined && exponent.std_error.is_none() && exponent.value == 0.9);
    let free = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
    let error = |result: &FitResult| result.parameter("CPE1.Q").unwrap().std_error.unwrap();
    assert!(error(&result) < 0.5 * error(&free), "knowing n makes Q certain");
    assert!(result.correlation[3].iter().all(|&entry| entry == 0.0));
}

#[test]
fn with_everything_fixed_the_residual_is_told() {
    let (circuit, spectrum) = arc();
    let fixed = named(&[("R0", 10.0), ("R1", 50.0), ("CPE1.Q", 1e-6), ("CPE1.n", 0.9)]);
    let result = fit(
        &spectrum,
        &circuit,
        &FitOptions {
            fixed,
            ..FitOptions::default()
        },
    )
    .unwrap();
    assert!((result.noise_percent.unwrap() - 0.2).abs() < 0.04);
    assert!(result.parameters.iter().all(|p| p.fixed));
}

#[test]
fn a_bound_of_the_user_holds() {
    let (circuit, spectrum) = arc();
    let bounds = vec![("R1".to_owned(), 55.0, 80.0)];
    let result = fit(
        &spectrum,
        &circuit,
        &FitOptions {
            bounds,
            ..FitOptions::default()
        },
    )
    .unwrap();
    let r1 = result.parameter("R1").unwrap();
    assert!((r1.value - 55.0).abs() < 1e-9 && r1.at_bound && r1.std_error.is_none() && !r1.determined);
    assert_eq!((r1.lower, r1.upper), (Some(55.0), Some(80.0)));
    let r0 = result.parameter("R0").unwrap();
    assert_eq!((r0.lower, r0.upper), (Some(0.0), None));
}

#[test]
fn a_named_start_names_the_arc() {
    let circuit = circuit("R0-p(R1,CPE1)-p(R2,CPE2)");
    let truth = [10.0, 50.0, 1e-6, 0.9, 70.0, 1e-4, 0.8];
    let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 0.1, 60), 1e-3, 0.0, 3);
    let named_start = named(&[
        ("R1", 70.0),
        ("CPE1.Q", 1e-4),
        ("CPE1.n", 0.8),
        ("R2", 50.0),
        ("CPE2.Q", 1e-6),
    ]);
    let result = fit(
        &spectrum,
        &circuit,
        &FitOptions {
            named_start,
            ..FitOptions::default()
        },
    )
    .unwrap();
    assert!(
        (result.parameter("R1").unwrap().value - 70.0).abs() < 2.0,
        "{result:?}"
    );
}

#[test]
fn contradictions_are_refused_with_the_name() {
    let (circuit, spectrum) = arc();
    let refused = |options: FitOptions| fit(&spectrum, &circuit, &options).unwrap_err();
    let default = FitOptions::default;
    assert!(matches!(
        refused(FitOptions { fixed: named(&[("R9", 1.0)]), ..default() }),
        FitError::UnknownParameter { name, .. } if name == "R9"
    ));
    assert!(matches!(
        refused(FitOptions { sums: vec!["R0+X".to_owned()], ..default() }),
        FitError::UnknownParameter { name, .. } if name == "X"
    ));
    assert!(matches!(
        refused(FitOptions {
            named_start: named(&[("R1", -5.0)]),
            ..default()
        }),
        FitError::ImpossibleValue { .. }
    ));
    assert!(matches!(
        refused(FitOptions {
            bounds: vec![("R1".to_owned(), 9.0, 1.0)],
            ..default()
        }),
        FitError::EmptyBounds { .. }
    ));
    assert!(matches!(
        refused(FitOptions {
            bounds: vec![("R1".to_owned(), 1.0, 9.0)],
            named_start: named(&[("R1", 50.0)]),
            ..default()
        }),
        FitError::StartOutsideBounds { .. }
    ));
    assert!(matches!(
        refused(FitOptions::warm(vec![1.0])),
        FitError::StartLength { given: 1, needed: 4 }
    ));
    let few = Spectrum::from(spectrum.points[..2].to_vec());
    assert_eq!(
        fit(&few, &circuit, &default()),
        Err(FitError::TooFewPoints { used: 2, needed: 3 })
    );
    assert_eq!(
        fit(&Spectrum::default(), &circuit, &default()),
        Err(FitError::TooFewPoints { used: 0, needed: 3 })
    );
}

#[test]
fn senseless_warm_starts_do_no_harm() {
    let (circuit, spectrum) = arc();
    let expected = values(&fit(&spectrum, &circuit, &FitOptions::default()).unwrap());
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        let found = fit(&spectrum, &circuit, &FitOptions::warm(vec![value; 4])).unwrap();
        for (found, expected) in values(&found).iter().zip(&expected) {
            assert!(
                (found / expected - 1.0).abs() < 1e-5,
                "from {value}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn times_come_from_the_clock_that_is_handed_in() {
    let (circuit, spectrum) = arc();
    let ticks = std::cell::Cell::new(0.0);
    let clock = || {
        ticks.set(ticks.get() + 1.0);
        ticks.get()
    };
    let cold = fit_timed(&spectrum, &circuit, &FitOptions::default(), &clock).unwrap();
    assert!(cold.guess_us > 0.0 && cold.elapsed_us > 0.0);
    let warm = fit_timed(&spectrum, &circuit, &FitOptions::warm(TRUTH.to_vec()), &clock).unwrap();
    assert!(warm.guess_us == 0.0 && warm.elapsed_us > 0.0);
    assert_eq!(
        fit(&spectrum, &circuit, &FitOptions::default())
            .unwrap()
            .elapsed_us,
        0.0
    );
}
