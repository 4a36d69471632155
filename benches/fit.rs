//! Times of one evaluation and of one fit. Groups are named `evaluation/...` and `fit/...`; read the ratio of a
//! fit to `evaluation/hard_coded_*` of the same run, because absolute times move with the machine's load. At the end
//! the times of the search alone are printed in microseconds and in such evaluations (see `fit/searches.rs`); with a
//! filter that no group matches, `cargo bench --bench fit -- searches`, nothing else runs.

#[path = "fit/hard_coded.rs"]
mod hard_coded;
#[path = "fit/searches.rs"]
mod searches;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use interphase::analysis::fit::{ColdStarts, FitOptions, fit};
use interphase::circuit::{Circuit, Grid};
use interphase::spectrum::Spectrum;
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

struct Case {
    name: &'static str,
    circuit: Circuit,
    truth: Vec<f64>,
    frequencies: Vec<f64>,
    spectrum: Spectrum,
}

impl Case {
    /// The last sweep's optimum, drifted by some percent.
    fn drifted(&self) -> Vec<f64> {
        let drift = |(i, value): (usize, &f64)| value * if i % 2 == 0 { 1.01 } else { 0.99 };
        self.truth.iter().enumerate().map(drift).collect()
    }
}

fn case(name: &'static str, text: &str, truth: &[f64], first_hz: f64, last_hz: f64, points: usize) -> Case {
    let circuit = match Circuit::parse(text) {
        Ok(circuit) => circuit,
        Err(error) => panic!("{error}"),
    };
    let step = (last_hz / first_hz).ln() / (points - 1) as f64;
    let frequencies: Vec<f64> = (0..points).map(|i| first_hz * (step * i as f64).exp()).collect();
    let mut generator = ChaCha8Rng::seed_from_u64(7);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|&f| {
            let z = circuit.impedance(truth, f);
            z + 0.005 * z.norm() * Complex64::new(draw(), draw())
        })
        .collect();
    let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
    Case {
        name,
        circuit,
        truth: truth.to_vec(),
        frequencies,
        spectrum,
    }
}

/// R0-p(R1,CPE1)-W1: the article's reference case.
fn randles() -> Case {
    let truth = [10.0, 50.0, 1e-6, 0.9, 100.0 * std::f64::consts::FRAC_1_SQRT_2];
    case(
        "5_parameters_100_points",
        "R0-p(R1,CPE1)-W1",
        &truth,
        1e6,
        1e-3,
        100,
    )
}

/// Nine parameters: two arcs and finite-length diffusion against a reflecting end.
fn two_arcs_and_finite_diffusion() -> Case {
    let truth = [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 30.0];
    case(
        "9_parameters_100_points",
        "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1",
        &truth,
        1e6,
        1e-3,
        100,
    )
}

/// The solid-state cell of the shipped profile.
fn cell() -> Case {
    let truth = [3e-7, 20.0, 46.0, 2.48148e-6, 0.85, 44.0, 4.691476e-5, 0.80];
    case(
        "8_parameters_64_points",
        "L0-R0-p(R1,CPE1)-p(R2,CPE2)",
        &truth,
        200e3,
        0.1,
        64,
    )
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluation");
    let randles = randles();
    let data = hard_coded::points(&randles.spectrum);
    group.bench_function("hard_coded_5_parameters_100_points", |bencher| {
        bencher.iter(|| hard_coded::randles(black_box(&randles.truth), &data));
    });
    let nine = two_arcs_and_finite_diffusion();
    let data = hard_coded::points(&nine.spectrum);
    group.bench_function("hard_coded_9_parameters_100_points", |bencher| {
        bencher
            .iter(|| hard_coded::two_arcs_and_finite_diffusion(black_box(&nine.truth), &data, f64::INFINITY));
    });
    for case in [randles, cell(), nine] {
        let grid = Grid::new(case.frequencies.iter().copied());
        let mut workspace = case.circuit.tape().workspace(&grid);
        group.bench_function(format!("tape_{}", case.name), |bencher| {
            bencher.iter(|| {
                case.circuit
                    .tape()
                    .evaluate(&grid, black_box(&case.truth), &mut workspace);
                workspace.impedance().0[0]
            });
        });
    }
    group.finish();
}

fn fits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit");
    for case in [randles(), cell()] {
        let last = case.drifted();
        let warm = FitOptions {
            cold: ColdStarts::Never,
            ..FitOptions::warm(last)
        };
        let far: Vec<f64> = case
            .circuit
            .parameters()
            .iter()
            .zip(&case.truth)
            .enumerate()
            .map(|(i, (spec, v))| match spec.unit {
                "1" => 0.7,
                _ if i % 2 == 0 => v * 3.0,
                _ => v / 3.0,
            })
            .collect();
        let one_start = FitOptions {
            cold: ColdStarts::Never,
            ..FitOptions::warm(far)
        };
        for (kind, options) in [
            ("warm", warm),
            ("one_start_3x_off", one_start),
            ("no_start", FitOptions::default()),
        ] {
            group.bench_function(format!("{kind}_{}", case.name), |bencher| {
                bencher.iter(|| fit(black_box(&case.spectrum), &case.circuit, &options));
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    // Short, so that a whole run takes less than a minute.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = evaluation, fits
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // Only under `cargo bench`: tests and listings of benches pass other arguments.
    let arguments: Vec<String> = std::env::args().collect();
    let has = |argument: &str| arguments.iter().any(|given| given == argument);
    if has("--bench") && !has("--list") && !has("--test") {
        searches::print();
    }
}
