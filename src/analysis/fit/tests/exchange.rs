//! Arcs of one make when the user says something about one of them.

use super::*;

const ARCS: &str = "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1";
const FAST_FIRST: [f64; 9] = [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 30.0];

fn fitted(options: &FitOptions) -> FitResult {
    let circuit = circuit(ARCS);
    let spectrum = noisy(&circuit, &FAST_FIRST, &frequencies(1e6, 1e-3, 100), 5e-3, 0.0, 4);
    fit(&spectrum, &circuit, options).unwrap()
}

fn value(result: &FitResult, name: &str) -> f64 {
    result.parameter(name).unwrap().value
}

fn bound(name: &str, lower: f64, upper: f64) -> FitOptions {
    FitOptions {
        bounds: vec![(name.to_owned(), lower, upper)],
        ..FitOptions::default()
    }
}

fn fixed(name: &str, value: f64) -> FitOptions {
    FitOptions {
        fixed: vec![(name.to_owned(), value)],
        ..FitOptions::default()
    }
}

#[test]
fn the_optimum_inside_bounds_is_found_also_where_it_exchanges_arcs_and_is_said_to() {
    let free = fitted(&FitOptions::default());
    assert!(free.arcs_out_of_order().is_empty());
    for (name, lower, upper) in [("R1", 30.0, 60.0), ("R2", 10.0, 30.0), ("CPE1.Q", 1e-4, 1e-2)] {
        let result = fitted(&bound(name, lower, upper));
        assert!(
            result.chi_squared < free.chi_squared * 1.0001,
            "{name}: {} not {}",
            result.chi_squared,
            free.chi_squared
        );
        assert!((value(&result, "R1") - 40.0).abs() < 2.0, "{name}");
        assert_eq!(result.arcs_out_of_order(), ["R1", "R2"], "{name}");
    }
}

#[test]
fn bounds_that_allow_the_order_of_time_constants_do_not_disturb_it() {
    for options in [
        bound("R1", 1.0, 1000.0),
        bound("R2", 10.0, 60.0),
        bound("CPE2.n", 0.5, 1.0),
    ] {
        let result = fitted(&options);
        assert!((value(&result, "R1") - 20.0).abs() < 1.0, "{options:?}");
        assert!(result.arcs_out_of_order().is_empty());
    }
}

#[test]
fn a_held_value_that_belongs_to_the_other_arc_exchanges_them_and_is_said_to() {
    let result = fitted(&fixed("R1", 40.0));
    assert!((value(&result, "R2") - 20.0).abs() < 1.0);
    assert_eq!(result.arcs_out_of_order(), ["R1", "R2"]);
    let result = fitted(&fixed("R1", 20.0));
    assert!((value(&result, "R2") - 40.0).abs() < 2.0);
    assert!(result.arcs_out_of_order().is_empty());
}

#[test]
fn tied_arcs_have_the_order_of_their_time_constants() {
    let options = FitOptions {
        ties: vec![("CPE1.n".to_owned(), "CPE2.n".to_owned())],
        ..FitOptions::default()
    };
    let result = fitted(&options);
    assert!(value(&result, "R1") < value(&result, "R2"));
    assert!(result.arcs_out_of_order().is_empty());
}
