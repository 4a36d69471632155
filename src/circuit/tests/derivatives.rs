use num_dual::Dual64;
use proptest::prelude::*;

use super::super::element::SymbolSpec;
use super::trees::{all_symbols, circuits};
use super::{oracle, *};
use crate::circuit::elements::all;

/// Two a decade over twelve decades.
fn omegas() -> Vec<f64> {
    (0..=24).map(|i| 10f64.powf(-5.0 + 0.5 * f64::from(i))).collect()
}

/// A value that occurs, from a number between 0 and 1.
fn occurring(role: Role, (lower, upper): (f64, f64), at: f64) -> f64 {
    let between = |low: f64, high: f64| 10f64.powf(low + (high - low) * at);
    match role {
        Role::Resistance | Role::Impedance => between(0.0, 3.0),
        Role::Inductance => between(-7.0, -3.0),
        Role::Admittance => between(-6.0, -2.0),
        Role::Time => between(-6.0, 2.0),
        Role::Ratio => between(-1.0, 1.0),
        Role::Exponent => lower + (upper - lower) * at,
    }
}

fn assert_derivatives(circuit: &Circuit, parameters: &[f64]) -> Result<(), TestCaseError> {
    let omegas = omegas();
    let found = evaluate(circuit, parameters, &omegas);
    for index in 0..parameters.len() {
        let mut dual: Vec<Dual64> = parameters.iter().map(|&p| Dual64::from(p)).collect();
        dual[index] = dual[index].derivative();
        for (omega, (z, derivatives)) in omegas.iter().zip(&found) {
            let oracle = oracle::node(circuit, &circuit.root, &dual, *omega);
            let expected = Complex64::new(oracle.re.re, oracle.im.re);
            let error = (z - expected).norm();
            prop_assert!(
                error <= 1e-11 * expected.norm(),
                "{circuit} at {parameters:?}, {omega}/s: {z}, not {expected}"
            );
            let expected = Complex64::new(oracle.re.eps, oracle.im.eps);
            let error = (derivatives[index] - expected).norm();
            // What lies below is lost in every number format.
            prop_assert!(
                error <= 1e-10 * expected.norm() + 1e-250,
                "{circuit} at {parameters:?}, {omega}/s: dZ/d{} is {}, not {expected}",
                circuit.parameters()[index].name,
                derivatives[index]
            );
        }
    }
    Ok(())
}

#[test]
fn every_element_has_an_oracle() {
    for kind in all() {
        let parameters: Vec<Dual64> = kind
            .parameters
            .iter()
            .map(
                |SymbolSpec {
                     role, lower, upper, ..
                 }| occurring(*role, (*lower, *upper), 0.5).into(),
            )
            .collect();
        assert!(
            oracle::element(kind.symbol, &parameters, 1.0).is_some(),
            "write down {} in the oracle, so that its derivatives are checked",
            kind.symbol
        );
    }
}

fn values(circuit: &Circuit, at: &[f64]) -> Vec<f64> {
    circuit
        .parameters()
        .iter()
        .zip(at.iter().cycle())
        .map(|(spec, &at)| occurring(spec.role, (spec.lower, spec.upper), at))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn derivatives_of_each_element_agree_with_dual_numbers(at in prop::collection::vec(0.0..1.0, 8)) {
        for kind in all() {
            let circuit = circuit(&format!("{}1", kind.symbol));
            assert_derivatives(&circuit, &values(&circuit, &at))?;
        }
    }

    #[test]
    fn derivatives_in_nested_circuits_agree_with_dual_numbers(
        text in circuits(all_symbols()),
        at in prop::collection::vec(0.0..1.0, 97),
    ) {
        let circuit = circuit(&text);
        assert_derivatives(&circuit, &values(&circuit, &at))?;
    }
}
