//! How far a step of direct current has come, for the part of it that is done after an interruption.

use crate::event::{Event, EventBody, LinkState};
use crate::instrument::OpenCircuit;
use crate::profile::{DirectStep, DirectTechnique};
use crate::spectrum::Sample;

/// For how many pieces at most an instrument goes on after it was heard for the last time: through the rest of the
/// piece, and through another where it was told to go on before.
const PIECES_UNSEEN: f64 = 1.5;

/// How far a step of direct current has come, over all attempts at it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DirectProgress {
    /// What was begun; potentials that count from the open circuit count from the one before its beginning.
    pub whole: Option<DirectTechnique>,
    /// How long it had run before the attempt that runs, in s; 0 for a scan, which begins again.
    pub elapsed_s: f64,
    /// The charge that was measured in that time, in C.
    pub charge_c: f64,
    /// The charge that was measured in all attempts that have ended, in C, with its sign.
    pub spent_c: f64,
    /// The charge that may have flowed unseen in C, without sign and at most.
    pub unseen_c: f64,
    /// What the attempt that runs has shown; none before its first sample.
    seen: Option<Seen>,
}

/// The last sample of an attempt; time and charge count on from what was done before.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    elapsed_s: f64,
    charge_c: f64,
    current_a: Option<f64>,
}

/// How an attempt stood when its instrument was lost.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Loss {
    elapsed_s: f64,
    current_a: Option<f64>,
}

impl Loss {
    /// The charge in C that may have flowed unseen; `most_a` counts where no current was read.
    fn most_c(&self, step: &DirectStep, most_a: f64) -> f64 {
        let unseen_s = PIECES_UNSEEN * step.piece_s;
        let left_s = (step.technique.duration_s() - self.elapsed_s).max(0.0);
        let known_a = self.current_a.unwrap_or(most_a).abs();
        match step.technique {
            DirectTechnique::ChronoPotentiometry { current_a, .. } => current_a.abs() * unseen_s.min(left_s),
            DirectTechnique::ChronoAmperometry { .. } => known_a * unseen_s.min(left_s),
            DirectTechnique::LinearSweep { .. } | DirectTechnique::CyclicVoltammetry { .. } => {
                known_a * unseen_s
            }
        }
    }
}

impl DirectProgress {
    /// A sample was read.
    pub fn sampled(&mut self, sample: &Sample) {
        if sample.device_t_s.is_some_and(|time_s| time_s < self.elapsed_s) {
            // It was begun anew.
            (self.elapsed_s, self.charge_c) = (0.0, 0.0);
        }
        let before = Seen {
            elapsed_s: self.elapsed_s,
            charge_c: self.charge_c,
            current_a: None,
        };
        let seen = self.seen.get_or_insert(before);
        seen.elapsed_s = sample.device_t_s.unwrap_or(seen.elapsed_s);
        seen.charge_c = sample.charge_c.unwrap_or(seen.charge_c);
        seen.current_a = sample.current_a.or(seen.current_a);
    }

    /// The attempt that ran has ended, however it did; a scan cannot be taken up where it ended.
    pub fn ended(&mut self, can_be_taken_up: bool) {
        if let Some(seen) = self.seen.take() {
            self.spent_c += seen.charge_c - self.charge_c;
            (self.elapsed_s, self.charge_c) = (seen.elapsed_s, seen.charge_c);
        }
        if !can_be_taken_up {
            (self.elapsed_s, self.charge_c) = (0.0, 0.0);
        }
    }

    /// The instrument was lost in the attempt that runs; `most_a` is the largest current that may flow.
    pub fn lost_sight(&mut self, step: &DirectStep, most_a: f64) {
        self.unseen_c += self.loss().most_c(step, most_a);
    }

    fn loss(&self) -> Loss {
        Loss {
            elapsed_s: self.seen.map_or(self.elapsed_s, |seen| seen.elapsed_s),
            current_a: self.seen.and_then(|seen| seen.current_a),
        }
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
    /// Whether an attempt at it runs.
    runs: bool,
    /// Whether its technique can be taken up where it was interrupted.
    can_be_taken_up: bool,
    /// How its attempts stood when the instrument was lost, or the session was cut off.
    losses: Vec<Loss>,
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
                    self.losses.clear();
                }
                self.attempt_ended();
                if step.name == OPEN_CIRCUIT && self.progress.is_none() {
                    self.resting.clear();
                }
                if let Some((_, can_be_taken_up)) = DIRECT.iter().find(|(word, _)| *word == step.name) {
                    self.progress.get_or_insert_default();
                    self.runs = true;
                    self.can_be_taken_up = *can_be_taken_up;
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
            EventBody::Link(link) if link.state == LinkState::Lost => self.lost(),
            EventBody::Resumed(_) => self.lost(),
            _ => {}
        }
    }

    fn lost(&mut self) {
        if let (Some(progress), true) = (&self.progress, self.runs) {
            self.losses.push(progress.loss());
        }
        self.attempt_ended();
    }

    fn attempt_ended(&mut self) {
        self.runs = false;
        if let Some(progress) = &mut self.progress {
            progress.ended(self.can_be_taken_up);
        }
    }

    /// How far the planned step of this number had come: where it was begun. `most_a` is the largest current in A that
    /// may flow.
    #[must_use]
    pub fn progress(&self, planned: u32, step: &DirectStep, most_a: f64) -> Option<DirectProgress> {
        let mut progress = self.progress.filter(|_| self.planned == planned)?;
        let last = self.runs.then(|| progress.loss());
        let losses = self.losses.iter().chain(&last);
        progress.unseen_c = losses.map(|loss| loss.most_c(step, most_a)).sum();
        progress.whole = match (step.vs_open_circuit, OpenCircuit::of(&self.resting)) {
            (false, _) => Some(step.technique),
            (true, resting) => resting.map(|resting| step.technique.shifted(resting.potential_v)),
        };
        // Without the rest from which it counts it begins again.
        let can_be_taken_up = progress
            .whole
            .is_some_and(|whole| whole.rest_after(0.0).is_some());
        progress.ended(can_be_taken_up);
        Some(progress)
    }
}

/// The word for a resting cell, in steps and samples.
const OPEN_CIRCUIT: &str = "ocp";
/// The words of the techniques of direct current, and whether they can be taken up where they were interrupted.
const DIRECT: [(&str, bool); 4] = [("ca", true), ("cp", true), ("lsv", false), ("cv", false)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gap, Link, PlanStep, SampleTaken, Stamp};

    const MOST_A: f64 = 5e-3;

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

    fn scan() -> DirectStep {
        DirectStep {
            technique: DirectTechnique::LinearSweep {
                start_v: 3.0,
                end_v: 4.0,
                step_v: 0.01,
                rate_v_per_s: 0.01,
            },
            ..charge()
        }
    }

    fn lost() -> EventBody {
        EventBody::Link(Link {
            state: LinkState::Lost,
            port: String::new(),
            reason: String::new(),
        })
    }

    fn resumed() -> EventBody {
        EventBody::Resumed(Gap {
            from_utc_ns: 0,
            to_utc_ns: 0,
            reason: String::new(),
        })
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
        let progress = cut_off_after(before).progress(3, &charge(), MOST_A).unwrap();
        assert_eq!((progress.elapsed_s, progress.charge_c), (400.0, 0.4));
        assert_eq!(progress.spent_c, 0.4);
        assert!((progress.unseen_c - 0.09).abs() < 1e-12, "{progress:?}");
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
        let progress = cut_off_after(before)
            .progress(3, &hold_above_rest(), MOST_A)
            .unwrap();
        let Some(DirectTechnique::ChronoAmperometry { potential_v, .. }) = progress.whole else {
            panic!("{progress:?}");
        };
        assert!((potential_v - 3.71).abs() < 1e-12, "{potential_v}");
        assert_eq!(progress.elapsed_s, 20.0);
        assert!(
            (progress.unseen_c - 0.18).abs() < 1e-12,
            "the last current: {progress:?}"
        );
    }

    #[test]
    fn a_step_of_another_number_begins_anew_and_a_scan_always_does() {
        let before = vec![step(3, "cp"), sample("cp", 400.0, 3.9, 0.4), step(4, "ocp")];
        assert_eq!(cut_off_after(before).progress(4, &charge(), MOST_A), None);
        let scan = scan();
        let before = vec![step(3, "lsv"), sample("lsv", 40.0, 3.4, 0.4)];
        let progress = cut_off_after(before).progress(3, &scan, MOST_A).unwrap();
        assert_eq!(progress.rest_of(scan.technique), Some(scan.technique));
        assert_eq!(progress.charge_c, 0.0);
    }
    #[test]
    fn every_interruption_counts_what_was_not_seen() {
        let before = vec![
            step(3, "cp"),
            sample("cp", 100.0, 3.9, 0.1),
            lost(),
            lost(),
            step(3, "ocp"),
            // Nothing flows while the cell rests.
            resumed(),
            step(3, "ocp"),
            step(3, "cp"),
            sample("cp", 300.0, 3.9, 0.3),
            resumed(),
            step(3, "cp"),
            sample("cp", 570.0, 3.9, 0.57),
        ];
        let progress = cut_off_after(before).progress(3, &charge(), MOST_A).unwrap();
        assert_eq!((progress.elapsed_s, progress.charge_c), (570.0, 0.57));
        assert!((progress.spent_c - 0.57).abs() < 1e-12, "{progress:?}");
        // Twice one and a half pieces, and in the end no more than what was left.
        assert!((progress.unseen_c - 0.21).abs() < 1e-12, "{progress:?}");
    }

    #[test]
    fn a_scan_that_begins_again_has_spent_what_flowed_before() {
        let before = vec![
            step(3, "lsv"),
            sample("lsv", 40.0, 3.4, 0.4),
            lost(),
            step(3, "lsv"),
            sample("lsv", 20.0, 3.2, 0.2),
            step(3, "paused"),
            step(3, "lsv"),
            sample("lsv", 10.0, 3.1, 0.1),
        ];
        let progress = cut_off_after(before).progress(3, &scan(), MOST_A).unwrap();
        assert_eq!((progress.elapsed_s, progress.charge_c), (0.0, 0.0));
        assert!((progress.spent_c - 0.7).abs() < 1e-12, "{progress:?}");
        assert!((progress.unseen_c - 0.36).abs() < 1e-12, "{progress:?}");
    }

    #[test]
    fn before_the_first_sample_the_largest_current_may_have_flowed() {
        let before = vec![sample("ocp", 0.0, 3.7, 0.0), step(3, "ca"), lost()];
        let progress = cut_off_after(before)
            .progress(3, &hold_above_rest(), MOST_A)
            .unwrap();
        assert_eq!(progress.spent_c, 0.0);
        assert!((progress.unseen_c - 0.45).abs() < 1e-12, "{progress:?}");
    }
}
