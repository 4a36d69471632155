//! Verdicts in words.

use super::verdict::{Limits, Verdict};
use super::{Component, Evidence, LEAST_DECADES, LEAST_POINTS, LinearFit, Stage, Stretch, UNRELIABLE_POINTS};
use crate::units::{Script, engineering};

/// What no pass can say.
pub const NOT_EXCLUDED: &str =
    "this does not exclude a non-linear answer, nor a drift that a blocking or diffusive tail hides";

/// Probability under noise below which residuals of neighbours go together.
const CORRELATED: f64 = 1e-4;

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
pub(super) fn of(fit: &LinearFit, verdict: Verdict, stage: Stage) -> Vec<String> {
    let Some(evidence) = &fit.evidence else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    let limits = Limits::DEFAULT;
    if evidence.p() < limits.suspect_p {
        against(fit, evidence, &mut reasons);
        if verdict == Verdict::Pass {
            reasons.push(format!(
                "too small to matter: no residual is over {} %",
                limits.suspect_percent
            ));
        }
    } else if evidence.lag_one_p < CORRELATED {
        reasons.push(format!(
            "the residuals are of the size of noise, but neighbours go together (correlation {:.2}): something small \
             is not random",
            evidence.lag_one
        ));
    } else {
        reasons.push("the residuals are noise".to_owned());
    }
    if verdict == Verdict::Pass {
        reasons.push(NOT_EXCLUDED.to_owned());
    }
    if stage == Stage::Running {
        reasons.push(format!(
            "the sweep still runs; its lowest {UNRELIABLE_POINTS} points are not yet reliable"
        ));
    }
    reasons
}

fn against(fit: &LinearFit, evidence: &Evidence, reasons: &mut Vec<String>) {
    let limits = Limits::DEFAULT;
    let largest = fit.largest();
    let told = |p: f64| p < limits.suspect_p;
    if let Some(stretch) = evidence.low_end.filter(|stretch| told(stretch.p)) {
        reasons.push(at_low_end(&stretch));
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

/// A course of one sign that noise would make in three of a thousand spectra at most is what a cell does that changes
/// while its slow end is measured; less than that has other explanations too.
fn at_low_end(stretch: &Stretch) -> String {
    let course = format!(
        "residuals {} below {}",
        if stretch.mean_percent > 0.0 {
            "rise"
        } else {
            "fall"
        },
        hertz(stretch.from_hz)
    );
    if stretch.one_sign && stretch.p < Limits::DEFAULT.fail_p {
        format!("{course}, all of one sign: the cell drifted during the sweep")
    } else {
        let signs = if stretch.one_sign {
            "all of one sign"
        } else {
            "of changing sign"
        };
        format!("{course}, {signs}: as from drift, or from a slow answer that is not linear")
    }
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
