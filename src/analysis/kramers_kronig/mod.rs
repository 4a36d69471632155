//! Kramers-Kronig test: is a spectrum that of a linear, causal and stationary cell?
//!
//! A sum of a resistance, an inductance, a series capacitance and many RC elements of either sign obeys the
//! Kramers-Kronig relations whatever its coefficients, and comes as close as wanted to every spectrum that obeys
//! them (B. A. Boukamp 1995, doi:10.1149/1.2044210; M. Schonleber, D. Klotz and E. Ivers-Tiffee 2014,
//! doi:10.1016/j.electacta.2014.01.034). What such a sum cannot describe is judged in units of the noise, which
//! comes from repeats, standard errors or neighbours and never from the residuals that are judged.

mod choice;
mod doubt;
mod evidence;
mod normal;
mod orthogonal;
mod problem;
mod reasons;
mod sign;
#[cfg(test)]
mod tests;
mod verdict;

use crate::analysis::noise::{Noise, NoiseSource};
use crate::spectrum::{Point, Spectrum};
pub use doubt::unreliable_points;
pub use evidence::{Component, Evidence, Stretch};
use orthogonal::Orthogonal;
use problem::{CAPACITANCE, Design, FIXED_COLUMNS, INDUCTANCE, Problem};
pub use reasons::{NOT_EXCLUDED, is_about_noise};
pub use verdict::{Limits, Verdict};

/// The name of the method in JSON and in recordings.
pub const METHOD: &str = "lin-kk";
/// Decades that a judgement needs.
pub const LEAST_DECADES: f64 = 2.0;
/// Points that a judgement needs.
pub const LEAST_POINTS: usize = 12;
/// Points at the end of a running sweep whose residuals say nothing yet.
pub const UNRELIABLE_POINTS: usize = 2;
/// Part of |Z| below which nothing is noise: what the arithmetic and the digits of data leave of an exact spectrum.
const LEAST_NOISE: f64 = 1e-6;
/// Standard deviations from which a coefficient is there.
const SIGNIFICANT: f64 = 4.0;

/// What is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Z as a series connection.
    #[default]
    Impedance,
    /// 1/Z as a parallel connection; the better one where the cell blocks.
    Admittance,
}

impl Form {
    /// The word used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Impedance => "impedance",
            Self::Admittance => "admittance",
        }
    }
}

/// How the number of RC elements is found, from 2 a decade on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The first with mu < 0.85.
    FirstMu,
    /// The first whose residual is at the noise, or that has mu < 0.85, and from which more elements do not
    /// explain much more.
    #[default]
    NoiseAndMu,
}

/// What is left at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Frequency in Hz.
    pub frequency_hz: f64,
    /// Real part in percent of |Z| (of |Y| in the form of admittance).
    pub real_percent: f64,
    /// Imaginary part in percent of |Z|.
    pub imag_percent: f64,
}

impl Residual {
    /// The larger part in percent.
    #[must_use]
    pub fn size_percent(&self) -> f64 {
        self.real_percent.abs().max(self.imag_percent.abs())
    }
}

/// A fitted sum of elements.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearFit {
    /// What was fitted.
    pub form: Form,
    /// Number of RC elements.
    pub m: usize,
    /// 1 - (sum of negative)/(sum of positive resistances).
    pub mu: f64,
    /// Whether the data need the series capacitance.
    pub series_capacitance: bool,
    /// Whether the data need the inductance.
    pub inductance: bool,
    /// Residuals of the usable points from high to low frequency.
    pub residuals: Vec<Residual>,
    /// What speaks against the residuals being noise; none where the noise is not known.
    pub evidence: Option<Evidence>,
}

impl LinearFit {
    /// The residual with the largest part.
    #[must_use]
    pub fn largest(&self) -> Option<Residual> {
        self.residuals
            .iter()
            .copied()
            .max_by(|a, b| a.size_percent().total_cmp(&b.size_percent()))
    }

    /// Root of the mean square of real and imaginary residuals in percent.
    #[must_use]
    pub fn rms_percent(&self) -> f64 {
        let sum: f64 = self
            .residuals
            .iter()
            .map(|residual| residual.real_percent.powi(2) + residual.imag_percent.powi(2))
            .sum();
        (sum / (2 * self.residuals.len()) as f64).sqrt()
    }
}

/// Whether all points of a sweep are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The sweep has ended.
    #[default]
    Complete,
    /// Points still arrive: the lowest two of those that are there say nothing yet.
    Running,
}

/// A spectrum judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Points of the spectrum that could be used.
    pub n_points: usize,
    /// The fit; none where the range is too short for one.
    pub fit: Option<LinearFit>,
    /// The noise that the residuals are measured by.
    pub noise: Option<Noise>,
    /// Median of the noise in percent of |Z|.
    pub noise_percent: Option<f64>,
    /// None where nothing can be said.
    pub verdict: Option<Verdict>,
    /// Why, in words.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Puts a reason that the test itself does not see before the others; a pass becomes suspect by it.
    pub fn doubt(&mut self, reason: String) {
        if self.verdict == Some(Verdict::Pass) {
            self.verdict = Some(Verdict::Suspect);
            self.reasons.retain(|reason| reason != NOT_EXCLUDED);
        }
        self.reasons.insert(0, reason);
    }

    /// Whether the residuals are no more than noise, or nothing is known against it.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        let evidence = self.fit.as_ref().and_then(|fit| fit.evidence.as_ref());
        evidence.is_none_or(|evidence| evidence.p() >= Limits::DEFAULT.suspect_p)
    }
}

/// Usable points from high to low frequency.
fn ordered(spectrum: &Spectrum) -> Vec<&Point> {
    let mut points: Vec<&Point> = spectrum.points.iter().filter(|point| point.is_usable()).collect();
    points.sort_by(|a, b| b.frequency_hz.total_cmp(&a.frequency_hz));
    points
}

/// Fits the sum of elements to the usable points; none where they are too few for the range they span.
#[must_use]
pub fn fit(spectrum: &Spectrum, form: Form, choice: Choice, noise: Option<&Noise>) -> Option<LinearFit> {
    fit_points(&ordered(spectrum), form, choice, noise, Stage::Complete)
}

fn fit_points(
    points: &[&Point],
    form: Form,
    choice: Choice,
    noise: Option<&Noise>,
    stage: Stage,
) -> Option<LinearFit> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    let problem = Problem::new(points, form);
    let relative: Option<Vec<f64>> = noise.map(|noise| {
        points
            .iter()
            .map(|point| {
                let modulus = point.impedance().norm();
                (noise.at(modulus) / modulus).max(LEAST_NOISE)
            })
            .collect()
    });
    let chosen = choice::choose(&problem, choice, relative.as_deref())?;
    let solution = Orthogonal::solve(&problem, Design::new(&problem, chosen.m));
    let frequency_hz: Vec<f64> = points.iter().map(|point| point.frequency_hz).collect();
    let evidence = noise.zip(relative.as_ref()).map(|(noise, relative)| {
        evidence::Residuals {
            frequency_hz: &frequency_hz,
            solution: &solution,
            noise: relative,
            noise_freedom: freedom(noise, points.len()),
        }
        .evidence(match stage {
            Stage::Complete => 0,
            Stage::Running => UNRELIABLE_POINTS,
        })
    });
    let (real, imaginary) = solution.residual.split_at(points.len());
    // Without a noise figure the residuals themselves must do; they decide about nothing but these two words.
    let rows = solution.residual.len();
    let left = solution.residual.iter().map(|value| value * value).sum::<f64>();
    let spread = match &relative {
        Some(relative) => relative.iter().sum::<f64>() / relative.len() as f64,
        None => (left / (rows - FIXED_COLUMNS - chosen.m) as f64).sqrt(),
    };
    let is_there =
        |index: usize| solution.coefficients[index].abs() > SIGNIFICANT * spread * solution.deviation(index);
    Some(LinearFit {
        form,
        m: chosen.m,
        mu: chosen.mu,
        series_capacitance: is_there(CAPACITANCE),
        inductance: is_there(INDUCTANCE),
        residuals: frequency_hz
            .iter()
            .zip(real.iter().zip(imaginary))
            .map(|(&frequency_hz, (real, imaginary))| Residual {
                frequency_hz,
                real_percent: 100.0 * real,
                imag_percent: 100.0 * imaginary,
            })
            .collect(),
        evidence,
    })
}

/// What a number of RC elements leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// Number of RC elements.
    pub m: usize,
    /// 1 - (sum of negative)/(sum of positive resistances).
    pub mu: f64,
    /// Root of the mean square of real and imaginary residuals in percent.
    pub rms_residual_percent: f64,
}

/// Tries every number of elements from the fewest to the most that the points allow: how mu and the residual go with
/// it. Empty where the points are too few.
#[must_use]
pub fn every_number(spectrum: &Spectrum, form: Form) -> Vec<Tried> {
    let points = ordered(spectrum);
    if points.len() < LEAST_POINTS {
        return Vec::new();
    }
    let problem = Problem::new(&points, form);
    let Some((least, most)) = choice::range(&problem) else {
        return Vec::new();
    };
    (least..=most)
        .map(|m| {
            let candidate = choice::Candidate::of(&problem, m);
            let sum: f64 = candidate.residual.iter().map(|value| value * value).sum();
            Tried {
                m,
                mu: candidate.mu,
                rms_residual_percent: 100.0 * (sum / candidate.residual.len() as f64).sqrt(),
            }
        })
        .collect()
}

/// Degrees of freedom with which the noise of so many points is known.
fn freedom(noise: &Noise, points: usize) -> f64 {
    let numbers = 2.0 * points as f64;
    match noise.source {
        // Standard errors carry their own count, which is not known here.
        NoiseSource::Sigma | NoiseSource::Repeats => numbers,
        // Fourth differences of neighbouring windows are correlated (sum of squared correlations 2.63), and a
        // mean of sizes has 0.88 of the efficiency of a mean of squares.
        NoiseSource::Local => (0.88 / 2.63 * (numbers - 8.0)).max(4.0),
    }
}

/// Judges a spectrum; `noise` where it is known better than the spectrum itself tells it, from repeats.
#[must_use]
pub fn judge(spectrum: &Spectrum, noise: Option<Noise>, stage: Stage) -> Judgement {
    let points = ordered(spectrum);
    let noise = noise.or_else(|| Noise::of(spectrum));
    let mut judgement = Judgement {
        n_points: points.len(),
        fit: None,
        noise,
        noise_percent: noise.map(|noise| noise.percent(spectrum)),
        verdict: None,
        reasons: Vec::new(),
    };
    let decades = match (points.first(), points.last()) {
        (Some(first), Some(last)) => (first.frequency_hz / last.frequency_hz).log10(),
        _ => 0.0,
    };
    if points.len() < LEAST_POINTS || decades < LEAST_DECADES - 1e-6 {
        judgement.reasons.push(reasons::too_short(points.len(), decades));
        return judgement;
    }
    let fit_as = |form| fit_points(&points, form, Choice::NoiseAndMu, noise.as_ref(), stage);
    let Some(mut best) = fit_as(Form::Impedance) else {
        judgement.reasons.push(reasons::too_sparse(points.len(), decades));
        return judgement;
    };
    if let Some(found) = verdict::of(&best, stage) {
        let mut verdict = found;
        // A sound cell can be told as an admittance too; a cell that blocks often better so.
        if verdict != Verdict::Pass
            && let Some(other) = fit_as(Form::Admittance)
            && let Some(found) = verdict::of(&other, stage)
            && found < verdict
        {
            (best, verdict) = (other, found);
        }
        judgement.verdict = Some(verdict);
        judgement.reasons = reasons::of(&best, verdict, stage, judgement.noise_percent);
    } else {
        judgement.reasons.push(reasons::unknown_noise());
    }
    judgement.fit = Some(best);
    for reason in sign::doubts(&points, noise.as_ref()) {
        judgement.doubt(reason);
    }
    judgement
}
