use proptest::prelude::*;

use super::*;
use crate::circuit::dispatch::with_fallback;
use crate::circuit::{Circuit, Grid, Workspace, elements};

/// Distance in units in the last place, over zero too.
fn ulps(a: f64, b: f64) -> u64 {
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    ordered(a).abs_diff(ordered(b))
}

#[test]
fn exp_is_within_one_unit_in_the_last_place_over_the_whole_range() {
    let steps = 400_000;
    for step in 0..=steps {
        let x = -750.0 + 1465.0 * f64::from(step) / f64::from(steps);
        assert!(
            ulps(exp(x), x.exp()) <= 1,
            "exp({x}) = {:e}, std {:e}",
            exp(x),
            x.exp()
        );
    }
    for exponent in -320..=3 {
        for x in [10f64.powi(exponent), -(10f64.powi(exponent))] {
            assert!(ulps(exp(x), x.exp()) <= 1, "exp({x:e})");
        }
    }
    assert_eq!(exp(f64::INFINITY), f64::INFINITY);
    assert_eq!(exp(f64::NEG_INFINITY), 0.0);
    assert_eq!((exp(1e300), exp(-1e300), exp(0.0)), (f64::INFINITY, 0.0, 1.0));
    assert!(exp(f64::NAN).is_nan());
}

#[test]
fn sine_and_cosine_are_off_by_less_than_they_say() {
    let steps = 400_000;
    for step in 0..=steps {
        let share = f64::from(step) / f64::from(steps);
        for x in [200.0 * share - 100.0, 2e5 * share - 1e5] {
            let ((sin, cos), (true_sin, true_cos)) = (sin_cos(x), x.sin_cos());
            assert!(
                (sin - true_sin).abs() < 2.3e-16,
                "sin({x}): {sin}, std {true_sin}"
            );
            assert!(
                (cos - true_cos).abs() < 2.3e-16,
                "cos({x}): {cos}, std {true_cos}"
            );
        }
    }
    assert_eq!(sin_cos(0.0), (0.0, 1.0));
    assert_eq!(sin_cos(1e-300).0, 1e-300);
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.1e5] {
        assert!(sin_cos(x).0.is_nan() && sin_cos(x).1.is_nan(), "{x}");
    }
}

/// All numbers of an evaluation, each NaN the same.
fn evaluated(circuit: &Circuit, grid: &Grid, parameters: &[f64]) -> Vec<u64> {
    let mut workspace: Workspace = circuit.tape().workspace(grid);
    circuit.tape().evaluate(grid, parameters, &mut workspace);
    let mut numbers = workspace.impedance_column().to_vec();
    for parameter in 0..parameters.len() {
        numbers.extend(workspace.derivative_column(parameter));
    }
    let one_nan = |x: f64| if x.is_nan() { f64::NAN } else { x };
    numbers.into_iter().map(|x| one_nan(x).to_bits()).collect()
}

fn grid(points: usize) -> Grid {
    Grid::new((0..points).map(|point| 10f64.powf(6.0 - 9.0 * point as f64 / points.max(2) as f64)))
}

/// Values from the middle of what the parameters may be, each a little different.
fn values(circuit: &Circuit) -> Vec<f64> {
    let specs = circuit.parameters().iter().enumerate();
    specs
        .map(|(index, spec)| {
            let shift = 1.0 + 0.03 * index as f64;
            match spec.unit {
                "1" => 0.5 * (spec.lower + spec.upper) / shift,
                _ => (spec.lower.max(1e-9) * spec.upper.min(1e6)).sqrt() * shift,
            }
        })
        .collect()
}

#[test]
fn every_element_is_the_same_to_the_bit_without_wide_instructions() {
    for kind in elements::all() {
        for text in [
            format!("{}1", kind.symbol),
            format!("R7-p({}1,R8)-p(R9,W9-{}2)", kind.symbol, kind.symbol),
        ] {
            let circuit = Circuit::parse(&text).unwrap();
            for points in (0..40).chain([100]) {
                let (grid, values) = (grid(points), values(&circuit));
                let wide = evaluated(&circuit, &grid, &values);
                assert_eq!(
                    wide,
                    with_fallback(|| evaluated(&circuit, &grid, &values)),
                    "{text}, {points} points"
                );
            }
        }
    }
}

#[test]
fn a_point_does_not_depend_on_how_many_others_there_are() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-p(C1,R2-Wo1)-Ws1-L1").unwrap();
    let (all, values) = (grid(40), values(&circuit));
    let of_all = evaluated(&circuit, &all, &values);
    for points in 1..40 {
        let part = Grid::new((0..points).map(|point| all.omega[point] / std::f64::consts::TAU));
        let found = evaluated(&circuit, &part, &values);
        for column in 0..found.len() / points {
            for point in 0..points {
                let (a, b) = (found[points * column + point], of_all[40 * column + point]);
                let (a, b) = (f64::from_bits(a), f64::from_bits(b));
                assert!(
                    (a - b).abs() <= 1e-12 * b.abs().max(1e-300),
                    "{points} points, column {column}, point {point}: {a:e} {b:e}"
                );
            }
        }
    }
}

#[test]
fn a_parameter_that_is_no_number_gives_no_number() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-Wo1").unwrap();
    for index in 0..circuit.parameters().len() {
        let mut values = values(&circuit);
        values[index] = f64::NAN;
        assert!(
            circuit.impedance(&values, 10.0).re.is_nan(),
            "{}",
            circuit.parameters()[index].name
        );
    }
}

fn tree() -> impl Strategy<Value = String> {
    let symbols: Vec<_> = elements::all().map(|kind| kind.symbol).collect();
    let leaf = prop::sample::select(symbols).prop_map(|symbol| format!("{symbol}#"));
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..7).prop_map(|parts| format!("p({})", parts.join(","))),
            prop::collection::vec(inner, 2..7).prop_map(|parts| parts.join("-")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn nested_circuits_are_the_same_to_the_bit_without_wide_instructions(tree in tree(), points in 0..40_usize) {
        let mut number = 0;
        let text: String = tree
            .chars()
            .map(|c| if c == '#' { number += 1; number.to_string() } else { c.to_string() })
            .collect();
        let Ok(circuit) = Circuit::parse(&text) else { return Ok(()) };
        let (grid, values) = (grid(points), values(&circuit));
        let wide = evaluated(&circuit, &grid, &values);
        prop_assert_eq!(wide, with_fallback(|| evaluated(&circuit, &grid, &values)));
    }
}
