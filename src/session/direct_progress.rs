//! How far a step of direct current has come, for the part of it that is done after an interruption.

use crate::event::{Event, EventBody};
use crate::instrument::OpenCircuit;
use crate::profile::{DirectStep, DirectTechnique};
use crate::spectrum::Sample;

/// How far a step of direct current has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DirectProgress {
    /// What was begun; potentials that count from the open circuit count from the one before its beginning.
    pub whole: Option<DirectTechnique>,
    /// How long it has run, in s.
    pub elapsed_s: f64,
    /// The charge that was measured, in C.
    pub charge_c: f64,
    /// The charge that may have flowed unseen in C, without sign and at most: an instrument goes on for the rest of
    /// a piece after it was heard for the last time.
    pub unseen_c: f64,
    /// The last current, in A.
    current_a: f64,
}

impl DirectProgress {
    /// A sample was read.
    pub fn sampled(&mut self, sample: &Sample) {
        self.elapsed_s = sample.device_t_s.unwrap_or(self.elapsed_s);
        self.charge_c = sample.charge_c.unwrap_or(self.charge_c);
        self.current_a = sample.current_a.unwrap_or(self.current_a);
    }

    /// The instrument was lost while it measured.
    pub fn lost_sight(&mut self, step: &DirectStep) {
        let left_s = (step.technique.duration_s() - self.elapsed_s).max(0.0);
        self.unseen_c += match step.technique {
            DirectTechnique::ChronoPotentiometry { current_a, .. } => current_a,
            _ => self.current_a,
        }
        .abs()
            * step.piece_s.min(left_s);
    }

    /// What is left to be done of a technique; none where nothing is, and for a scan, which begins again.
    #[must_use]
    pub fn rest_of(&self, whole: DirectTechnique) -> Option<DirectTechnique> {
        match self.elapsed_s {
            0.0 => Some(whole),
            elapsed_s => whole.rest_after(elapsed_s),
        }
    }
}

/// What a recording says of the step of direct current in which its session was cut off.
#[derive(Clone, Debug, Default)]
pub struct CutOffStep {
    /// The step of the plan, by its number over all rounds.
    planned: u32,
    progress: Option<DirectProgress>,
    /// Readings of the resting cell before the step: how many came before, and the potential in V.
    resting: Vec<(f64, f64)>,
}

impl CutOffStep {
    /// Takes the next event of the recording.
    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            EventBody::PlanStep(step) => {
                if step.step != self.planned {
                    self.planned = step.step;
                    self.progress = None;
                }
                if step.name == OPEN_CIRCUIT && self.progress.is_none() {
                    self.resting.clear();
                }
                if DIRECT.contains(&step.name.as_str()) {
                    self.progress.get_or_insert_default();
                }
            }
            EventBody::Sample(taken) => {
                let sample = &taken.sample;
                if sample.technique != OPEN_CIRCUIT {
                    if let Some(progress) = &mut self.progress {
                        progress.sampled(sample);
                    }
                } else if let (None, Some(potential_v)) = (&self.progress, sample.potential_v) {
                    self.resting.push((self.resting.len() as f64, potential_v));
                }
            }
            _ => {}
        }
    }

    /// How far the planned step of this number had come: where it was begun, and can be taken up.
    #[must_use]
    pub fn progress(&self, planned: u32, step: &DirectStep) -> Option<DirectProgress> {
        let mut progress = self.progress.filter(|_| self.planned == planned)?;
        let whole = match (step.vs_open_circuit, OpenCircuit::of(&self.resting)) {
            (false, _) => step.technique,
            (true, Some(resting)) => step.technique.shifted(resting.potential_v),
            (true, None) => return None,
        };
        progress.whole = Some(whole);
        if whole.rest_after(0.0).is_none() {
            progress.elapsed_s = 0.0;
            progress.charge_c = 0.0;
        }
        progress.lost_sight(step);
        Some(progress)
    }
}

/// The word for a resting cell, in steps and samples.
const OPEN_CIRCUIT: &str = "ocp";
/// The words of the techniques of direct current.
const DIRECT: [&str; 4] = ["ca", "cp", "lsv", "cv"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{PlanStep, SampleTaken, Stamp};

    fn charge() -> DirectStep {
        DirectStep {
            technique: DirectTechnique::ChronoPotentiometry {
                current_a: 1e-3,
                duration_s: 600.0,
            },
            vs_open_circuit: false,
            interval_s: 1.0,
            piece_s: 60.0,
            until: Vec::new(),
            current_range_a: None,
            setting: crate::profile::Setting::default(),
        }
    }

    fn hold_above_rest() -> DirectStep {
        DirectStep {
            technique: DirectTechnique::ChronoAmperometry {
                potential_v: 0.01,
                duration_s: 600.0,
            },
            vs_open_circuit: true,
            ..charge()
        }
    }

    fn step(step: u32, name: &str) -> EventBody {
        EventBody::PlanStep(PlanStep {
            step,
            of: 9,
            name: name.into(),
            text: String::new(),
            until_s: None,
        })
    }

    fn sample(technique: &str, time_s: f64, potential_v: f64, charge_c: f64) -> EventBody {
        EventBody::Sample(SampleTaken {
            sample: Sample {
                technique: technique.into(),
                device_t_s: (technique != "ocp").then_some(time_s),
                potential_v: Some(potential_v),
                current_a: Some(2e-3),
                charge_c: Some(charge_c),
                ..Sample::default()
            },
        })
    }

    fn cut_off_after(bodies: Vec<EventBody>) -> CutOffStep {
        let mut cut_off = CutOffStep::default();
        for (seq, body) in (1..).zip(bodies) {
            let stamp = Stamp {
                utc_ns: 0,
                elapsed_ns: 0,
            };
            cut_off.apply(&Event { seq, stamp, body });
        }
        cut_off
    }

    #[test]
    fn a_charge_goes_on_after_what_was_measured_and_counts_what_was_not_seen() {
        let before = vec![
            step(3, "ocp"),
            sample("ocp", 0.0, 3.7, 0.0),
            step(3, "cp"),
            sample("cp", 400.0, 3.9, 0.4),
        ];
        let progress = cut_off_after(before).progress(3, &charge()).unwrap();
        assert_eq!((progress.elapsed_s, progress.charge_c), (400.0, 0.4));
        assert!((progress.unseen_c - 0.06).abs() < 1e-12, "{progress:?}");
        let rest = progress.rest_of(progress.whole.unwrap()).unwrap();
        assert_eq!(rest.duration_s(), 200.0);
    }

    #[test]
    fn a_potential_above_rest_counts_from_the_rest_before_its_beginning_also_after_a_second_reading() {
        let before = vec![
            step(2, "ocp"),
            sample("ocp", 0.0, 3.6, 0.0),
            step(3, "ocp"),
            sample("ocp", 0.0, 3.7, 0.0),
            step(3, "ca"),
            sample("ca", 10.0, 3.71, 0.01),
            step(3, "ocp"),
            sample("ocp", 0.0, 3.705, 0.0),
            step(3, "ca"),
            sample("ca", 20.0, 3.71, 0.02),
        ];
        let progress = cut_off_after(before).progress(3, &hold_above_rest()).unwrap();
        let Some(DirectTechnique::ChronoAmperometry { potential_v, .. }) = progress.whole else {
            panic!("{progress:?}");
        };
        assert!((potential_v - 3.71).abs() < 1e-12, "{potential_v}");
        assert_eq!(progress.elapsed_s, 20.0);
        assert!(
            (progress.unseen_c - 0.12).abs() < 1e-12,
            "the last current: {progress:?}"
        );
    }

    #[test]
    fn a_step_of_another_number_begins_anew_and_a_scan_always_does() {
        let before = vec![step(3, "cp"), sample("cp", 400.0, 3.9, 0.4), step(4, "ocp")];
        assert_eq!(cut_off_after(before).progress(4, &charge()), None);
        let scan = DirectStep {
            technique: DirectTechnique::LinearSweep {
                start_v: 3.0,
                end_v: 4.0,
                step_v: 0.01,
                rate_v_per_s: 0.01,
            },
            ..charge()
        };
        let before = vec![step(3, "lsv"), sample("lsv", 40.0, 3.4, 0.4)];
        let progress = cut_off_after(before).progress(3, &scan).unwrap();
        assert_eq!(progress.rest_of(scan.technique), Some(scan.technique));
        assert_eq!(progress.charge_c, 0.0);
    }
}
