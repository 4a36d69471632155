//! Steps of direct current: with every limit of the plan as a bound, through pauses, and with the sign of the
//! first constant current checked.

use super::plan_run::{Ending, PlanRun, StepEnd};
use super::preflight::{self, Refusal};
use crate::event::Severity;
use crate::instrument::{DirectEnd, DirectJob, Done, InstrumentError, Job, Outcome, Ranging, choose_range};
use crate::profile::{Bound, DirectStep, DirectTechnique, Quantity, RangeChoice, Side};
use crate::units;

/// Potentiostat mode of a galvanostat.
const GALVANOSTAT: u32 = 6;

/// How often in a row a step goes on after the instrument ended it because it heard too late.
const LAPSES_ALLOWED: u32 = 3;

impl PlanRun<'_> {
    /// Does a step of direct current.
    pub(super) async fn direct(&mut self, step: &DirectStep) -> Result<StepEnd, Ending> {
        let (mut before_s, mut before_c) = (0.0, 0.0);
        let mut lapses = 0;
        let mut begun: Option<DirectTechnique> = None;
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
            let whole = *begun.get_or_insert(technique);
            let technique = match before_s {
                0.0 => whole,
                _ => match whole.rest_after(before_s) {
                    Some(rest) => rest,
                    None => return Ok(StepEnd::Complete),
                },
            };
            let job = match self.direct_job(step, technique, ocp_v, (before_s, before_c)) {
                Ok(job) => job,
                Err(refusal) => return Ok(StepEnd::Failed(refusal.to_string())),
            };
            let until_s = self.runner.clock.now_s() + technique.duration_s();
            let text = format!(
                "{}, {}",
                in_words(&technique),
                units::duration(technique.duration_s())
            );
            self.tell_step(technique.word(), text, Some(until_s));
            self.runner.last_sample = None;
            let done = self.runner.job(Job::Direct(job)).await;
            let sample = self.runner.last_sample.take().unwrap_or_default();
            let now_s = sample.device_t_s.unwrap_or(before_s);
            let can_go_on = technique.rest_after(now_s - before_s).is_some();
            match &done.outcome {
                Outcome::DirectComplete(end) => return self.direct_ended(end),
                // The user or a full disk holds the plan: the cell rests, and the step goes on from there.
                Outcome::Aborted { .. } if self.runner.stop.is_none() => {
                    self.wait_until(0.0).await?;
                    lapses = 0;
                }
                Outcome::Failed(InstrumentError::EndedEarly { .. })
                    if can_go_on && lapses < LAPSES_ALLOWED =>
                {
                    lapses += 1;
                    let text = "the instrument switched the cell off because it did not hear from the session in time; \
                                the step goes on";
                    self.runner.alarm("lapsed", Severity::Warning, text.to_owned());
                }
                _ => return self.direct_failed(done),
            }
            if can_go_on {
                before_s = now_s;
                before_c = sample.charge_c.unwrap_or(before_c);
            }
        }
    }

    fn direct_ended(&mut self, end: &DirectEnd) -> Result<StepEnd, Ending> {
        // Nothing contradicted it before the end.
        self.sign_is_checked = true;
        match end.bound.filter(|bound| bound.safety) {
            Some(bound) => {
                let text = format!("{bound}: the instrument has switched the cell off");
                self.runner.alarm("limit_passed", Severity::Critical, text);
                Err(Ending::LimitPassed(bound.to_string()))
            }
            None => Ok(StepEnd::Complete),
        }
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
        (before_s, before_c): (f64, f64),
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
            bounds: self.bounds(step, &technique, before_c),
            ranging: self.direct_ranging(step, &technique)?,
            pgstat_mode: step.setting.pgstat_mode.unwrap_or(mode),
            max_bandwidth_hz: step
                .setting
                .max_bandwidth_hz
                .unwrap_or(instrument.max_bandwidth_hz),
            channel: self.profiles.plan.channel,
            open_circuit_v: ocp_v,
            check_sign: sets_current && !self.sign_is_checked,
            before_s,
            before_c,
        })
    }

    /// What ends the step: what the plan wants to reach, and what it must not pass.
    fn bounds(&self, step: &DirectStep, technique: &DirectTechnique, before_c: f64) -> Vec<Bound> {
        let limits = &self.profiles.plan.limits;
        let mut bounds: Vec<Bound> = step
            .until
            .iter()
            .map(|bound| match bound.quantity {
                Quantity::Charge => Bound {
                    value: bound.value - before_c,
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
        add(
            Quantity::Charge,
            Side::Above,
            limits.charge_max_c.map(|most_c| most_c - before_c),
        );
        add(
            Quantity::Charge,
            Side::Below,
            limits.charge_max_c.map(|most_c| -most_c - before_c),
        );
        bounds
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

/// A technique in words.
fn in_words(technique: &DirectTechnique) -> String {
    match *technique {
        DirectTechnique::ChronoAmperometry { potential_v, .. } => format!("{potential_v:.4} V held"),
        DirectTechnique::ChronoPotentiometry { current_a, .. } => {
            format!(
                "{} held",
                units::engineering(current_a, "A", units::Script::Unicode)
            )
        }
        DirectTechnique::LinearSweep { start_v, end_v, .. } => format!("{start_v:.4} to {end_v:.4} V"),
        DirectTechnique::CyclicVoltammetry {
            start_v,
            vertex1_v,
            vertex2_v,
            scans,
            ..
        } => format!("{scans} scans from {start_v:.4} to {vertex1_v:.4} to {vertex2_v:.4} V"),
    }
}
