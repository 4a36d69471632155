//! One file an idea; what they share is here.

mod arcs;
mod derivatives;
mod elements;
mod grammar;
mod oracle;
mod presets;
mod transmission_line;
mod trees;

use super::*;

fn circuit(text: &str) -> Circuit {
    Circuit::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Z at one frequency from values in the order of the parameters.
fn assert_impedance(text: &str, parameters: &[f64], vectors: &[(f64, f64, f64)], relative: f64) {
    let circuit = circuit(text);
    for &(frequency, real, imaginary) in vectors {
        let z = circuit.impedance(parameters, frequency);
        let expected = Complex64::new(real, imaginary);
        assert!(
            (z - expected).norm() < relative * expected.norm(),
            "{text} at {frequency} Hz: {z}, not {expected}"
        );
    }
}

/// Z and all dZ/dp, for each angular frequency.
fn evaluate(circuit: &Circuit, parameters: &[f64], omega: &[f64]) -> Vec<(Complex64, Vec<Complex64>)> {
    let grid = Grid::new(omega.iter().map(|omega| omega / std::f64::consts::TAU));
    let mut workspace = circuit.tape().workspace(&grid);
    circuit.tape().evaluate(&grid, parameters, &mut workspace);
    let at =
        |(real, imaginary): (&[f64], &[f64]), point: usize| Complex64::new(real[point], imaginary[point]);
    (0..omega.len())
        .map(|point| {
            let derivatives = (0..parameters.len()).map(|index| at(workspace.derivative(index), point));
            (at(workspace.impedance(), point), derivatives.collect())
        })
        .collect()
}
