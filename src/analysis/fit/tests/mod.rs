//! Tests of the whole fit, by what they compare with.

mod against_scipy;
mod coverage;
mod elements;
mod exchange;
mod flags;
mod growing;
mod honesty;
mod options;
mod robust;
mod robustness;
mod scipy_errors;
mod starts;
mod sweeps;
mod ties;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

fn circuit(text: &str) -> Circuit {
    Circuit::parse(text).unwrap()
}

/// `points` frequencies, logarithmically spaced, both ends included.
fn frequencies(first_hz: f64, last_hz: f64, points: usize) -> Vec<f64> {
    let step = (last_hz / first_hz).ln() / (points - 1) as f64;
    (0..points).map(|i| first_hz * (step * i as f64).exp()).collect()
}

/// A spectrum with independent Gaussian noise of `relative` |Z| + `absolute` ohm on both components.
fn noisy(
    circuit: &Circuit,
    truth: &[f64],
    frequencies: &[f64],
    relative: f64,
    absolute: f64,
    seed: u64,
) -> Spectrum {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let impedance: Vec<_> = frequencies
        .iter()
        .map(|&f| {
            let z = circuit.impedance(truth, f);
            let sigma = relative * z.norm() + absolute;
            z + num_complex::Complex64::new(sigma * draw(), sigma * draw())
        })
        .collect();
    Spectrum::from_impedance(frequencies, &impedance)
}

fn values(result: &FitResult) -> Vec<f64> {
    result
        .parameters
        .iter()
        .map(|parameter| parameter.value)
        .collect()
}
