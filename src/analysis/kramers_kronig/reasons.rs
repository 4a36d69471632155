//! Verdicts in words.

use super::verdict::{Limits, Verdict};
use super::{
    Component, Evidence, LEAST_DECADES, LEAST_POINTS, LinearFit, Residual, Stage, Stretch, UNRELIABLE_POINTS,
};
use crate::units::{Script, engineering};

/// What no pass can say.
pub const NOT_EXCLUDED: &str =
    "this does not exclude a non-linear answer, nor a drift that a blocking or diffusive tail hides";

/// Points of a run of one sign.
const LEAST_RUN: usize = 3;
/// Sum of squares in units of the noise, over its degrees of freedom, from which a pass is told that its residuals are
/// not noise alone. A sum of RC elements ends with the range, which leaves a sound spectrum with a CPE or a Warburg tail up
/// to 3 at noise of 0.1 %.
const NOT_NOISE_ALONE: f64 = 4.0;
/// Noise in percent from which a pass says what it cannot see.
const BLIND_PERCENT: f64 = 0.5;
/// Standard deviations of the noise below which nothing is seen.
const SEEN: f64 = 3.0;
/// How the sentence about the noise begins.
const NOISE_IS: &str = "noise is ";
/// Probability under noise below which residuals of neighbours go together.
const CORRELATED: f64 = 1e-4;
/// Sum of squares in units of the noise, over its degrees of freedom, below which residuals are no more than rounding.
const SIZE_OF_NOISE: f64 = 0.25;

pub(super) fn too_short(points: usize, decades: f64) -> String {
    format!(
        "the range is too short to judge: {points} usable points over {decades:.1} decades; {LEAST_POINTS} points \
         and {LEAST_DECADES} decades are needed"
    )
}

pub(super) fn too_sparse(points: usize, decades: f64) -> String {
    format!(
        "too few points to judge: {points} over {decades:.1} decades do not determine two elements a decade; \
         measure at least 4 a decade"
    )
}

pub(super) fn unknown_noise() -> String {
    "the noise is not known, so that the residuals cannot be judged: the points are too few or too far apart; \
     repeat the sweep, or give standard errors"
        .to_owned()
}

/// Why a fit got its verdict, the strongest reason first.
pub(super) fn of(fit: &LinearFit, verdict: Verdict, stage: Stage, noise_percent: Option<f64>) -> Vec<String> {
    let Some(evidence) = &fit.evidence else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    let limits = Limits::DEFAULT;
    if evidence.p() < limits.suspect_p {
        match verdict {
            Verdict::Pass => reasons.push(of_small_residuals(fit, evidence)),
            _ => against(fit, evidence, &mut reasons),
        }
    } else if evidence.lag_one_p < CORRELATED && evidence.reduced_chi_squared > SIZE_OF_NOISE {
        reasons.push(format!(
            "the residuals are of the size of noise, but neighbours go together (correlation {:.2}): something small \
             is not random",
            evidence.lag_one
        ));
    } else {
        reasons.push("the residuals are noise".to_owned());
    }
    if verdict == Verdict::Pass {
        reasons.extend(
            noise_percent
                .filter(|noise| *noise > BLIND_PERCENT)
                .map(blindness),
        );
        reasons.push(NOT_EXCLUDED.to_owned());
    }
    if stage == Stage::Running {
        reasons.push(format!(
            "the sweep still runs; its lowest {UNRELIABLE_POINTS} points are not yet reliable"
        ));
    }
    reasons
}

/// What a pass says about residuals that noise would hardly make, all of them below the limit.
fn of_small_residuals(fit: &LinearFit, evidence: &Evidence) -> String {
    let size = fit.largest().map_or(0.0, |largest| largest.size_percent());
    if evidence.reduced_chi_squared > NOT_NOISE_ALONE {
        format!(
            "small residuals (max {size:.2} %) are not noise alone: the model's own error or a slight drift; the limit is \
             {} %",
            Limits::DEFAULT.suspect_percent
        )
    } else {
        format!("the residuals are small (max {size:.2} %) and about the size of the noise")
    }
}

/// What a pass cannot see.
fn blindness(noise_percent: f64) -> String {
    format!(
        "{NOISE_IS}{} %: residuals and drifts below about {} % would not be seen",
        short(noise_percent),
        short(SEEN * noise_percent)
    )
}

/// Two digits where there are no more before the point.
fn short(percent: f64) -> String {
    match percent {
        large if large >= 9.95 => format!("{large:.0}"),
        some => format!("{some:.1}"),
    }
}

/// Whether a reason is the one that says what the noise hides.
#[must_use]
pub fn is_about_noise(reason: &str) -> bool {
    reason.starts_with(NOISE_IS)
}

fn against(fit: &LinearFit, evidence: &Evidence, reasons: &mut Vec<String>) {
    let limits = Limits::DEFAULT;
    let largest = fit.largest();
    let told = |p: f64| p < limits.suspect_p;
    if let Some(stretch) = evidence.low_end.filter(|stretch| told(stretch.p)) {
        reasons.push(at_low_end(fit, &stretch));
    } else if let Some(stretch) = evidence.stretch.filter(|stretch| told(stretch.p)) {
        reasons.push(in_the_middle(&stretch));
    }
    if told(evidence.largest_p)
        && let Some(largest) = largest
    {
        reasons.push(format!(
            "a residual of {:.2} % at {} is more than noise",
            largest.size_percent(),
            hertz(largest.frequency_hz)
        ));
    }
    if told(evidence.chi_squared_p) {
        reasons.push(format!(
            "the residuals are {:.1} times the noise",
            evidence.reduced_chi_squared.sqrt()
        ));
    }
}

/// A course of one sign at the end of a stretch that noise would make in three of a thousand spectra at most is what a
/// cell does that changes while its slow end is measured; anything less has other explanations too.
fn at_low_end(fit: &LinearFit, stretch: &Stretch) -> String {
    let (from_hz, mean_percent, is_one_sign) = match run_of_one_sign(fit, stretch) {
        Some((from_hz, mean_percent)) => (from_hz, mean_percent, true),
        None => (stretch.from_hz, stretch.mean_percent, false),
    };
    let direction = if mean_percent > 0.0 { "rise" } else { "fall" };
    let course = format!("residuals {direction} below {}", hertz(from_hz));
    match (is_one_sign, stretch.p < Limits::DEFAULT.fail_p) {
        (true, true) => format!("{course}, all of one sign: the cell drifted during the sweep"),
        (true, false) => format!("{course}, all of one sign, as from drift"),
        (false, _) => {
            format!("{course}, of changing sign: as from drift, or from a slow answer that is not linear")
        }
    }
}

/// Highest frequency and mean of the residuals of one sign at the end of a stretch, where there are at least three that
/// average at least as much as the whole.
fn run_of_one_sign(fit: &LinearFit, stretch: &Stretch) -> Option<(f64, f64)> {
    let of = |residual: &Residual| match stretch.component {
        Component::Real => residual.real_percent,
        Component::Imaginary => residual.imag_percent,
    };
    let judged = fit
        .residuals
        .iter()
        .rev()
        .skip_while(|residual| residual.frequency_hz < stretch.to_hz)
        .take_while(|residual| residual.frequency_hz <= stretch.from_hz);
    let last = judged.clone().next().map(of)?;
    let run: Vec<&Residual> = judged.take_while(|residual| of(residual) * last > 0.0).collect();
    let mean = run.iter().map(|residual| of(residual)).sum::<f64>() / run.len() as f64;
    let first = run.last()?;
    (run.len() >= LEAST_RUN && mean.abs() >= stretch.mean_percent.abs()).then_some((first.frequency_hz, mean))
}

fn in_the_middle(stretch: &Stretch) -> String {
    format!(
        "{} residuals from {} to {} average {:+.2} %: something changed there, or the contact or range did",
        match stretch.component {
            Component::Real => "real",
            Component::Imaginary => "imaginary",
        },
        hertz(stretch.from_hz),
        hertz(stretch.to_hz),
        stretch.mean_percent
    )
}

fn hertz(frequency: f64) -> String {
    engineering(frequency, "Hz", Script::Ascii)
}
