//! How noisy a spectrum is, told from the spectrum alone and never from a fit to it.
//!
//! Five neighbouring points lie on a cubic in ln f as long as the step is fine; what does not is noise. Drift is
//! smooth, so that it passes for signal here: that is wanted, because the noise is the yardstick by which drift
//! is found (see the error structure of P. Agarwal, M. E. Orazem and L. H. Garcia-Rubio 1992,
//! doi:10.1149/1.2069522, and B. A. Boukamp 1995, doi:10.1149/1.2044210).

use crate::spectrum::{Point, Spectrum};

/// Points of one window: a cubic has four coefficients, which leaves one number of noise.
const WINDOW: usize = 5;
/// Windows that an estimate needs.
const LEAST_WINDOWS: usize = 5;
/// The noise model is refined this often.
const ROUNDS: usize = 20;
/// Median of |x| of a standard normal x.
const NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
/// Mean of |x| of a standard normal x: sqrt(2/pi).
const NORMAL_MEAN: f64 = 0.797_884_560_802_865_4;
/// Deviations beyond this many standard deviations count as so many.
const CLIP: f64 = 3.0;

/// Where a noise figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseSource {
    /// Standard errors that stand with the points.
    Sigma,
    /// Differences between repeated sweeps.
    Repeats,
    /// Differences between neighbouring points.
    Local,
}

impl NoiseSource {
    /// The word used in JSON and in the recording.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sigma => "sigma",
            Self::Repeats => "repeats",
            Self::Local => "local",
        }
    }
}

/// Standard deviation of each component of Z as `alpha |Z| + beta`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Part that grows with |Z|, as a fraction.
    pub alpha: f64,
    /// Part that does not, in ohm.
    pub beta_ohm: f64,
    /// Where it comes from.
    pub source: NoiseSource,
}

impl Noise {
    /// Standard deviation of one component in ohm where |Z| is `modulus_ohm`.
    #[must_use]
    pub fn at(&self, modulus_ohm: f64) -> f64 {
        self.alpha * modulus_ohm + self.beta_ohm
    }

    /// Median over the usable points of the noise in percent of |Z|.
    #[must_use]
    pub fn percent(&self, spectrum: &Spectrum) -> f64 {
        let mut relative: Vec<f64> = usable(spectrum)
            .iter()
            .map(|point| {
                let modulus = point.impedance().norm();
                100.0 * self.at(modulus) / modulus
            })
            .collect();
        median(&mut relative)
    }

    /// The best that is known of the noise of a spectrum: the standard errors of its points where all usable
    /// ones have one, otherwise the differences between neighbours. None where the points are too few, or too
    /// far apart to tell noise from structure.
    #[must_use]
    pub fn of(spectrum: &Spectrum) -> Option<Self> {
        Self::from_sigma(spectrum).or_else(|| Self::from_neighbours(spectrum))
    }

    /// From standard errors that stand with the points.
    #[must_use]
    pub fn from_sigma(spectrum: &Spectrum) -> Option<Self> {
        let deviations: Option<Vec<Deviation>> = usable(spectrum)
            .iter()
            .map(|point| {
                let size = point
                    .std_error_ohm
                    .filter(|sigma| sigma.is_finite() && *sigma > 0.0)?;
                Some(Deviation {
                    modulus: point.impedance().norm(),
                    // As a deviation of average size.
                    size: size * NORMAL_MEAN,
                })
            })
            .collect();
        model(&deviations?, NoiseSource::Sigma)
    }

    /// From differences between neighbouring points.
    #[must_use]
    pub fn from_neighbours(spectrum: &Spectrum) -> Option<Self> {
        let mut points = usable(spectrum);
        points.sort_by(|a, b| b.frequency_hz.total_cmp(&a.frequency_hz));
        points.dedup_by(|a, b| (a.frequency_hz / b.frequency_hz).ln().abs() < 1e-3);
        let mut deviations = Vec::new();
        for window in points.windows(WINDOW) {
            let abscissa: Vec<f64> = window.iter().map(|point| point.frequency_hz.ln()).collect();
            let weights = beyond_cubic(&abscissa);
            let modulus = window[WINDOW / 2].impedance().norm();
            for component in [|p: &Point| p.z_real_ohm, |p: &Point| p.z_imag_ohm] {
                let size: f64 = window.iter().zip(&weights).map(|(p, w)| component(p) * w).sum();
                deviations.push(Deviation {
                    modulus,
                    size: size.abs(),
                });
            }
        }
        (deviations.len() >= 2 * LEAST_WINDOWS)
            .then(|| model(&deviations, NoiseSource::Local))
            .flatten()
    }

    /// From sweeps of one cell that were measured one after the other under the same conditions. What changes
    /// linearly from sweep to sweep is not noise. Needs three sweeps with the same frequencies.
    #[must_use]
    pub fn from_repeats(sweeps: &[Spectrum]) -> Option<Self> {
        let mut deviations = Vec::new();
        for three in sweeps.windows(3) {
            for middle in usable(&three[1]) {
                let same = |spectrum: &Spectrum| {
                    usable(spectrum)
                        .into_iter()
                        .find(|p| (p.frequency_hz / middle.frequency_hz - 1.0).abs() < 1e-3)
                        .cloned()
                };
                let (Some(before), Some(after)) = (same(&three[0]), same(&three[2])) else {
                    continue;
                };
                for component in [|p: &Point| p.z_real_ohm, |p: &Point| p.z_imag_ohm] {
                    let second = component(&before) - 2.0 * component(middle) + component(&after);
                    deviations.push(Deviation {
                        modulus: middle.impedance().norm(),
                        size: second.abs() / 6.0_f64.sqrt(),
                    });
                }
            }
        }
        (deviations.len() >= 2 * LEAST_WINDOWS)
            .then(|| model(&deviations, NoiseSource::Repeats))
            .flatten()
    }
}

/// |x| of something whose standard deviation is that of one component of Z.
struct Deviation {
    modulus: f64,
    size: f64,
}

/// alpha and beta, both at least zero, by least squares of |x| over its expectation, reweighted. Single wild
/// points are cut down.
fn model(deviations: &[Deviation], source: NoiseSource) -> Option<Noise> {
    let mut relative: Vec<f64> = deviations.iter().map(|d| d.size / d.modulus).collect();
    let start = median(&mut relative) / NORMAL_MEDIAN;
    if !start.is_finite() {
        return None;
    }
    let mut noise = Noise {
        alpha: start.max(1e-15),
        beta_ohm: 0.0,
        source,
    };
    for _ in 0..ROUNDS {
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for deviation in deviations {
            let expected = noise.at(deviation.modulus);
            let size = deviation.size.min(CLIP * expected) / NORMAL_MEAN / expected;
            let (a, b) = (deviation.modulus / expected, 1.0 / expected);
            aa += a * a;
            ab += a * b;
            bb += b * b;
            ay += a * size;
            by += b * size;
        }
        let determinant = aa * bb - ab * ab;
        let (alpha, beta) = if determinant > 1e-9 * aa * bb {
            (
                (ay * bb - by * ab) / determinant,
                (by * aa - ay * ab) / determinant,
            )
        } else {
            (ay / aa, 0.0)
        };
        // A negative part is none; the other then explains everything.
        let (alpha, beta) = match (alpha >= 0.0, beta >= 0.0) {
            (true, true) => (alpha, beta),
            (_, false) => (ay / aa, 0.0),
            (false, _) => (0.0, by / bb),
        };
        noise.alpha = alpha;
        noise.beta_ohm = beta;
        if noise.alpha + noise.beta_ohm <= 0.0 {
            noise.alpha = 1e-15;
        }
    }
    (noise.alpha.is_finite() && noise.beta_ohm.is_finite()).then_some(noise)
}

/// The unit vector that is orthogonal to every cubic over these five places: the divided difference of fourth
/// order, normalised. Applied to values with independent noise it gives their standard deviation.
fn beyond_cubic(abscissa: &[f64]) -> Vec<f64> {
    let mut weights: Vec<f64> = abscissa
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let product: f64 = abscissa
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .map(|(_, other)| x - other)
                .product();
            1.0 / product
        })
        .collect();
    let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
    weights.iter_mut().for_each(|w| *w /= norm);
    weights
}

fn usable(spectrum: &Spectrum) -> Vec<&Point> {
    spectrum.points.iter().filter(|point| point.is_usable()).collect()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::circuit::Circuit;

    fn spectrum(seed: u64, sigma: impl Fn(f64) -> f64, step: f64, drift: f64) -> Spectrum {
        let circuit = Circuit::parse("R0-p(R1,CPE1)-W1").unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
        let frequencies: Vec<f64> = (0..(7.0 / step) as usize)
            .map(|i| 10f64.powf(5.0 - step * i as f64))
            .collect();
        let impedance: Vec<Complex64> = frequencies
            .iter()
            .map(|&f| {
                let grown = 100.0 * (1.0 + drift * 0.01 / f);
                let z = circuit.impedance(&[10.0, grown, 1e-5, 0.85, 5.0], f);
                z + sigma(z.norm()) * Complex64::new(draw(), draw())
            })
            .collect();
        Spectrum::from_impedance(&frequencies, &impedance)
    }

    #[test]
    fn neighbours_tell_relative_noise() {
        for percent in [0.05, 0.5, 2.0] {
            let mut found: Vec<f64> = (0..60)
                .map(|seed| {
                    let spectrum = spectrum(seed, |z| percent / 100.0 * z, 0.1, 0.0);
                    Noise::of(&spectrum).unwrap().percent(&spectrum)
                })
                .collect();
            let typical = median(&mut found);
            assert!((typical / percent - 1.0).abs() < 0.08, "{percent} {typical}");
            assert!(found[0] > 0.6 * percent && found[59] < 1.6 * percent, "{found:?}");
        }
    }

    #[test]
    fn drift_is_not_noise() {
        let spectrum = spectrum(3, |z| 1e-3 * z, 0.1, 0.5);
        let found = Noise::of(&spectrum).unwrap().percent(&spectrum);
        assert!(found < 0.15, "{found}");
    }

    #[test]
    fn a_floor_in_ohm_is_told_from_a_fraction() {
        let spectrum = spectrum(4, |z| 1e-3 * z + 0.2, 0.02, 0.0);
        let noise = Noise::of(&spectrum).unwrap();
        assert!((noise.beta_ohm / 0.2 - 1.0).abs() < 0.3, "{noise:?}");
        assert!(noise.alpha < 3e-3, "{noise:?}");
    }

    #[test]
    fn errors_that_stand_with_the_points_come_first() {
        let mut spectrum = spectrum(5, |z| 0.01 * z, 0.1, 0.0);
        for point in &mut spectrum.points {
            point.std_error_ohm = Some(0.003 * point.impedance().norm());
        }
        let noise = Noise::of(&spectrum).unwrap();
        assert_eq!(noise.source, NoiseSource::Sigma);
        assert!((noise.alpha / 0.003 - 1.0).abs() < 1e-6, "{noise:?}");
    }

    #[test]
    fn repeats_tell_noise_under_a_steady_drift() {
        let sweeps: Vec<Spectrum> = (0..4)
            .map(|k| {
                let mut sweep = spectrum(10 + k, |z| 5e-3 * z, 0.1, 0.0);
                for point in &mut sweep.points {
                    point.z_real_ohm += 5.0 * k as f64;
                }
                sweep
            })
            .collect();
        let noise = Noise::from_repeats(&sweeps).unwrap();
        let percent = noise.percent(&sweeps[1]);
        assert!((percent / 0.5 - 1.0).abs() < 0.15, "{percent} {noise:?}");
    }

    #[test]
    fn too_few_points_tell_nothing() {
        let mut spectrum = spectrum(6, |z| 1e-3 * z, 0.1, 0.0);
        spectrum.points.truncate(8);
        assert_eq!(Noise::of(&spectrum), None);
        assert_eq!(Noise::from_repeats(&[]), None);
    }

    #[test]
    fn points_without_noise_or_without_sense_do_no_harm() {
        let exact = spectrum(7, |_| 0.0, 0.05, 0.0);
        assert!(Noise::of(&exact).unwrap().percent(&exact) < 0.01);
        let constant = Spectrum::from_impedance(&[1e3; 20], &[Complex64::new(1.0, 0.0); 20]);
        assert_eq!(Noise::of(&constant), None);
    }
}
