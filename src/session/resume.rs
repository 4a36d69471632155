//! Going on with a session that was cut off: what its recording says of where it stood.

use std::path::Path;

use super::direct_progress::{CutOffStep, DirectProgress};
use super::plan_run::StepMemory;
use super::spec::Profiles;
use super::sweep_parts::Moduli;
use crate::analysis::fit::FitResult;
use crate::event::{Event, EventBody, Identity, Stamp, SweepEnded};
use crate::instrument::InstrumentIdentity;
use crate::recording::{ReadError, Reader};
use crate::spectrum::PointStatus;
use crate::state::State;

/// Where in its plan a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// When the first round began, in s of the session's clock; none where it has not.
    pub began_s: Option<f64>,
    /// Planned steps that are done.
    pub done: u32,
}

/// Where a session stood when it was cut off.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// What was known.
    pub state: State,
    /// Where in the plan it stood.
    pub position: Position,
    /// The instrument that it began with.
    pub identity: Option<Identity>,
    /// The step of the plan that runs, by its number over all rounds.
    planned: u32,
    /// How far a step of direct current had come.
    direct: CutOffStep,
}

impl Standing {
    /// Reads a recording to its end.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(recording: &Path) -> Result<Self, ReadError> {
        let mut standing = Self {
            state: State::without_samples(),
            ..Self::default()
        };
        let mut reader = Reader::open(recording)?;
        for event in reader.events(0) {
            standing.apply(&event?);
        }
        Ok(standing)
    }

    fn apply(&mut self, event: &Event) {
        self.state.apply(event);
        self.direct.apply(event);
        match &event.body {
            EventBody::PlanStep(step) => {
                let position = &mut self.position;
                position.began_s.get_or_insert(event.stamp.elapsed_s());
                // A step begins when the one before is done, or given up.
                position.done = position.done.max(step.step.saturating_sub(1));
                self.planned = step.step;
            }
            EventBody::SweepEnded(ended) if ended.complete => {
                self.position.done = self.position.done.max(self.planned);
            }
            EventBody::Identity(identity) => {
                self.identity.get_or_insert_with(|| identity.clone());
            }
            _ => {}
        }
    }

    /// The step of direct current in which it was cut off, by its number over all rounds, and how far it had come.
    #[must_use]
    pub fn unfinished(&self, profiles: &Profiles) -> Option<(u32, DirectProgress)> {
        let due = self.position.done + 1;
        let steps = &profiles.plan.steps;
        match steps.get((due as usize - 1) % steps.len())? {
            crate::profile::Step::Direct(step) => {
                let most_a = super::direct_run::most_current_a(profiles, step);
                Some((due, self.direct.progress(due, step, most_a)?))
            }
            _ => None,
        }
    }

    /// Time of the last event.
    #[must_use]
    pub fn last(&self) -> Stamp {
        self.state.head().last_stamp
    }

    /// The instrument that it began with, as a driver knows it.
    #[must_use]
    pub fn instrument(&self) -> Option<InstrumentIdentity> {
        self.identity.as_ref().map(|identity| InstrumentIdentity {
            device: identity.instrument.clone(),
            firmware: identity.firmware.clone(),
            serial: identity.serial.clone(),
            techniques: None,
        })
    }

    /// Number of the last sweep.
    #[must_use]
    pub fn sweeps(&self) -> u32 {
        let numbers = self.state.sweeps().iter().map(|sweep| sweep.started.sweep);
        numbers.max().unwrap_or(0)
    }

    /// The end of the sweep in the middle of which it was cut off.
    #[must_use]
    pub fn open_sweep(&self) -> Option<SweepEnded> {
        let sweep = self.state.running_sweep()?;
        Some(SweepEnded {
            sweep: sweep.started.sweep,
            complete: false,
            reason: "the session was cut off".to_owned(),
        })
    }

    /// The fits of whole sweeps, in their order.
    pub fn final_fits(&self) -> impl Iterator<Item = &FitResult> {
        let sweeps = self.state.sweeps().iter();
        sweeps.filter_map(|sweep| sweep.fit.as_ref().map(|(_, fit)| &fit.result))
    }

    /// What the sweeps of each step of the plan had taught. Sweeps belong to the step that asks for the same
    /// frequencies.
    #[must_use]
    pub fn memory(&self, profiles: &Profiles) -> Vec<StepMemory> {
        let ranges = &profiles.instrument.current_ranges;
        let remembered = profiles.plan.steps.iter().map(|step| {
            let mut memory = StepMemory::default();
            let crate::profile::Step::Sweep(step) = step else {
                return memory;
            };
            let same = self.state.sweeps().iter().filter(|sweep| {
                let asked = &sweep.started;
                asked.technique == step.technique
                    && asked.f_max_hz == step.f_max_hz
                    && asked.f_min_hz == step.f_min_hz
                    && asked.n_points == step.n_points()
            });
            for sweep in same {
                let range = ranges
                    .iter()
                    .position(|range| sweep.started.range.as_deref() == Some(range.label.as_str()));
                let overloaded = sweep
                    .points()
                    .iter()
                    .any(|point| point.status == PointStatus::Overload);
                if let (true, Some(index)) = (overloaded, range) {
                    let next = ranges.get(index + 1).unwrap_or(&ranges[index]);
                    memory.least_range_a = next.limit_a;
                }
                if sweep.ended.as_ref().is_some_and(|(_, _, ended)| ended.complete) {
                    memory.moduli = Moduli::measured(sweep.points()).or(memory.moduli.take());
                }
            }
            memory
        });
        remembered.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{PlanStep, SweepStarted};

    fn standing_after(bodies: Vec<EventBody>) -> Standing {
        let mut standing = Standing::default();
        for (seq, body) in (1_u64..).zip(bodies) {
            let stamp = Stamp {
                utc_ns: 0,
                elapsed_ns: seq as i64 * 1_000_000_000,
            };
            standing.apply(&Event { seq, stamp, body });
        }
        standing
    }

    fn step(step: u32) -> EventBody {
        EventBody::PlanStep(PlanStep {
            step,
            of: 9,
            name: "peis".into(),
            text: String::new(),
            until_s: None,
        })
    }

    fn began(sweep: u32) -> EventBody {
        EventBody::SweepStarted(SweepStarted {
            sweep,
            ..SweepStarted::default()
        })
    }

    fn ended(sweep: u32, complete: bool) -> EventBody {
        EventBody::SweepEnded(SweepEnded {
            sweep,
            complete,
            reason: String::new(),
        })
    }

    #[test]
    fn a_session_that_was_cut_off_in_a_sweep_measures_it_again() {
        let standing = standing_after(vec![step(1), began(1), ended(1, true), step(2), began(2)]);
        assert_eq!(standing.position.done, 1);
        assert_eq!(standing.position.began_s, Some(1.0));
        assert_eq!(standing.sweeps(), 2);
        assert_eq!(standing.open_sweep().unwrap().sweep, 2);
    }

    #[test]
    fn a_session_that_was_cut_off_after_a_whole_sweep_goes_on_with_the_next() {
        let standing = standing_after(vec![step(1), began(1), ended(1, true)]);
        assert_eq!(standing.position.done, 1);
        assert_eq!(standing.open_sweep(), None);
    }

    #[test]
    fn a_sweep_that_the_link_cut_off_is_not_done_and_one_that_was_given_up_is() {
        let standing = standing_after(vec![step(1), began(1), ended(1, false)]);
        assert_eq!(standing.position.done, 0);
        let standing = standing_after(vec![step(1), began(1), ended(1, false), step(2)]);
        assert_eq!(standing.position.done, 1);
    }

    #[test]
    fn before_anything_was_planned_everything_is_still_to_do() {
        assert_eq!(standing_after(Vec::new()).position, Position::default());
    }
}
