//! Which points speak against a spectrum.

use super::{Component, Judgement, Limits, Stage, Stretch, UNRELIABLE_POINTS, Verdict};
use crate::spectrum::Spectrum;

/// Standard deviations of the noise that the residual of a doubtful point exceeds.
const BEYOND_NOISE: f64 = 3.0;

/// Indices in the spectrum of the usable points from high to low frequency, as they are judged.
fn order(spectrum: &Spectrum) -> Vec<usize> {
    let frequency = |index: usize| spectrum.points[index].frequency_hz;
    let mut order: Vec<usize> = (0..spectrum.points.len())
        .filter(|index| spectrum.points[*index].is_usable())
        .collect();
    order.sort_by(|a, b| frequency(*b).total_cmp(&frequency(*a)));
    order
}

/// Indices of the points of a running sweep whose residuals say nothing yet.
#[must_use]
pub fn unreliable_points(spectrum: &Spectrum) -> Vec<usize> {
    let mut order = order(spectrum);
    order.split_off(order.len().saturating_sub(UNRELIABLE_POINTS))
}

impl Judgement {
    /// Indices of the points of the judged `spectrum` that speak against it, in rising order: residuals that are
    /// both large and more than noise, and stretches that noise would hardly make. None where the verdict is pass.
    #[must_use]
    pub fn doubtful_points(&self, spectrum: &Spectrum, stage: Stage) -> Vec<usize> {
        let (Some(fit), Some(noise)) = (&self.fit, &self.noise) else {
            return Vec::new();
        };
        if self.verdict.is_none_or(|verdict| verdict == Verdict::Pass) {
            return Vec::new();
        }
        let limits = Limits::DEFAULT;
        let told = |stretch: Option<Stretch>| stretch.filter(|stretch| stretch.p < limits.suspect_p);
        let stretches: Vec<Stretch> = fit
            .evidence
            .iter()
            .flat_map(|evidence| [told(evidence.low_end), told(evidence.stretch)])
            .flatten()
            .collect();
        let judged = match stage {
            Stage::Complete => fit.residuals.len(),
            Stage::Running => fit.residuals.len().saturating_sub(UNRELIABLE_POINTS),
        };
        let mut doubtful: Vec<usize> = order(spectrum)
            .into_iter()
            .zip(&fit.residuals)
            .take(judged)
            .filter(|(index, residual)| {
                let modulus = spectrum.points[*index].impedance().norm();
                let noise_percent = 100.0 * noise.at(modulus) / modulus;
                let size = residual.size_percent();
                (size > limits.suspect_percent && size > BEYOND_NOISE * noise_percent)
                    || stretches.iter().any(|stretch| {
                        let part = match stretch.component {
                            Component::Real => residual.real_percent,
                            Component::Imaginary => residual.imag_percent,
                        };
                        (stretch.to_hz..=stretch.from_hz).contains(&residual.frequency_hz)
                            && part * stretch.mean_percent > 0.0
                            && part.abs() > noise_percent
                    })
            })
            .map(|(index, _)| index)
            .collect();
        doubtful.sort_unstable();
        doubtful
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::super::judge;
    use super::*;
    use crate::circuit::Circuit;

    /// 71 points from 100 kHz to 10 mHz with 0.1 % noise; every impedance grows by `drift` of itself until the end.
    fn spectrum(drift: f64) -> Spectrum {
        let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let mut draw = || -> f64 { 1e-3 * Distribution::<f64>::sample(&StandardNormal, &mut generator) };
        let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
        let whole: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
        let mut passed = 0.0;
        let impedance: Vec<Complex64> = frequencies
            .iter()
            .map(|&f| {
                passed += 1.0 / f;
                let grown = 1.0 + drift * passed / whole;
                let z = circuit.impedance(&[10.0, 100.0, 1e-4, 0.85], f) * grown;
                z + z.norm() * Complex64::new(draw(), draw())
            })
            .collect();
        Spectrum::from_impedance(&frequencies, &impedance)
    }

    #[test]
    fn a_sound_spectrum_has_no_doubtful_points() {
        let spectrum = spectrum(0.0);
        let judgement = judge(&spectrum, None, Stage::Complete);
        assert_eq!(judgement.verdict, Some(Verdict::Pass));
        assert!(judgement.doubtful_points(&spectrum, Stage::Complete).is_empty());
    }

    #[test]
    fn drift_makes_the_low_end_doubtful_and_leaves_the_high_end_alone() {
        let spectrum = spectrum(0.3);
        let judgement = judge(&spectrum, None, Stage::Complete);
        assert_ne!(judgement.verdict, Some(Verdict::Pass));
        let doubtful = judgement.doubtful_points(&spectrum, Stage::Complete);
        assert!(doubtful.iter().any(|index| *index > 60), "{doubtful:?}");
        assert!(doubtful.iter().all(|index| *index > 35), "{doubtful:?}");
    }

    #[test]
    fn the_end_of_a_running_sweep_is_unreliable_and_not_doubtful() {
        let mut spectrum = spectrum(0.3);
        spectrum.points[70].status = crate::spectrum::PointStatus::Overload;
        assert_eq!(unreliable_points(&spectrum), [68, 69]);
        let judgement = judge(&spectrum, None, Stage::Running);
        let doubtful = judgement.doubtful_points(&spectrum, Stage::Running);
        assert!(doubtful.iter().all(|index| *index < 68), "{doubtful:?}");
        // A rising sweep has its low end first.
        spectrum.points.reverse();
        assert_eq!(unreliable_points(&spectrum), [2, 1]);
    }

    #[test]
    fn too_few_points_are_all_unreliable() {
        let mut spectrum = spectrum(0.0);
        spectrum.points.truncate(1);
        assert_eq!(unreliable_points(&spectrum), [0]);
        assert!(unreliable_points(&Spectrum::default()).is_empty());
    }
}
