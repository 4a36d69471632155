//! Times of one evaluation and of one fit. Groups are named `evaluation/...` and `fit/...`; read the ratio of a
//! fit to `evaluation/hard_coded_*` of the same run, because absolute times move with the machine's load.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
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

/// What a program for this one circuit would do: value, derivatives, J'r and J'J, point by point.
fn hard_coded_randles(p: &[f64], data: &[(f64, f64, f64, Complex64)]) -> ([[f64; 5]; 5], [f64; 5], f64) {
    let (mut curvature, mut gradient, mut chi_squared) = ([[0.0; 5]; 5], [0.0; 5], 0.0);
    let (sin, cos) = (p[3] * std::f64::consts::FRAC_PI_2).sin_cos();
    for &(ln_omega, inverse_sqrt_omega, weight, measured) in data {
        let magnitude = p[1] * p[2] * (p[3] * ln_omega).exp();
        let x = Complex64::new(magnitude * cos, magnitude * sin);
        let inverse = 1.0 / (1.0 + x);
        let arc = p[1] * inverse;
        let slope = -arc * inverse * x;
        let diffusion = p[4] * Complex64::new(inverse_sqrt_omega, -inverse_sqrt_omega);
        let residual = weight * (p[0] + arc + diffusion - measured);
        let by_ln = [
            Complex64::new(p[0], 0.0),
            arc * inverse,
            slope,
            slope * Complex64::new(ln_omega, std::f64::consts::FRAC_PI_2),
            diffusion,
        ];
        chi_squared += residual.norm_sqr();
        for row in 0..5 {
            let left = weight * by_ln[row];
            gradient[row] += left.re * residual.re + left.im * residual.im;
            for column in 0..=row {
                let right = weight * by_ln[column];
                curvature[row][column] += left.re * right.re + left.im * right.im;
            }
        }
    }
    (curvature, gradient, chi_squared)
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluation");
    let randles = randles();
    let data: Vec<_> = randles
        .frequencies
        .iter()
        .zip(&randles.spectrum.points)
        .map(|(f, point)| {
            let omega = f * std::f64::consts::TAU;
            (
                omega.ln(),
                omega.sqrt().recip(),
                point.impedance().norm().recip(),
                point.impedance(),
            )
        })
        .collect();
    group.bench_function("hard_coded_5_parameters_100_points", |bencher| {
        bencher.iter(|| hard_coded_randles(black_box(&randles.truth), &data));
    });
    for case in [randles, cell()] {
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
        // The last sweep's optimum, drifted by some percent.
        let last: Vec<f64> = case
            .truth
            .iter()
            .enumerate()
            .map(|(i, v)| v * if i % 2 == 0 { 1.01 } else { 0.99 })
            .collect();
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

criterion_group!(benches, evaluation, fits);
criterion_main!(benches);
