//! Whether a larger circuit fits better than chance would let it, where no distribution is known: parametric
//! bootstrap of the likelihood ratio after G. J. McLachlan (1987), doi:10.2307/2347790.

use std::thread;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::nesting::Nesting;
use super::{Candidate, FitResult, RankOptions, fit_from, starts, values_of};
use crate::analysis::fit::Weight;
use crate::circuit::Grid;
use crate::spectrum::{Point, Spectrum};

/// A circuit and one that contains it.
pub(super) struct Pair<'a> {
    pub small: &'a Candidate,
    pub large: &'a Candidate,
    pub nesting: &'a Nesting,
    pub weight: Weight,
}

impl Pair<'_> {
    /// The decrease of chi-squared a further parameter over the reduced chi-squared of the larger circuit; never
    /// negative, none where nothing is left to divide by.
    pub fn f(&self, small: &FitResult, large: &FitResult) -> Option<f64> {
        let further = self.large.free() as f64 - self.small.free() as f64;
        let freedom = (2 * large.n_used) as f64 - self.large.free() as f64;
        let f = (small.chi_squared - large.chi_squared).max(0.0) / further / (large.chi_squared / freedom);
        Some(f).filter(|f| f.is_finite() && freedom > 0.0)
    }

    /// Probability of an F at least as large as the one found, if the smaller circuit were the true one:
    /// (1 + number of drawn spectra that reach it)/(1 + number drawn). None where the noise is not known.
    pub fn probability(
        &self,
        spectrum: &Spectrum,
        small: &FitResult,
        large: &FitResult,
        options: &RankOptions,
    ) -> Option<f64> {
        let observed = self.f(small, large)?;
        let null = Null::new(self, spectrum, small)?;
        let large_optimum = values_of(large);
        let resamples = options.resamples;
        let threads = options.threads.clamp(1, resamples.max(1));
        let count = |first: usize| {
            (first..resamples)
                .step_by(threads)
                .filter(|&index| {
                    let drawn = null.draw(options.seed, index as u64);
                    // A spectrum that cannot be fitted speaks against the larger circuit.
                    self.f_of(&drawn, &null, &large_optimum)
                        .is_none_or(|f| f >= observed)
                })
                .count()
        };
        let reached: usize = thread::scope(|scope| {
            let count = &count;
            let workers: Vec<_> = (1..threads)
                .map(|first| scope.spawn(move || count(first)))
                .collect();
            let own = count(0);
            let others = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or(resamples));
            own + others.sum::<usize>()
        });
        Some((1 + reached.min(resamples)) as f64 / (1 + resamples) as f64)
    }

    /// F of a drawn spectrum, by the same searches as for the measured one.
    fn f_of(&self, drawn: &Spectrum, null: &Null, large_optimum: &[f64]) -> Option<f64> {
        let small = fit_from(drawn, self.small, self.weight, vec![null.truth.clone()]).ok()?;
        let mut from = starts::extended(
            self.small,
            self.large,
            self.nesting,
            &values_of(&small),
            &null.grid,
        );
        from.push(large_optimum.to_vec());
        let large = fit_from(drawn, self.large, self.weight, from).ok()?;
        self.f(&small, &large)
    }
}

/// The world in which the smaller circuit is true.
struct Null {
    truth: Vec<f64>,
    grid: Grid,
    /// Points without noise.
    points: Vec<Point>,
    /// Standard deviations of both components.
    sigma: Vec<[f64; 2]>,
}

impl Null {
    fn new(pair: &Pair<'_>, spectrum: &Spectrum, small: &FitResult) -> Option<Self> {
        let noise = small.reduced_chi_squared?.sqrt();
        let truth = values_of(small);
        let points: Vec<Point> = spectrum
            .points
            .iter()
            .filter(|point| point.is_usable())
            .map(|point| {
                let z = pair.small.circuit.impedance(&truth, point.frequency_hz);
                Point {
                    std_error_ohm: point.std_error_ohm,
                    ..Point::new(point.frequency_hz, z.re, z.im)
                }
            })
            .collect();
        let sigma = points
            .iter()
            .map(|point| scale(point, pair.weight).map(|scale| noise * scale))
            .collect();
        let grid = Grid::new(points.iter().map(|point| point.frequency_hz));
        Some(Self {
            truth,
            grid,
            points,
            sigma,
        })
    }

    /// The spectrum with that number, whichever thread asks.
    fn draw(&self, seed: u64, index: u64) -> Spectrum {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(index + 1);
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        let points = self
            .points
            .iter()
            .zip(&self.sigma)
            .map(|(point, [real, imaginary])| Point {
                z_real_ohm: point.z_real_ohm + real * normal(),
                z_imag_ohm: point.z_imag_ohm + imaginary * normal(),
                ..point.clone()
            });
        Spectrum::from(points.collect::<Vec<_>>())
    }
}

/// What a residual of each component is divided by.
pub(super) fn scale(point: &Point, weight: Weight) -> [f64; 2] {
    let z = point.impedance();
    match weight {
        Weight::Modulus => [z.norm(); 2],
        Weight::Proportional => [z.re, z.im].map(|part| part.abs().max(0.01 * z.norm())),
        Weight::Unit => [1.0; 2],
        Weight::Sigma => [point.std_error_ohm.unwrap_or(f64::NAN); 2],
    }
}
