//! Sweeps of random cells while they grow, fitted as a session does: from the last sweep and from the points so far.

use rand::Rng;

use super::*;

struct Cell {
    circuit: Circuit,
    truth: Vec<f64>,
    /// The optimum of the last sweep: some percent beside the truth.
    last: Vec<f64>,
    spectrum: Spectrum,
}

/// An arc with diffusion or two arcs, in series with a resistance and an inductance.
fn cell(seed: u64) -> Cell {
    let mut generator = ChaCha8Rng::seed_from_u64(77_000 + seed);
    let (text, arcs) = if seed.is_multiple_of(2) {
        ("L0-R0-p(R1,CPE1)-W1", 1)
    } else {
        ("L0-R0-p(R1,CPE1)-p(R2,CPE2)", 2)
    };
    let circuit = circuit(text);
    let size = 10f64.powf(generator.random_range(0.5..3.0));
    let mut truth = vec![
        10f64.powf(generator.random_range(-7.5..-6.5)),
        size * 10f64.powf(generator.random_range(-1.0..0.0)),
    ];
    let mut log_tau = generator.random_range(-4.8..-3.0);
    for _ in 0..arcs {
        let resistance = size * 10f64.powf(generator.random_range(-0.7..0.0));
        let exponent: f64 = generator.random_range(0.75..0.97);
        truth.extend([resistance, 10f64.powf(log_tau * exponent) / resistance, exponent]);
        log_tau += generator.random_range(1.0..2.2);
    }
    if arcs == 1 {
        truth.push(size * 10f64.powf(generator.random_range(-1.0..0.0)));
    }
    let spectrum = noisy(&circuit, &truth, &frequencies(200e3, 0.1, 64), 2e-3, 0.0, seed);
    let mut drifted = |(value, unit): (&f64, &str)| {
        let drift = generator.random_range(0.9..1.1);
        if unit == "1" { *value } else { value * drift }
    };
    let units = circuit.parameters().iter().map(|spec| spec.unit);
    let last = truth.iter().zip(units).map(&mut drifted).collect();
    Cell {
        circuit,
        truth,
        last,
        spectrum,
    }
}

/// What is called determined is within five of its errors; with few numbers, within its interval of 99.9 %, which
/// knows how few they are.
#[test]
fn what_a_growing_sweep_claims_to_know_is_true() {
    let (mut claims, mut wrong, mut few, mut few_wrong) = (0, 0, 0, 0);
    for seed in 0..120 {
        let cell = cell(seed);
        let mut partial: Option<Vec<f64>> = None;
        for points in 1..=64 {
            let spectrum = Spectrum::from(cell.spectrum.points[..points].to_vec());
            let options = FitOptions {
                also_start: partial.iter().cloned().collect(),
                cold: ColdStarts::Never,
                ..FitOptions::warm(cell.last.clone())
            };
            let Ok(result) = fit(&spectrum, &cell.circuit, &options) else {
                continue;
            };
            let is_small = result.degrees_of_freedom() < 10;
            for (parameter, truth) in result.parameters.iter().zip(&cell.truth) {
                if !parameter.determined {
                    continue;
                }
                let is_wrong = if is_small {
                    let interval = result.interval(&parameter.name, 0.999);
                    interval.is_some_and(|(lower, upper)| !(lower..=upper).contains(truth))
                } else {
                    (parameter.value - truth).abs() > 5.0 * parameter.std_error.unwrap()
                };
                claims += 1;
                wrong += usize::from(is_wrong);
                few += usize::from(is_small);
                few_wrong += usize::from(is_small && is_wrong);
            }
            partial = Some(values(&result));
        }
    }
    println!("{wrong} of {claims} claims wrong; with fewer than ten degrees of freedom {few_wrong} of {few}");
    assert!(claims > 35_000, "one must say what one knows: {claims}");
    assert!(wrong * 500 <= claims, "{wrong} of {claims}");
    assert!(few > 200 && few_wrong * 200 <= few, "{few_wrong} of {few}");
}
