//! Steps of impedance: a sweep in its parts and ranges, again in a larger one after an overload, and what it
//! teaches for the next.

use super::fitter::Measured;
use super::plan_run::{Ending, PlanRun, StepEnd};
use super::preflight::{self, Refusal};
use super::runner::{Runner, RunningSweep};
use super::spec::Profiles;
use super::sweep_parts::{self, Circumstances, Moduli};
use crate::event::{EventBody, Severity, SweepEnded, SweepStarted};
use crate::instrument::{Done, InstrumentError, Job, Outcome, Ranging, SweepJob};
use crate::profile::{Bias, SweepStep};
use crate::spectrum::{PointStatus, Technique};
use crate::units;

/// The alarm about points that did not arrive.
const POINTS_LOST: &str = "points_lost";

/// Within this real time in s a session answers an instrument.
const REPLY_REAL_S: f64 = 2.0;

impl PlanRun<'_> {
    /// The sweep of a step: its parts and ranges by what is believed of |Z|, and its bias where that is known.
    pub(super) fn sweep_job(
        &self,
        index: usize,
        step: &SweepStep,
        ocp_v: Option<f64>,
    ) -> Result<(SweepJob, Option<f64>), Refusal> {
        let Profiles { instrument, plan, .. } = self.profiles;
        let memory = &self.memory[index];
        let bias_v = match (ocp_v, step.bias) {
            (Some(ocp_v), _) => Some(preflight::bias_of(instrument, plan, step, ocp_v)?),
            // Where nothing reads the potential of the resting cell, the cell is measured where it is.
            (None, Bias::Potential(bias_v)) if instrument.line.is_some() && instrument.sets_bias() => {
                Some(bias_v)
            }
            (None, _) if instrument.line.is_some() => None,
            (None, _) => return Err(Refusal::NoOpenCircuit),
        };
        let moduli = memory.moduli.clone();
        let moduli = moduli.unwrap_or_else(|| Moduli::guessed(self.profiles, step));
        if let Some(ocp_v) = ocp_v {
            preflight::check_bias_current(self.profiles, step, moduli.at(step.f_min_hz), ocp_v)?;
        }
        let given = Circumstances {
            open_circuit_v: ocp_v,
            bias_v: bias_v.or(ocp_v).unwrap_or(0.0),
            least_range_a: memory.least_range_a,
            reply_s: self.runner.clock.stretch_of_real_s(REPLY_REAL_S),
        };
        Ok((
            sweep_parts::sweep_job(self.profiles, step, &moduli, given)?,
            bias_v,
        ))
    }

    /// Measures a sweep against a resting potential, where that is known.
    pub(super) async fn sweep(
        &mut self,
        index: usize,
        step: &SweepStep,
        ocp_v: Option<f64>,
    ) -> Result<StepEnd, Ending> {
        let allowed = self.sweep_job(index, step, ocp_v);
        // In the middle of a plan a refusal costs this sweep, not the weeks before and after it.
        let (mut job, bias_v) = match allowed {
            Ok(allowed) => allowed,
            Err(refusal) => return Ok(StepEnd::Failed(refusal.to_string())),
        };
        self.sweeps += 1;
        let number = self.sweeps;
        let against = match (step.bias, job.bias_a) {
            (_, Some(bias_a)) if bias_a != 0.0 => format!("{bias_a} A"),
            (_, Some(_)) => "no direct current".to_owned(),
            (Bias::OpenCircuit, None) => "open circuit".to_owned(),
            (Bias::Potential(_), None) => {
                let distance_v = bias_v.zip(ocp_v).map_or(0.0, |(bias_v, ocp_v)| bias_v - ocp_v);
                format!("a bias, {:.1} mV from open circuit", 1e3 * distance_v)
            }
        };
        let mut text = format!("sweep {number}, {} points against {against}", job.n_points);
        if job.hold_s.is_some() {
            let alone_s = sweep_parts::longest_alone_s(&job, &self.profiles.instrument.timing);
            text += &format!(
                "; without this session the instrument would switch the cell off after {} at the latest",
                units::duration(alone_s)
            );
        }
        self.tell_step(step.technique.word(), text, None);
        let sets = self.profiles.instrument.sets_amplitude() && step.amplitude_vrms > 0.0;
        let amplitude_vrms = sets.then_some(step.amplitude_vrms);
        self.runner.journal.record(EventBody::SweepStarted(SweepStarted {
            sweep: number,
            technique: step.technique,
            n_points: job.n_points,
            f_max_hz: job.f_max_hz,
            f_min_hz: job.f_min_hz,
            bias_v,
            amplitude_vrms,
            range: Some(self.ranges_in_words(&job)),
        }));
        self.runner.sweep = Some(RunningSweep {
            number,
            step: u32::try_from(index).unwrap_or(u32::MAX),
            points: Vec::new(),
            point_began_s: self.runner.clock.now_s(),
            amplitude_vrms: amplitude_vrms.filter(|_| job.bias_a.is_none()),
        });
        let range_a = sweep_parts::largest_range_a(&job.all_parts());
        let (expected, mut lost_before) = (job.n_points, 0);
        let mut done = loop {
            let done = self.runner.job(Job::Sweep(job.clone())).await;
            let Outcome::Overloaded { at, lost, .. } = done.outcome else {
                break done;
            };
            if self.runner.stop.is_some() || self.runner.lost_because.is_some() {
                break done;
            }
            lost_before += lost;
            job = self.after_overload(&job, at);
        };
        let lost = match done.outcome {
            Outcome::SweepComplete { .. } => lost_before,
            Outcome::Failed(InstrumentError::PointsLost { points, expected }) => {
                lost_before + expected.saturating_sub(points)
            }
            _ => 0,
        };
        if lost > 0 {
            let points = expected.saturating_sub(lost);
            done.outcome = Outcome::Failed(InstrumentError::PointsLost { points, expected });
        }
        self.close_sweep(number, index, range_a, &done);
        match done.outcome {
            Outcome::SweepComplete { .. } if !Runner::out_of_reach(&done) => Ok(StepEnd::Complete),
            // A line that loses a point now and then must not end a plan of weeks.
            Outcome::Failed(ref error @ InstrumentError::PointsLost { points, expected })
                if 2 * points >= expected && !Runner::out_of_reach(&done) =>
            {
                self.runner
                    .alarm(POINTS_LOST, Severity::Warning, error.to_string());
                Ok(StepEnd::Complete)
            }
            _ => self.ended_badly(done),
        }
    }

    /// What is left of a sweep from its first overloaded point on: in a larger range or with less current, or to
    /// its end where there is none. The overloaded point stays in the recording beside the one that replaces it.
    fn after_overload(&mut self, job: &SweepJob, index: u32) -> SweepJob {
        let frequency = units::engineering(job.frequency_hz(index), "Hz", units::Script::Unicode);
        let sets_current = job.bias_a.is_some();
        let (rest, text) = match sweep_parts::rest_from(self.profiles, job, index) {
            Some(rest) if sets_current => {
                let amplitude = units::engineering(rest.parts[0].amplitude, "A", units::Script::Unicode);
                let text = format!(
                    "at {frequency} the potential was overloaded; the point is measured again with less current, \
                     {amplitude} rms"
                );
                (rest, text)
            }
            Some(rest) => {
                let ranges = self.ranges_in_words(&rest);
                let text =
                    format!("the point at {frequency} was overloaded; it is measured again, range {ranges}");
                (rest, text)
            }
            None => {
                let missing = if sets_current {
                    "there is hardly any current left to lower"
                } else {
                    "there is no larger range"
                };
                let text = format!("the point at {frequency} was overloaded, and {missing}");
                (sweep_parts::through_overload(job, index), text)
            }
        };
        self.runner.alarm("overload", Severity::Warning, text);
        rest
    }

    fn ranges_in_words(&self, job: &SweepJob) -> String {
        let label = |range_a: f64| {
            if range_a.is_infinite() {
                return "the instrument's own".to_owned();
            }
            let mut ranges = self.profiles.instrument.current_ranges.iter();
            let found = ranges.find(|range| range.limit_a >= range_a * (1.0 - 1e-9));
            found.map_or_else(|| format!("{range_a} A"), |range| range.label.clone())
        };
        let mut words: Vec<String> = job
            .all_parts()
            .iter()
            .map(|part| match part.ranging {
                Ranging::Pinned(range_a) => label(range_a),
                Ranging::Auto { low_a, high_a } => format!("{} to {}", label(low_a), label(high_a)),
            })
            .collect();
        words.dedup();
        words.join(", ")
    }

    /// Records the end of a sweep and asks for its final fit and judgement.
    fn close_sweep(&mut self, number: u32, index: usize, range_a: f64, done: &Done) {
        let reason = match &done.outcome {
            Outcome::SweepComplete { .. } => String::new(),
            Outcome::Aborted { .. } if self.runner.stop.is_none() => "nothing could be recorded".to_owned(),
            Outcome::Aborted { .. } => "stopped".to_owned(),
            Outcome::LinkLost => "the link was lost".to_owned(),
            Outcome::Failed(error) => error.to_string(),
            other => format!("ended unexpectedly ({other:?})"),
        };
        let complete = reason.is_empty();
        let ended = SweepEnded {
            sweep: number,
            complete,
            reason,
        };
        self.runner.journal.record(EventBody::SweepEnded(ended));
        if let Some(sweep) = self.runner.sweep.take() {
            self.learn(index, range_a, complete, &sweep);
            let measured = Measured {
                sweep: number,
                step: sweep.step,
                points: sweep.points,
            };
            self.runner.fitter.finish(measured, complete);
        }
    }

    /// What a sweep teaches for the next one of its step.
    fn learn(&mut self, index: usize, range_a: f64, complete: bool, sweep: &RunningSweep) {
        let overloaded = sweep
            .points
            .iter()
            .filter(|point| point.status == PointStatus::Overload)
            .count();
        let is_galvanostatic = self.profiles.plan.steps[index]
            .sweep()
            .is_some_and(|step| step.technique == Technique::Geis);
        let memory = &mut self.memory[index];
        // The current of a galvanostatic sweep follows from |Z|, which this one has taught.
        if overloaded > 0 && !is_galvanostatic {
            let ranges = &self.profiles.instrument.current_ranges;
            let next = ranges.iter().find(|range| range.limit_a > range_a);
            memory.least_range_a = next.map_or(range_a, |range| range.limit_a);
            let advice = match next {
                Some(range) => format!("the next sweep uses the range {}", range.label),
                None => "there is no larger range: lower amplitude_vrms in the plan".to_owned(),
            };
            let text = format!(
                "{overloaded} of {} points of sweep {} were overloaded and are left out; {advice}",
                sweep.points.len(),
                sweep.number
            );
            self.runner.alarm("overload", Severity::Warning, text);
        }
        if complete {
            let memory = &mut self.memory[index];
            memory.moduli = Moduli::measured(&sweep.points).or(memory.moduli.take());
        }
    }
}
