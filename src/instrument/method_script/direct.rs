//! A technique of direct current while it runs: samples, charge, bounds, and when to say that somebody is
//! there.

use super::channel::Channel;
use super::package::{Package, VariableType};
use super::points;
use super::script::{BOUND_PREFIX, is_in_pieces};
use crate::instrument::{DirectEnd, DirectJob, InstrumentError, Outcome, Output};
use crate::profile::{Bound, DirectTechnique, Quantity};
use crate::spectrum::Sample;

/// By then the sign of a constant current must have shown in the potential, in s.
const SIGN_WITHIN_S: f64 = 5.0;

/// A potential that has moved so far the wrong way in V says that the leads are swapped.
const WRONG_WAY_V: f64 = 1e-3;

/// A potential that has moved so far the right way in V says that they are not.
const RIGHT_WAY_V: f64 = 1e-4;

/// Samples beyond a bound after which the program ends what the instrument should have ended itself.
const BEYOND_ALLOWED: u32 = 2;

/// Technique id of the hold between two pieces of a scan.
const HOLD: u16 = 0x0007;

/// A technique of direct current and what has arrived of it.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    job: DirectJob,
    samples: u32,
    elapsed_s: f64,
    charge_c: f64,
    last: Option<(f64, f64)>,
    beyond: u32,
    sign_is_known: bool,
    told_of_overload: bool,
    bound: Option<Bound>,
    go_on_at_s: Option<f64>,
}

impl Direct {
    pub fn new(job: DirectJob) -> Self {
        Self {
            sign_is_known: !job.check_sign,
            job,
            samples: 0,
            elapsed_s: 0.0,
            charge_c: 0.0,
            last: None,
            beyond: 0,
            told_of_overload: false,
            bound: None,
            go_on_at_s: None,
        }
    }

    pub fn interval_s(&self) -> f64 {
        self.job.interval_s
    }

    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Time left in s.
    pub fn remaining_s(&self) -> f64 {
        (self.job.technique.duration_s() - self.elapsed_s).max(0.0)
    }

    /// A measurement loop has begun.
    pub fn loop_began(&mut self, technique: u16, now_s: f64) {
        if !is_in_pieces(&self.job) {
            return;
        }
        self.go_on_at_s = match self.job.technique {
            DirectTechnique::ChronoAmperometry { .. } | DirectTechnique::ChronoPotentiometry { .. } => {
                Some(now_s + self.job.piece_s / 2.0)
            }
            _ => (technique == HOLD).then_some(now_s),
        };
    }

    /// When the instrument must hear that somebody is there.
    pub fn go_on_at_s(&self) -> Option<f64> {
        self.go_on_at_s
    }

    /// It has been told.
    pub fn told_to_go_on(&mut self) {
        self.go_on_at_s = None;
    }

    /// Whether another piece must come before the script can have ended.
    pub fn expects_a_loop(&self) -> bool {
        is_in_pieces(&self.job) && self.bound.is_none() && self.remaining_s() > 1.5 * self.job.interval_s
    }

    /// Takes a text of the script; whether it was a bound that was passed.
    pub fn text(&mut self, text: &str) -> bool {
        let number = text
            .strip_prefix(BOUND_PREFIX)
            .and_then(|number| number.parse::<usize>().ok());
        let bound = number.and_then(|number| self.job.bounds.get(number)).copied();
        self.bound = self.bound.or(bound);
        bound.is_some()
    }

    /// Takes a package: whether there was a sample in it.
    ///
    /// # Errors
    /// Where the technique must be ended at once.
    pub fn package(&mut self, package: &Package, channel: &mut Channel) -> Result<bool, InstrumentError> {
        let potential = points::reading(package, VariableType::POTENTIAL, VariableType::SET_POTENTIAL);
        let current = points::reading(package, VariableType::CURRENT, VariableType::SET_CURRENT);
        if potential.is_none() && current.is_none() {
            return Ok(false);
        }
        self.samples += 1;
        if points::is_overloaded(package) && !self.told_of_overload {
            self.told_of_overload = true;
            channel.remark(
                "a reading of direct current is beyond its range and clipped, and the charge with it: give the step a \
                 larger current_range_a, or current_range = \"auto\"",
            );
        }
        let time_s = points::reading(package, VariableType::TIME, VariableType::TIME)
            .filter(|time_s| *time_s >= self.elapsed_s)
            .unwrap_or(self.elapsed_s + self.job.interval_s);
        if let Some(current_a) = current {
            // From the first sample backwards the current is taken as constant.
            let (before_s, before_a) = self.last.unwrap_or((0.0, current_a));
            self.charge_c += (time_s - before_s) * f64::midpoint(before_a, current_a);
            self.last = Some((time_s, current_a));
        }
        self.elapsed_s = time_s;
        channel.report(Output::Sample(Sample {
            technique: self.job.technique.word().to_owned(),
            device_t_s: Some(self.job.before_s + time_s),
            potential_v: potential,
            current_a: current,
            charge_c: current.map(|_| self.job.before_c + self.charge_c),
            ..Sample::default()
        }));
        self.check_bounds(potential, current)?;
        self.check_sign(potential, channel)?;
        Ok(true)
    }

    /// The instrument ends at a bound by itself; where it goes on, the program ends it.
    fn check_bounds(&mut self, potential: Option<f64>, current: Option<f64>) -> Result<(), InstrumentError> {
        let reading = |quantity| match quantity {
            Quantity::Potential => potential,
            Quantity::Current => current,
            Quantity::CurrentModulus => current.map(f64::abs),
            // Both sides count the charge, a little differently.
            Quantity::Charge => Some(self.charge_c * 0.98),
        };
        let passed = self
            .job
            .bounds
            .iter()
            .find(|bound| reading(bound.quantity).is_some_and(|value| bound.is_passed(value)));
        let Some(passed) = passed.copied() else {
            self.beyond = 0;
            return Ok(());
        };
        self.beyond += 1;
        if self.beyond > BEYOND_ALLOWED {
            return Err(InstrumentError::BoundIgnored(passed.to_string()));
        }
        Ok(())
    }

    fn check_sign(&mut self, potential: Option<f64>, channel: &mut Channel) -> Result<(), InstrumentError> {
        let DirectTechnique::ChronoPotentiometry { current_a, .. } = self.job.technique else {
            return Ok(());
        };
        let (Some(potential_v), Some(open_circuit_v), false) =
            (potential, self.job.open_circuit_v, self.sign_is_known)
        else {
            return Ok(());
        };
        let moved_v = (potential_v - open_circuit_v) * current_a.signum();
        if moved_v < -WRONG_WAY_V {
            return Err(InstrumentError::WrongSign {
                current_a,
                open_circuit_v,
                potential_v,
            });
        }
        if moved_v > RIGHT_WAY_V {
            self.sign_is_known = true;
        } else if self.elapsed_s >= SIGN_WITHIN_S {
            self.sign_is_known = true;
            channel.remark(format!(
                "the potential has hardly moved within {SIGN_WITHIN_S} s of {current_a} A: whether the leads are the \
                 right way round could not be seen"
            ));
        }
        Ok(())
    }

    /// What has come of it when the script has ended by itself.
    pub fn outcome(&self) -> Outcome {
        let left_s = self.remaining_s();
        if self.bound.is_none() && left_s > 1.5 * self.job.interval_s {
            let expected = (self.job.technique.duration_s() / self.job.interval_s).round();
            return Outcome::Failed(InstrumentError::EndedEarly {
                points: self.samples,
                expected: expected as u32,
            });
        }
        Outcome::DirectComplete(DirectEnd {
            samples: self.samples,
            elapsed_s: self.elapsed_s,
            charge_c: self.charge_c,
            bound: self.bound,
        })
    }
}
