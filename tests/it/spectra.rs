//! Spectra for tests of commands that read files.

use std::fmt::Write as _;

use interphase::circuit::Circuit;
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::lab::Lab;

/// The reference circuit of the tests and its true values.
pub const REFERENCE: &str = "R0-p(R1,CPE1)-W1";
pub const TRUTH: [f64; 5] = [10.0, 50.0, 1e-6, 0.9, 70.71];

/// Points with noise of so many percent of |Z| in both components, highest frequency first.
pub fn points(circuit: &str, values: &[f64], noise_percent: f64, seed: u64) -> Vec<(f64, Complex64)> {
    let circuit = Circuit::parse(circuit).unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut generator) };
    (0..60)
        .map(|index| {
            let frequency = 10f64.powf(6.0 - 0.1 * f64::from(index));
            let z = circuit.impedance(values, frequency);
            let noise = Complex64::new(normal(), normal()) * (0.01 * noise_percent * z.norm());
            (frequency, z + noise)
        })
        .collect()
}

pub fn csv(points: &[(f64, Complex64)]) -> String {
    let mut text = String::from("frequency_hz,z_real_ohm,z_imag_ohm\n");
    for (frequency, z) in points {
        writeln!(text, "{frequency:?},{:?},{:?}", z.re, z.im).unwrap();
    }
    text
}

/// Writes a spectrum of the reference circuit with 0.5 % noise.
pub fn write_reference(lab: &Lab, name: &str, seed: u64) {
    std::fs::write(lab.path(name), csv(&points(REFERENCE, &TRUTH, 0.5, seed))).unwrap();
}

/// Writes a file of several spectra of the reference circuit, whose R1 grows from one to the next.
pub fn write_series(lab: &Lab, name: &str, resistances: &[f64]) {
    let mut text = String::from("spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n");
    for (index, &resistance) in resistances.iter().enumerate() {
        let mut values = TRUTH;
        values[1] = resistance;
        for (frequency, z) in points(REFERENCE, &values, 0.5, index as u64) {
            writeln!(text, "{index},{frequency:?},{:?},{:?}", z.re, z.im).unwrap();
        }
    }
    std::fs::write(lab.path(name), text).unwrap();
}
