//! Time of a distribution of relaxation times: 81 points, 100 time constants, three weights of the penalty. Read the
//! ratio to `drt/dense_cholesky_102` of the same run, because absolute times move with the machine's load.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use interphase::analysis::drt::{DrtOptions, drt};
use interphase::spectrum::Spectrum;
use nalgebra::DMatrix;
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn spectrum(low_exponent: f64, count: usize, z: impl Fn(Complex64) -> Complex64) -> Spectrum {
    let mut generator = ChaCha8Rng::seed_from_u64(77);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let step = (low_exponent - 6.0) / (count - 1) as f64;
    let frequencies: Vec<f64> = (0..count).map(|i| 10f64.powf(6.0 + step * i as f64)).collect();
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|f| {
            let z = z(Complex64::new(0.0, std::f64::consts::TAU * f));
            z + 0.005 * z.norm() * Complex64::new(draw(), draw())
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

fn times(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("drt");
    let two = spectrum(-2.0, 81, |s| {
        5.0 + 20.0 / (1.0 + (s * 2e-5).powf(0.9)) + 40.0 / (1.0 + (s * 2e-2).powf(0.85))
    });
    let tail = spectrum(-3.0, 100, |s| {
        10.0 + 1.0 / (1.0 / 50.0 + 1e-6 * s.powf(0.9)) + 100.0 / s.sqrt()
    });
    let given = DrtOptions {
        lambda: Some(3e-5),
        ..DrtOptions::default()
    };
    for (name, spectrum, options) in [
        ("81_points_given_lambda", &two, &given),
        ("81_points_cross_validation", &two, &DrtOptions::default()),
        ("100_points_with_a_tail", &tail, &DrtOptions::default()),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| drt(black_box(spectrum), options)));
    }
    // The reference: one factorisation of a matrix of the same size.
    let matrix = DMatrix::from_fn(102, 102, |i, j| {
        (-(0.1 * (i as f64 - j as f64)).powi(2)).exp() + if i == j { 1e-3 } else { 0.0 }
    });
    group.bench_function("dense_cholesky_102", |bencher| {
        bencher.iter(|| black_box(&matrix).clone().cholesky());
    });
    group.finish();
}

criterion_group!(benches, times);
criterion_main!(benches);
