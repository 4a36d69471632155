//! What speaks against a spectrum that the Kramers-Kronig test alone passes: a drift that is known from the sweep before,
//! and a modulus that is not the one of the phase. One rule for a running session and for files.

use super::kramers_kronig::{Judgement, Limits, Verdict};
use super::repeats::Drift;
use super::zhit::Zhit;

/// Standard errors that a drift exceeds before it is put into words.
const SIGNIFICANT: f64 = 3.0;
/// Difference in percent between modulus and phase from which a pass becomes suspect. Below it the neglected terms of the
/// sum can be meant, beside a sharp arc or at the ends of the range.
pub const ZHIT_PERCENT: f64 = 5.0;
/// Neighbouring points that differ so.
const ZHIT_POINTS: usize = 3;

/// A drift with its standard error in percent, which is not known without the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownDrift {
    /// Change of |Z| at the low end in percent during the sweep.
    pub percent: f64,
    /// Its standard error.
    pub std_error_percent: Option<f64>,
}

impl KnownDrift {
    /// The drift of a sweep whose noise, in percent of |Z|, is known or not.
    #[must_use]
    pub fn of(drift: Drift, noise_percent: Option<f64>) -> Self {
        Self {
            percent: drift.percent,
            std_error_percent: noise_percent.map(|noise| drift.std_error_percent(noise)),
        }
    }

    /// Whether it is more than so many percent, and not noise.
    fn exceeds(&self, percent: f64) -> bool {
        let size = self.percent.abs();
        let error = self.std_error_percent;
        size > percent && error.is_some_and(|error| size > SIGNIFICANT * error)
    }
}

/// Tells a drift that is large enough for words. Residuals that are more than noise, but small, are not too small to matter
/// where the cell is known to drift: a pass becomes suspect.
pub fn by_drift(judgement: &mut Judgement, drift: &KnownDrift) {
    if !drift.exceeds(Limits::DEFAULT.suspect_percent) {
        return;
    }
    let words = format!(
        "|Z| at the low end changes by {:+.1} % during a sweep, at the rate since the sweep before",
        drift.percent
    );
    let is_large = drift.exceeds(Limits::DEFAULT.fail_percent);
    if judgement.verdict == Some(Verdict::Pass) && is_large && !judgement.is_noise() {
        judgement.doubt(words);
    } else {
        judgement.reasons.push(words);
    }
}

/// Makes a pass suspect where the modulus differs from what the phase tells by more than noise, method and
/// [`ZHIT_PERCENT`] in a stretch of at least three points.
pub fn by_zhit(judgement: &mut Judgement, zhit: &Zhit) {
    if judgement.verdict != Some(Verdict::Pass) {
        return;
    }
    let differs = |percent: f64, tolerance: f64| percent.abs() > ZHIT_PERCENT && percent.abs() > tolerance;
    let is_there = zhit.disagreements().into_iter().find(|stretch| {
        let within = zhit.points.iter().filter(|point| {
            (stretch.to_hz..=stretch.from_hz).contains(&point.frequency_hz) && point.disagrees()
        });
        stretch.points >= ZHIT_POINTS
            && within
                .clone()
                .any(|point| differs(point.deviation_percent, point.tolerance_percent))
    });
    if let Some(stretch) = is_there {
        judgement.doubt(stretch.in_words());
    }
}
