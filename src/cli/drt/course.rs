//! What became of each peak over the spectra of a file.

use crate::analysis::drt::Peak;
use crate::analysis::drt::tracking::PeakTracker;

/// What a spectrum changed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Step {
    /// Whether there was none before, so that all peaks are new.
    pub is_first: bool,
    /// The number of each peak.
    pub ids: Vec<u32>,
    /// Numbers seen for the first time.
    pub born: Vec<u32>,
    /// Numbers given up here: missing for some spectra.
    pub gone: Vec<u32>,
}

/// One end of a course.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// What the spectrum is called.
    pub sweep: String,
    pub tau_s: f64,
    pub resistance_ohm: f64,
}

/// A peak over the spectra.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Course {
    pub first: Place,
    pub last: Place,
    /// In so many spectra it was seen.
    pub seen: usize,
    pub is_gone: bool,
}

/// All peaks over the spectra of one cell.
#[derive(Default)]
pub(super) struct Courses {
    tracker: PeakTracker,
    /// By number, which begins at 1.
    pub courses: Vec<Course>,
    /// Spectra with a distribution.
    pub sweeps: u32,
}

impl Courses {
    /// Takes the peaks of the next spectrum.
    pub(super) fn observe(&mut self, sweep: &str, peaks: &[Peak]) -> Step {
        self.sweeps += 1;
        let places: Vec<(f64, f64)> = peaks
            .iter()
            .map(|peak| (peak.tau_s, peak.resistance_ohm))
            .collect();
        let mut step = Step {
            is_first: self.sweeps == 1,
            ids: self.tracker.observe(self.sweeps, &places),
            ..Step::default()
        };
        for (id, (tau_s, resistance_ohm)) in step.ids.iter().zip(places) {
            let place = Place {
                sweep: sweep.to_owned(),
                tau_s,
                resistance_ohm,
            };
            match self.courses.get_mut(*id as usize - 1) {
                Some(course) => {
                    course.last = place;
                    course.seen += 1;
                }
                None => step.born.push(*id),
            }
        }
        // Numbers are given in the order of the peaks, so that new ones come in theirs.
        for id in &step.born {
            let at = step.ids.iter().position(|own| own == id).unwrap_or_default();
            let place = Place {
                sweep: sweep.to_owned(),
                tau_s: peaks[at].tau_s,
                resistance_ohm: peaks[at].resistance_ohm,
            };
            self.courses.push(Course {
                first: place.clone(),
                last: place,
                seen: 1,
                is_gone: false,
            });
        }
        for (course, track) in self.courses.iter_mut().zip(self.tracker.tracks()) {
            if track.is_dead && !course.is_gone {
                course.is_gone = true;
                step.gone.push(track.id);
            }
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(tau_s: f64, resistance_ohm: f64) -> Peak {
        Peak {
            tau_s,
            ln_tau_std_error: None,
            frequency_hz: 1.0 / (std::f64::consts::TAU * tau_s),
            resistance_ohm,
            std_error_ohm: None,
            spread_ohm: 0.0,
            capacitance_f: tau_s / resistance_ohm,
            range_s: [0.1 * tau_s, 10.0 * tau_s],
            cut_sides: [false; 2],
        }
    }

    #[test]
    fn births_and_deaths_are_told_once_and_courses_have_both_ends() {
        let mut courses = Courses::default();
        let both = |grown: f64| [peak(1e-5, 10.0), peak(1e-2, 40.0 * grown)];
        let step = courses.observe("1", &both(1.0));
        assert_eq!(
            (step.is_first, step.ids, step.born),
            (true, vec![1, 2], vec![1, 2])
        );
        let step = courses.observe("2", &[peak(1e-5, 10.0), peak(3e-4, 5.0), peak(1e-2, 41.0)]);
        assert_eq!((step.ids, step.born), (vec![1, 3, 2], vec![3]));
        let mut gone = Vec::new();
        for sweep in 3..12 {
            let step = courses.observe(&sweep.to_string(), &both(1.0 + 0.01 * f64::from(sweep)));
            assert_eq!(step.ids, [1, 2]);
            gone.extend(step.gone);
        }
        assert_eq!(gone, [3]);
        let course = &courses.courses[1];
        assert_eq!(
            (course.first.sweep.as_str(), course.last.sweep.as_str()),
            ("1", "11")
        );
        assert_eq!(
            (course.seen, courses.courses[2].seen, courses.sweeps),
            (11, 1, 11)
        );
        assert!(courses.courses[2].is_gone && !course.is_gone);
    }
}
