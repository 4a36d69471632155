//! From evidence to a verdict: both significance against the noise and size are needed.

use super::{Evidence, LinearFit, Stage, Stretch, UNRELIABLE_POINTS};

/// What a test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing speaks against the data.
    Pass,
    /// Look before you use it.
    Suspect,
    /// Not the spectrum of a linear, causal and stationary cell.
    Fail,
}

impl Verdict {
    /// The word used in JSON, in recordings and on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Suspect => "suspect",
            Self::Fail => "fail",
        }
    }
}

/// Where the verdict turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Probability under noise alone below which a spectrum can be suspect.
    pub suspect_p: f64,
    /// Largest residual in percent from which it can be.
    pub suspect_percent: f64,
    /// Probability below which it can fail.
    pub fail_p: f64,
    /// Residual in percent of at least two points from which it can.
    pub fail_percent: f64,
    /// Mean residual in percent of a stretch at the low end from which it can fail whatever the largest is.
    pub low_end_fail_percent: f64,
}

impl Limits {
    /// Those in use. By simulation the probabilities give at most 5 % false suspects and 1 % false failures.
    pub const DEFAULT: Self = Self {
        suspect_p: 0.02,
        suspect_percent: 1.0,
        fail_p: 0.003,
        fail_percent: 2.0,
        low_end_fail_percent: 1.0,
    };
}

/// The verdict on a fit; none where the noise is not known.
pub(super) fn of(fit: &LinearFit, stage: Stage) -> Option<Verdict> {
    let evidence = fit.evidence.as_ref()?;
    let limits = Limits::DEFAULT;
    let p = evidence.p();
    let (size, second) = largest_judged(fit, stage);
    let trend = low_end_trend(evidence).map_or(0.0, |stretch| stretch.mean_percent.abs());
    if p < limits.fail_p && (second > limits.fail_percent || trend > limits.low_end_fail_percent) {
        return Some(Verdict::Fail);
    }
    if p < limits.suspect_p && size > limits.suspect_percent {
        return Some(Verdict::Suspect);
    }
    Some(Verdict::Pass)
}

/// A stretch at the low end that noise would hardly make.
pub(super) fn low_end_trend(evidence: &Evidence) -> Option<Stretch> {
    evidence
        .low_end
        .filter(|stretch| stretch.p < Limits::DEFAULT.fail_p)
}

/// Residuals in percent of the worst point that counts and of the second worst. One bad point does not condemn a
/// spectrum: it can be left out.
fn largest_judged(fit: &LinearFit, stage: Stage) -> (f64, f64) {
    let left_out = match stage {
        Stage::Complete => 0,
        Stage::Running => UNRELIABLE_POINTS,
    };
    fit.residuals[..fit.residuals.len().saturating_sub(left_out)]
        .iter()
        .map(super::Residual::size_percent)
        .fold((0.0, 0.0), |(first, second), size| {
            (f64::max(first, size), f64::max(second, f64::min(first, size)))
        })
}
