//! Judgements of sweep after sweep: what the sweeps before tell about the noise and the drift of this one, and which
//! judgements of a running sweep are worth an event.

use std::collections::HashMap;

use crate::analysis::doubt::{self, KnownDrift};
use crate::analysis::kramers_kronig::{
    Judgement, METHOD, Residual, Stage, UNRELIABLE_POINTS, Verdict, judge,
};
use crate::analysis::noise::Noise;
use crate::analysis::repeats::{Drift, noise_of_repeats};
use crate::analysis::zhit::zhit;
use crate::event::{Validity, ValidityDetails};
use crate::spectrum::{Point, Spectrum};

/// Sweeps of a step that are kept: with the one that ends they are the three that tell the noise.
const KEPT: usize = 2;
/// Judgements of a running sweep with one verdict that in a row are needed before a change of verdict is told.
const CONFIRMED: u32 = 2;
/// A largest residual is told anew when it has changed by this factor,
const CHANGED: f64 = 1.5;
/// and by as many per cent of |Z|.
const CHANGED_PERCENT: f64 = 0.3;
/// Judgements of one running sweep that are told at most, so that a sweep at the limit does not fill the recording; a
/// verdict that changes is told after them too.
const MOST_TOLD: u32 = 10;

/// A judgement of all points of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalValidity {
    /// The judgement.
    pub validity: Validity,
    /// Whether it fails and the sweep before, of the same step of the plan, did not.
    pub newly_failed: bool,
}

/// Judgements of the sweeps of one cell.
#[derive(Clone, Debug, Default)]
pub struct ValiditySequence {
    steps: HashMap<u32, Step>,
    running: Option<Running>,
}

/// What the sweeps of one step of the plan have taught.
#[derive(Clone, Debug, Default)]
struct Step {
    /// The last whole sweeps, the oldest first.
    sweeps: Vec<Spectrum>,
    noise: Option<Noise>,
    failing: bool,
}

/// What was told of the running sweep.
#[derive(Clone, Debug)]
struct Running {
    sweep: u32,
    told: Option<(Verdict, f64)>,
    count: u32,
    /// A verdict that was not told yet, and how many judgements in a row gave it.
    candidate: Option<(Verdict, u32)>,
}

impl ValiditySequence {
    /// The judgement of the points so far of a running sweep of a step of the plan; none while nothing can be said,
    /// or nothing new.
    pub fn partial(&mut self, sweep: u32, step: u32, points: &[Point]) -> Option<Validity> {
        let spectrum = Spectrum::from(points.to_vec());
        let noise = self.steps.get(&step).and_then(|step| step.noise);
        let judgement = judge(&spectrum, noise, Stage::Running);
        let (verdict, largest) = (judgement.verdict?, largest(&judgement, Stage::Running)?);
        if self.running.as_ref().is_none_or(|running| running.sweep != sweep) {
            self.running = Some(Running {
                sweep,
                told: None,
                count: 0,
                candidate: None,
            });
        }
        let is_news = self
            .running
            .as_mut()
            .is_some_and(|running| running.is_news(verdict, largest));
        is_news.then(|| validity(sweep, &judgement, verdict, &spectrum, Stage::Running))
    }

    /// The judgement of all points of an ended sweep; none where nothing can be said.
    pub fn finish(
        &mut self,
        sweep: u32,
        step: u32,
        complete: bool,
        points: &[Point],
    ) -> Option<FinalValidity> {
        self.running = None;
        let spectrum = Spectrum::from(points.to_vec());
        let known = self.steps.entry(step).or_default();
        let three = match &known.sweeps[..] {
            [.., first, second] if complete => Some([first, second, &spectrum]),
            _ => None,
        };
        known.noise = three.and_then(noise_of_repeats);
        let drift = known
            .sweeps
            .last()
            .and_then(|before| Drift::between(before, &spectrum));
        let mut judgement = judge(&spectrum, known.noise, Stage::Complete);
        if let Ok(zhit) = zhit(&spectrum, judgement.noise.as_ref()) {
            doubt::by_zhit(&mut judgement, &zhit);
        }
        let drift = drift.map(|drift| KnownDrift::of(drift, judgement.noise_percent));
        if let Some(drift) = &drift {
            doubt::by_drift(&mut judgement, drift);
        }
        if complete {
            if known.sweeps.len() == KEPT {
                known.sweeps.remove(0);
            }
            known.sweeps.push(spectrum.clone());
        }
        let verdict = judgement.verdict?;
        let mut validity = validity(sweep, &judgement, verdict, &spectrum, Stage::Complete);
        if let (Some(drift), Some(details)) = (drift, &mut validity.details) {
            details.drift_percent = Some(drift.percent);
            details.drift_std_error_percent = drift.std_error_percent;
        }
        let failed = verdict == Verdict::Fail;
        let newly_failed = failed && !known.failing;
        known.failing = failed;
        Some(FinalValidity {
            validity,
            newly_failed,
        })
    }
}

impl Running {
    /// Whether a judgement says something that was not told: a verdict that stands, or another size.
    fn is_news(&mut self, verdict: Verdict, largest: f64) -> bool {
        let in_a_row = match self.candidate {
            Some((candidate, count)) if candidate == verdict => count + 1,
            _ => 1,
        };
        self.candidate = Some((verdict, in_a_row));
        let is_news = match self.told {
            Some((told, size)) if told == verdict => {
                let ratio = largest / size;
                !(1.0 / CHANGED..=CHANGED).contains(&ratio) && (largest - size).abs() > CHANGED_PERCENT
            }
            // That nothing speaks against the data is expected; the contrary is said when it stands.
            None if verdict == Verdict::Pass => true,
            _ => in_a_row >= CONFIRMED,
        };
        let is_change = self.told.is_none_or(|(told, _)| told != verdict);
        if !is_news || (self.count >= MOST_TOLD && !is_change) {
            return false;
        }
        self.told = Some((verdict, largest));
        self.count += 1;
        true
    }
}

/// The largest residual in percent that says something.
fn largest(judgement: &Judgement, stage: Stage) -> Option<f64> {
    let residuals = &judgement.fit.as_ref()?.residuals;
    let judged = match stage {
        Stage::Complete => residuals.len(),
        Stage::Running => residuals.len().saturating_sub(UNRELIABLE_POINTS),
    };
    residuals[..judged]
        .iter()
        .map(Residual::size_percent)
        .max_by(f64::total_cmp)
}

fn validity(
    sweep: u32,
    judgement: &Judgement,
    verdict: Verdict,
    spectrum: &Spectrum,
    stage: Stage,
) -> Validity {
    let fit = judgement.fit.as_ref();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    // Of a running sweep only what speaks against it is worth the room.
    let reasons = if stage == Stage::Complete || verdict != Verdict::Pass {
        judgement.reasons.clone()
    } else {
        Vec::new()
    };
    Validity {
        sweep,
        method: METHOD.to_owned(),
        verdict: verdict.word().to_owned(),
        max_residual_percent: largest(judgement, stage),
        mu: fit.map(|fit| fit.mu),
        m: fit.map(|fit| count(fit.m)),
        noise_percent: judgement.noise_percent,
        noise_source: judgement
            .noise
            .map_or_else(String::new, |noise| noise.source.word().to_owned()),
        details: Some(ValidityDetails {
            is_final: stage == Stage::Complete,
            reasons,
            form: fit.map_or_else(String::new, |fit| fit.form.word().to_owned()),
            series_capacitance: fit.is_some_and(|fit| fit.series_capacitance),
            inductance: fit.is_some_and(|fit| fit.inductance),
            n_used: count(judgement.n_points),
            doubtful: judgement
                .doubtful_points(spectrum, stage)
                .into_iter()
                .map(count)
                .collect(),
            drift_percent: None,
            drift_std_error_percent: None,
        }),
    }
}

#[cfg(test)]
mod tests;
