//! Steps of direct current: with every limit of the plan as a bound, through pauses, and with the sign of the
//! first constant current checked.

use super::direct_progress::DirectProgress;
use super::plan_run::{Ending, PlanRun, StepEnd};
use super::preflight::{self, Refusal};
use super::runner::Runner;
use super::spec::Profiles;
use crate::event::Severity;
use crate::instrument::{DirectEnd, DirectJob, Done, InstrumentError, Job, Outcome, Ranging, choose_range};
use crate::profile::{Bound, DirectStep, DirectTechnique, Quantity, RangeChoice, Side};
use crate::units;

/// Potentiostat mode of a galvanostat.
const GALVANOSTAT: u32 = 6;

/// How often in a row a step goes on after the instrument ended it because it heard too late.
const LAPSES_ALLOWED: u32 = 3;

impl PlanRun<'_> {
    /// Does a step of direct current, from where it was interrupted.
    pub(super) async fn direct(&mut self, step: &DirectStep) -> Result<StepEnd, Ending> {
        let unfinished = self
            .unfinished
            .take()
            .filter(|(planned, _)| *planned == self.planned);
        let mut progress = unfinished.map_or_else(DirectProgress::default, |(_, progress)| progress);
        let end = self.direct_from(step, &mut progress).await?;
        if matches!(end, StepEnd::OutOfReach(_) | StepEnd::Unrecorded) {
            self.unfinished = Some((self.planned, progress));
        }
        Ok(end)
    }

    async fn direct_from(
        &mut self,
        step: &DirectStep,
        progress: &mut DirectProgress,
    ) -> Result<StepEnd, Ending> {
        let mut lapses = 0;
        loop {
            let ocp_v = match self.resting_potential().await? {
                Ok(ocp_v) => ocp_v,
                Err(end) => return Ok(end),
            };
            let technique = match preflight::direct_technique(self.profiles, step, ocp_v) {
                Ok(technique) => technique,
                Err(refusal) => return Ok(StepEnd::Failed(refusal.to_string())),
            };
            // Potentials that count from the open circuit count from the first that was read.
            let whole = *progress.whole.get_or_insert(technique);
            let Some(technique) = progress.rest_of(whole) else {
                return Ok(StepEnd::Complete);
            };
            let job = match self.direct_job(step, technique, ocp_v, progress) {
                Ok(job) => job,
                Err(refusal) => return Ok(StepEnd::Failed(refusal.to_string())),
            };
            if let Some(most_c) = self.profiles.plan.limits.charge_max_c
                && let Some((words, is_certain)) = passed_before(most_c, progress)
            {
                return Err(self.limit_passed(words, is_certain, "the step does not go on, the cell is off"));
            }
            let until_s = self.runner.clock.now_s() + technique.duration_s();
            self.tell_step(technique.word(), in_words(&technique, progress), Some(until_s));
            self.runner.last_sample = None;
            let bounds = job.bounds.clone();
            let mut done = self.runner.job(Job::Direct(job)).await;
            if let Some(sample) = self.runner.last_sample.take() {
                progress.sampled(&sample);
            }
            if Runner::out_of_reach(&done) || self.runner.lost_because.is_some() {
                progress.lost_sight(step, most_current_a(self.profiles, step));
            }
            progress.ended(whole.rest_after(0.0).is_some());
            if let Outcome::Failed(InstrumentError::BoundIgnored(text)) = &mut done.outcome
                && let Some(bound) = bounds.iter().find(|bound| bound.to_string() == *text)
            {
                *text = self.bound_in_words(bound, progress);
            }
            let can_go_on = whole.rest_after(progress.elapsed_s).is_some();
            match &done.outcome {
                Outcome::DirectComplete(end) => return self.direct_ended(end, progress),
                // The user or a full disk holds the plan: the cell rests, and the step goes on from there.
                Outcome::Aborted { .. } if self.runner.stop.is_none() => {
                    self.wait_until(0.0).await?;
                    lapses = 0;
                }
                Outcome::Failed(InstrumentError::EndedEarly { .. })
                    if can_go_on && lapses < LAPSES_ALLOWED =>
                {
                    lapses += 1;
                    let text = "the instrument ended the script before its time: it did not hear from the session, or \
                                it restarted; the step goes on";
                    self.runner.alarm("lapsed", Severity::Warning, text.to_owned());
                }
                _ => return self.direct_failed(done),
            }
        }
    }

    fn direct_ended(&mut self, end: &DirectEnd, progress: &DirectProgress) -> Result<StepEnd, Ending> {
        // Nothing contradicted it before the end.
        self.sign_is_checked = true;
        match end.bound.filter(|bound| bound.safety) {
            Some(bound) => {
                let words = self.bound_in_words(&bound, progress);
                // What was not seen may have made it pass, and may not have flowed at all.
                let most_c = self.profiles.plan.limits.charge_max_c;
                let is_certain = bound.quantity != Quantity::Charge
                    || progress.unseen_c == 0.0
                    || most_c.is_some_and(|most_c| progress.spent_c.abs() >= most_c);
                Err(self.limit_passed(words, is_certain, "the instrument has switched the cell off"))
            }
            None => Ok(StepEnd::Complete),
        }
    }

    fn limit_passed(&mut self, words: String, is_certain: bool, then: &str) -> Ending {
        let (may, ending): (_, fn(String) -> Ending) = if is_certain {
            ("", Ending::LimitPassed)
        } else {
            (" may have been passed", Ending::LimitMayBePassed)
        };
        self.runner.alarm(
            "limit_passed",
            Severity::Critical,
            format!("{words}{may}: {then}"),
        );
        ending(words)
    }

    fn direct_failed(&mut self, done: Done) -> Result<StepEnd, Ending> {
        match done.outcome {
            // Wrong leads, or an instrument that does not keep limits, are not tried again.
            Outcome::Failed(
                error @ (InstrumentError::WrongSign { .. } | InstrumentError::BoundIgnored(_)),
            ) => {
                self.runner
                    .alarm("cell_in_danger", Severity::Critical, error.to_string());
                Err(error.into())
            }
            _ => self.ended_badly(done),
        }
    }

    fn direct_job(
        &self,
        step: &DirectStep,
        technique: DirectTechnique,
        ocp_v: Option<f64>,
        progress: &DirectProgress,
    ) -> Result<DirectJob, Refusal> {
        let instrument = &self.profiles.instrument;
        let sets_current = technique.potentials_v().is_none();
        let mode = if sets_current {
            GALVANOSTAT
        } else {
            instrument.direct_pgstat_mode
        };
        Ok(DirectJob {
            technique,
            interval_s: step.interval_s,
            piece_s: step.piece_s,
            bounds: self.bounds(step, &technique, progress),
            ranging: self.direct_ranging(step, &technique)?,
            pgstat_mode: step.setting.pgstat_mode.unwrap_or(mode),
            max_bandwidth_hz: step
                .setting
                .max_bandwidth_hz
                .unwrap_or(instrument.max_bandwidth_hz),
            channel: self.profiles.plan.channel,
            open_circuit_v: ocp_v,
            check_sign: sets_current && !self.sign_is_checked,
            before_s: progress.elapsed_s,
            before_c: progress.charge_c,
        })
    }

    /// What ends the step: what the plan wants to reach, and what it must not pass.
    fn bounds(
        &self,
        step: &DirectStep,
        technique: &DirectTechnique,
        progress: &DirectProgress,
    ) -> Vec<Bound> {
        let limits = &self.profiles.plan.limits;
        let mut bounds: Vec<Bound> = step
            .until
            .iter()
            .map(|bound| match bound.quantity {
                Quantity::Charge => Bound {
                    value: bound.value - progress.charge_c,
                    ..*bound
                },
                _ => *bound,
            })
            .collect();
        let mut add = |quantity, side, value: Option<f64>| {
            bounds.extend(value.map(|value| Bound {
                quantity,
                side,
                value,
                safety: true,
            }));
        };
        // A potential that is set cannot pass a limit: that it lies within was checked before.
        if technique.potentials_v().is_none() {
            add(Quantity::Potential, Side::Above, limits.potential_max_v);
            add(Quantity::Potential, Side::Below, limits.potential_min_v);
        } else {
            add(Quantity::Current, Side::Above, limits.current_max_a);
            add(
                Quantity::Current,
                Side::Below,
                limits.current_max_a.map(|most_a| -most_a),
            );
        }
        if let Some(most_c) = limits.charge_max_c {
            let (most_c, before_c) = (most_c - progress.unseen_c, progress.spent_c);
            add(Quantity::Charge, Side::Above, Some(most_c - before_c));
            add(Quantity::Charge, Side::Below, Some(-most_c - before_c));
        }
        bounds
    }

    /// A bound in words, that of the charge as the plan has it.
    fn bound_in_words(&self, bound: &Bound, progress: &DirectProgress) -> String {
        match (bound.quantity, self.profiles.plan.limits.charge_max_c) {
            (Quantity::Charge, Some(most_c)) if bound.safety => charge_limit(bound.side, most_c, progress),
            _ => bound.to_string(),
        }
    }

    /// The current range: the plan's, else that of the current that is set, else the instrument's choice up to
    /// the largest current that is allowed.
    fn direct_ranging(&self, step: &DirectStep, technique: &DirectTechnique) -> Result<Ranging, Refusal> {
        let instrument = &self.profiles.instrument;
        let (ranges, limit_a) = (
            instrument.ranges_of_direct_current(),
            instrument.limits.current_max_a,
        );
        if let Some(range_a) = step.current_range_a {
            return Ok(Ranging::Pinned(range_a));
        }
        if let DirectTechnique::ChronoPotentiometry { current_a, .. } = technique {
            let range = choose_range(ranges, limit_a, current_a.abs()).or_else(|error| {
                ranges
                    .last()
                    .filter(|range| range.limit_a >= current_a.abs())
                    .ok_or(error)
            })?;
            return Ok(Ranging::Pinned(range.limit_a));
        }
        let most_a = self.profiles.plan.limits.current_max_a.unwrap_or(f64::INFINITY);
        let high = ranges
            .iter()
            .find(|range| range.limit_a >= most_a)
            .or(ranges.last());
        let high_a = high.map_or(limit_a, |range| range.limit_a);
        Ok(match step.setting.ranging {
            // What flows at a potential that is set is not known before, so the instrument chooses.
            RangeChoice::Auto | RangeChoice::Pinned => Ranging::Auto {
                low_a: ranges.first().map_or(high_a, |range| range.limit_a),
                high_a,
            },
        })
    }
}

/// The largest current in A that may flow in a step, as far as anything is known of it.
pub(super) fn most_current_a(profiles: &Profiles, step: &DirectStep) -> f64 {
    let limits = &profiles.plan.limits;
    let known_a = limits.current_max_a.or(step.current_range_a);
    known_a.unwrap_or(profiles.instrument.limits.current_max_a)
}

/// The plan's limit of charge, with what has flowed and what may have.
fn charge_limit(side: Side, most_c: f64, progress: &DirectProgress) -> String {
    let value = match side {
        Side::Above => most_c,
        Side::Below => -most_c,
    };
    let bound = Bound {
        quantity: Quantity::Charge,
        side,
        value,
        safety: true,
    };
    let mut text = format!("{bound}, with {} measured", engineering(progress.spent_c, "C"));
    if progress.unseen_c > 0.0 {
        text += &format!(", up to {} unseen", engineering(progress.unseen_c, "C"));
    }
    text
}

/// The limit of charge that is passed before anything more has flowed, and whether that is certain.
fn passed_before(most_c: f64, progress: &DirectProgress) -> Option<(String, bool)> {
    let spent_c = progress.spent_c.abs();
    let side = if progress.spent_c < 0.0 {
        Side::Below
    } else {
        Side::Above
    };
    (spent_c + progress.unseen_c > most_c).then(|| (charge_limit(side, most_c, progress), spent_c > most_c))
}

/// A technique in words, with how long it takes and what of it was done before.
fn in_words(technique: &DirectTechnique, progress: &DirectProgress) -> String {
    let mut text = match *technique {
        DirectTechnique::ChronoAmperometry { potential_v, .. } => format!("{potential_v:.4} V held"),
        DirectTechnique::ChronoPotentiometry { current_a, .. } => {
            format!("{} held", engineering(current_a, "A"))
        }
        DirectTechnique::LinearSweep { start_v, end_v, .. } => format!("{start_v:.4} to {end_v:.4} V"),
        DirectTechnique::CyclicVoltammetry {
            start_v,
            vertex1_v,
            vertex2_v,
            scans,
            ..
        } => format!("{scans} scans from {start_v:.4} to {vertex1_v:.4} to {vertex2_v:.4} V"),
    };
    text += &format!(", {}", units::duration(technique.duration_s()));
    if progress.elapsed_s > 0.0 {
        text += &format!(
            " left, after {} and {}",
            units::duration(progress.elapsed_s),
            engineering(progress.charge_c, "C")
        );
    }
    if progress.unseen_c > 0.0 {
        text += &format!(", up to {} more unseen", engineering(progress.unseen_c, "C"));
    }
    text
}

fn engineering(value: f64, unit: &str) -> String {
    units::engineering(value, unit, units::Script::Unicode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_charge_is_told_as_the_plan_has_it_and_whether_it_was_passed_for_certain() {
        let progress = |spent_c, unseen_c| {
            let mut progress = DirectProgress::default();
            progress.spent_c = spent_c;
            progress.unseen_c = unseen_c;
            progress
        };
        assert_eq!(passed_before(0.2, &progress(0.13, 0.06)), None);
        let (words, is_certain) = passed_before(0.2, &progress(0.13, 0.12)).unwrap();
        assert!(!is_certain);
        assert_eq!(
            words,
            format!(
                "charge above 0.2 C, with {} measured, up to {} unseen",
                engineering(0.13, "C"),
                engineering(0.12, "C")
            )
        );
        let (words, is_certain) = passed_before(0.2, &progress(-0.21, 0.0)).unwrap();
        assert!(is_certain && words.starts_with("charge below -0.2 C"), "{words}");
    }
}
