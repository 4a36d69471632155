//! What successive sweeps of one cell tell about each other: the noise, and how much the cell changes while it is
//! measured.

use num_complex::Complex64;

use super::noise::Noise;
use crate::spectrum::{Point, Spectrum};

/// Frequencies that differ by less than this fraction are the same.
const SAME_FREQUENCY: f64 = 1e-3;
/// Fraction of the points that must have a reading in every sweep.
const LEAST_COMMON: f64 = 0.8;
/// The two intervals between three sweeps may differ by this fraction.
const EVEN: f64 = 0.05;
/// Mean square of the difference of neighbours over the mean square: 2 for independent errors (J. von Neumann 1941,
/// doi:10.1214/aoms/1177731677), less where neighbours change together. The limit lies 2.7 standard deviations below
/// 2 for 60 points, and lets pass a change that adds a third to the variance.
const LEAST_ROUGHNESS: f64 = 1.5;
/// Ratio of successive frequencies that belong to the low end to its lowest.
const LOW_END: f64 = 10.0;

/// The noise from three successive sweeps under the same conditions, if the cell did not change in between by
/// anything but a steady drift.
///
/// A change that is not steady leaves second differences that vary smoothly with frequency, which would pass for
/// noise and hide what the noise is to show: then there is no answer. None as well where a sweep has points without a
/// time, other frequencies, or came later than its turn.
#[must_use]
pub fn noise_of_repeats(three: [&Spectrum; 3]) -> Option<Noise> {
    let begins = three.map(begin);
    let [first, second] = [begins[1]? - begins[0]?, begins[2]? - begins[1]?];
    if !(first > 0.0 && (second / first - 1.0).abs() < EVEN) {
        return None;
    }
    let middle: Vec<&Point> = usable(three[1]).collect();
    let differences: Vec<Complex64> = middle
        .iter()
        .filter_map(|point| {
            let before = of_frequency(three[0], point)?.impedance();
            let after = of_frequency(three[2], point)?.impedance();
            let z = point.impedance();
            Some((before - 2.0 * z + after) / z.norm())
        })
        .collect();
    if (differences.len() as f64) < LEAST_COMMON * middle.len() as f64 {
        return None;
    }
    if roughness(&differences)? < LEAST_ROUGHNESS {
        return None;
    }
    Noise::from_repeats(&three.map(Clone::clone))
}

/// Mean square of the difference of neighbours over the mean square.
fn roughness(values: &[Complex64]) -> Option<f64> {
    let size: f64 = values.iter().map(Complex64::norm_sqr).sum::<f64>() / values.len() as f64;
    let steps = values.windows(2).map(|pair| (pair[1] - pair[0]).norm_sqr());
    let step = steps.sum::<f64>() / (values.len().checked_sub(1)? as f64);
    (size > 0.0 && step.is_finite()).then_some(step / size)
}

/// How much a cell changes during a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Change of |Z| over the lowest decade in percent during the sweep, at the mean rate since the sweep before.
    pub percent: f64,
    /// Frequencies that it is the mean of.
    pub points: usize,
    /// Length of the sweep over the time between readings of one frequency.
    pub part: f64,
}

impl Drift {
    /// The drift of a sweep from the same frequencies of the sweep before. None where frequencies or times are
    /// missing.
    #[must_use]
    pub fn between(before: &Spectrum, sweep: &Spectrum) -> Option<Self> {
        let times = || usable(sweep).filter_map(|point| point.t_start_s);
        let length = times().fold(f64::NEG_INFINITY, f64::max) - times().fold(f64::INFINITY, f64::min);
        let lowest = usable(sweep)
            .map(|point| point.frequency_hz)
            .fold(f64::INFINITY, f64::min);
        let parts: Vec<(f64, f64)> = usable(sweep)
            .filter(|point| point.frequency_hz < LOW_END * lowest)
            .filter_map(|point| {
                let earlier = of_frequency(before, point)?;
                let part = length / (point.t_start_s? - earlier.t_start_s?);
                let change = (point.impedance().norm() / earlier.impedance().norm()).ln();
                (part > 0.0 && part.is_finite()).then_some((part, change))
            })
            .collect();
        let points = parts.len();
        let mean = |of: fn(&(f64, f64)) -> f64| parts.iter().map(of).sum::<f64>() / points as f64;
        let percent = 100.0 * mean(|(part, change)| part * change);
        percent.is_finite().then(|| Self {
            percent,
            points,
            part: mean(|(part, _)| *part),
        })
    }

    /// Standard error in percent where |Z| has noise of so many percent.
    #[must_use]
    pub fn std_error_percent(&self, noise_percent: f64) -> f64 {
        noise_percent * self.part * (2.0 / self.points as f64).sqrt()
    }
}

fn usable(spectrum: &Spectrum) -> impl Iterator<Item = &Point> {
    spectrum.points.iter().filter(|point| point.is_usable())
}

/// When a sweep began; none where a usable point has no time.
fn begin(spectrum: &Spectrum) -> Option<f64> {
    usable(spectrum)
        .map(|point| point.t_start_s.filter(|t| t.is_finite()))
        .try_fold(f64::INFINITY, |least, t| Some(least.min(t?)))
        .filter(|t| t.is_finite())
}

fn of_frequency<'a>(spectrum: &'a Spectrum, like: &Point) -> Option<&'a Point> {
    usable(spectrum).find(|point| (point.frequency_hz / like.frequency_hz - 1.0).abs() < SAME_FREQUENCY)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::analysis::noise::NoiseSource;
    use crate::circuit::Circuit;

    /// Three sweeps, one every 600 s, of a cell whose arc is multiplied by `grown` of the time in s.
    fn three(seed: u64, noise: f64, grown: impl Fn(f64) -> f64) -> [Spectrum; 3] {
        let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || -> f64 { noise * Distribution::<f64>::sample(&StandardNormal, &mut generator) };
        [0.0, 600.0, 1200.0].map(|begin| {
            let mut t = begin;
            let points = (0..61)
                .map(|i| {
                    let f = 10f64.powf(5.0 - 0.1 * f64::from(i));
                    let z = circuit.impedance(&[10.0, 100.0 * grown(t), 1e-5, 0.85], f);
                    let mut point = Point::new(f, z.re + z.norm() * draw(), z.im + z.norm() * draw());
                    point.t_start_s = Some(t);
                    t += 0.4 + 2.0 / f;
                    point
                })
                .collect();
            Spectrum { points }
        })
    }

    #[test]
    fn repeats_of_a_steady_cell_tell_the_noise() {
        let mut given = 0;
        for seed in 0..40 {
            let [a, b, c] = three(seed, 2e-3, |t| 1.0 + 1e-4 * t);
            if let Some(noise) = noise_of_repeats([&a, &b, &c]) {
                assert_eq!(noise.source, NoiseSource::Repeats);
                let percent = noise.percent(&c);
                assert!((0.14..0.27).contains(&percent), "{percent}");
                given += 1;
            }
        }
        assert!(given >= 37, "{given} of 40");
    }

    #[test]
    fn a_change_that_is_not_steady_does_not_pass_for_noise() {
        for seed in 0..40 {
            // Twice as large as it was, but only between the second and the third.
            let [a, b, c] = three(seed, 2e-3, |t| if t < 900.0 { 1.0 } else { 1.05 });
            assert_eq!(noise_of_repeats([&a, &b, &c]), None, "seed {seed}");
        }
    }

    #[test]
    fn sweeps_out_of_turn_or_without_times_tell_nothing() {
        let [a, b, c] = three(1, 2e-3, |_| 1.0);
        assert!(noise_of_repeats([&a, &b, &c]).is_some());
        assert_eq!(noise_of_repeats([&a, &c, &b]), None);
        let mut late = c.clone();
        late.points
            .iter_mut()
            .for_each(|point| *point.t_start_s.as_mut().unwrap() += 60.0);
        assert_eq!(noise_of_repeats([&a, &b, &late]), None);
        let mut timeless = b.clone();
        timeless.points[7].t_start_s = None;
        assert_eq!(noise_of_repeats([&a, &timeless, &c]), None);
        let mut others = b;
        others
            .points
            .iter_mut()
            .for_each(|point| point.frequency_hz *= 1.05);
        assert_eq!(noise_of_repeats([&a, &others, &c]), None);
        assert_eq!(noise_of_repeats([&Spectrum::default(); 3].map(|s| s)), None);
    }

    #[test]
    fn drift_is_what_the_low_end_changes_by_during_a_sweep() {
        // 0.01 % a second of the arc; a sweep to 0.1 Hz with 2 periods and 0.4 s a point takes so long:
        let length: f64 = (0..60)
            .map(|i| 0.4 + 2.0 / 10f64.powf(5.0 - 0.1 * f64::from(i)))
            .sum();
        let [a, b, _] = three(1, 0.0, |t| 1.0 + 1e-4 * t);
        let drift = Drift::between(&a, &b).unwrap();
        let arc = 100.0 / 110.0;
        let expected = 100.0 * 1e-4 * length * arc;
        assert!(
            (drift.percent / expected - 1.0).abs() < 0.1,
            "{drift:?} {expected}"
        );
        assert_eq!(drift.points, 10);
        assert!((drift.part - length / 600.0).abs() < 1e-9, "{drift:?}");
        let spread: Vec<f64> = (0..60)
            .map(|seed| {
                let [a, b, _] = three(seed, 2e-3, |_| 1.0);
                Drift::between(&a, &b).unwrap().percent
            })
            .collect();
        let observed = (spread.iter().map(|x| x * x).sum::<f64>() / 60.0).sqrt();
        let expected = drift.std_error_percent(0.2);
        assert!((observed / expected - 1.0).abs() < 0.3, "{observed} {expected}");
    }

    #[test]
    fn nothing_in_common_gives_no_drift() {
        let [a, mut b, _] = three(1, 0.0, |_| 1.0);
        assert_eq!(Drift::between(&Spectrum::default(), &b), None);
        b.points.iter_mut().for_each(|point| point.t_start_s = None);
        assert_eq!(Drift::between(&a, &b), None);
    }
}
