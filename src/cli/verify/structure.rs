//! What the events of a recording say about its completeness as a measurement.

use std::collections::BTreeSet;

use crate::event::{Event, EventBody, SweepStarted};

/// Events of several threads are put in order as they arrive; only more than this is worth a word, in s.
const NOTABLE_STEP_BACK_S: f64 = 1.0;

struct Running {
    seq: u64,
    started: SweepStarted,
    measured: BTreeSet<u32>,
}

/// Looks at events as they pass by, in order.
#[derive(Default)]
pub(super) struct Structure {
    running: Option<Running>,
    last_elapsed_s: f64,
    /// What is worth a word, though the recording is sound.
    pub remarks: Vec<String>,
    /// Sweeps of which points are missing.
    pub incomplete: BTreeSet<u32>,
}

impl Structure {
    pub(super) fn take(&mut self, event: &Event) {
        let elapsed_s = event.stamp.elapsed_s();
        match &event.body {
            EventBody::SweepStarted(started) => {
                self.without_end();
                self.running = Some(Running {
                    seq: event.seq,
                    started: started.clone(),
                    measured: BTreeSet::new(),
                });
            }
            EventBody::Point(point) => match &mut self.running {
                Some(running) if running.started.sweep == point.sweep => {
                    running.measured.insert(point.index);
                }
                _ => self.remarks.push(format!(
                    "point {} of sweep {} (event {}) lies outside its sweep",
                    point.index, point.sweep, event.seq
                )),
            },
            EventBody::SweepEnded(ended) => {
                if let Some(running) = self
                    .running
                    .take_if(|running| running.started.sweep == ended.sweep)
                {
                    if let Some(missing) = missing_points(&running, ended.complete) {
                        self.remarks.push(missing);
                        self.incomplete.insert(ended.sweep);
                    }
                } else {
                    self.remarks.push(format!(
                        "sweep {} ends at event {} and has no beginning",
                        ended.sweep, event.seq
                    ));
                }
            }
            EventBody::SessionEnded(_) => self.without_end(),
            // What was cut off is ended by the session that goes on.
            EventBody::Resumed(_) => self.last_elapsed_s = elapsed_s,
            EventBody::Gap(gap) => self
                .remarks
                .push(format!("gap at event {}: {}", event.seq, gap.reason)),
            _ => {}
        }
        let back_s = self.last_elapsed_s - elapsed_s;
        if back_s > NOTABLE_STEP_BACK_S {
            self.remarks.push(format!(
                "event {} lies {back_s:.3} s before the one before it",
                event.seq
            ));
        }
        self.last_elapsed_s = elapsed_s;
    }

    fn without_end(&mut self) {
        if let Some(running) = self.running.take() {
            self.remarks.push(format!(
                "sweep {}, begun with event {}, has no end",
                running.started.sweep, running.seq
            ));
        }
    }
}

/// Points that should be there: all before the last one, and in a complete sweep all that were planned.
fn missing_points(running: &Running, complete: bool) -> Option<String> {
    let measured = &running.measured;
    let planned = match complete {
        true => running.started.n_points,
        false => 0,
    };
    let due = measured
        .last()
        .map_or(0, |last| last.saturating_add(1))
        .max(planned);
    let missing = u64::from(due).saturating_sub(measured.len() as u64);
    // Named only where they can be looked at one by one.
    let first = (0..due).find(|index| !measured.contains(index))?;
    Some(format!(
        "sweep {}: {missing} of {due} points are missing, the first is point {first}",
        running.started.sweep
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{PointMeasured, SessionEnded, Stamp, SweepEnded};
    use crate::spectrum::Point;

    fn remarks(bodies: Vec<EventBody>) -> Vec<String> {
        let mut structure = Structure::default();
        for (index, body) in bodies.into_iter().enumerate() {
            structure.take(&Event {
                seq: index as u64 + 1,
                stamp: Stamp::default(),
                body,
            });
        }
        structure.remarks
    }

    fn started(sweep: u32) -> EventBody {
        EventBody::SweepStarted(SweepStarted {
            sweep,
            n_points: 3,
            ..SweepStarted::default()
        })
    }

    fn point(sweep: u32, index: u32) -> EventBody {
        EventBody::Point(PointMeasured {
            sweep,
            index,
            point: Point::new(1.0, 1.0, 0.0),
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
    fn a_whole_sweep_and_one_that_was_ended_early_are_nothing_to_speak_of() {
        let whole = vec![started(1), point(1, 0), point(1, 1), point(1, 2), ended(1, true)];
        assert_eq!(remarks(whole), Vec::<String>::new());
        assert_eq!(
            remarks(vec![started(1), point(1, 0), ended(1, false)]),
            Vec::<String>::new()
        );
        assert_eq!(
            remarks(vec![started(1), point(1, 0)]),
            Vec::<String>::new(),
            "it runs"
        );
    }

    #[test]
    fn a_sweep_that_was_cut_off_and_ended_by_the_session_that_goes_on_is_whole() {
        let resumed = EventBody::Resumed(crate::event::Gap {
            from_utc_ns: 0,
            to_utc_ns: 1,
            reason: String::new(),
        });
        let cut = vec![started(1), point(1, 0), resumed, ended(1, false), started(2)];
        assert_eq!(remarks(cut), Vec::<String>::new());
    }

    #[test]
    fn missing_points_and_ends_are_told() {
        let hole = vec![started(4), point(4, 0), point(4, 2), ended(4, true)];
        assert_eq!(
            remarks(hole),
            ["sweep 4: 1 of 3 points are missing, the first is point 1"]
        );
        let cut = vec![started(1), started(2), ended(2, false), ended(7, true)];
        assert_eq!(
            remarks(cut),
            [
                "sweep 1, begun with event 1, has no end",
                "sweep 7 ends at event 4 and has no beginning"
            ]
        );
        let over = EventBody::SessionEnded(SessionEnded {
            reason: String::new(),
        });
        assert_eq!(
            remarks(vec![started(3), over]),
            ["sweep 3, begun with event 1, has no end"]
        );
    }
}
