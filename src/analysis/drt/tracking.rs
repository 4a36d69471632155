//! Peaks followed over sweeps: which is which, which is new, which is gone.
//!
//! Time constants and areas of a process change little by little; so a peak belongs to the track whose course it
//! continues best in ln tau and ln area together. The pairs are chosen for the least sum, so that peaks may cross.

/// A peak may be so far in ln tau from where its track is expected.
const TAU_GATE: f64 = 1.6;
/// It may be so far in ln area.
const AREA_GATE: f64 = 1.4;
/// Distance in ln tau that counts as one.
const TAU_UNIT: f64 = 0.4;
/// Distance in ln area that counts as one.
const AREA_UNIT: f64 = 0.35;
/// Sweeps in a row that a peak may be missing, such as while another passes over it.
const PATIENCE: u32 = 3;
/// Share of the newest step in the expected one.
const FRESH: f64 = 0.4;

/// A process over the sweeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Its number; numbers are not used again.
    pub id: u32,
    /// The sweep in which it was first seen.
    pub born: u32,
    /// The sweep in which it was last seen.
    pub last_seen: u32,
    /// Whether it is given up: missing for longer than a passing peak hides another.
    pub is_dead: bool,
    missing: u32,
    at: [f64; 2],
    step: [f64; 2],
}

impl Track {
    /// Where it is expected in the next sweep: ln tau and ln area.
    fn expected(&self) -> [f64; 2] {
        let ahead = f64::from(self.missing + 1);
        [
            self.at[0] + ahead * self.step[0],
            self.at[1] + ahead * self.step[1],
        ]
    }

    /// How badly a peak continues it; None where it cannot be the same.
    fn distance(&self, peak: [f64; 2]) -> Option<f64> {
        let expected = self.expected();
        let (tau, area) = (peak[0] - expected[0], peak[1] - expected[1]);
        // After a gap less is known.
        let slack = 1.0 + 0.3 * f64::from(self.missing);
        (tau.abs() < slack * TAU_GATE && area.abs() < slack * AREA_GATE)
            .then(|| (tau / TAU_UNIT).powi(2) + (area / AREA_UNIT).powi(2))
    }

    fn take(&mut self, sweep: u32, peak: [f64; 2]) {
        let gap = f64::from(self.missing + 1);
        for (step, (to, from)) in self.step.iter_mut().zip(peak.iter().zip(&self.at)) {
            *step += FRESH * ((to - from) / gap - *step);
        }
        self.at = peak;
        self.last_seen = sweep;
        self.missing = 0;
    }
}

/// Follows peaks over the sweeps of one cell.
#[derive(Clone, Debug, Default)]
pub struct PeakTracker {
    tracks: Vec<Track>,
}

impl PeakTracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the peaks of the next sweep, each as time constant in s and area in ohm, and gives each its number.
    pub fn observe(&mut self, sweep: u32, peaks: &[(f64, f64)]) -> Vec<u32> {
        let places: Vec<[f64; 2]> = peaks.iter().map(|(tau, area)| [tau.ln(), area.ln()]).collect();
        let living: Vec<usize> = (0..self.tracks.len())
            .filter(|&i| !self.tracks[i].is_dead)
            .collect();
        let distances: Vec<Vec<Option<f64>>> = places
            .iter()
            .map(|peak| {
                living
                    .iter()
                    .map(|&track| self.tracks[track].distance(*peak))
                    .collect()
            })
            .collect();
        let chosen = least_sum(&distances, living.len());
        for &track in &living {
            let track = &mut self.tracks[track];
            track.missing += 1;
        }
        let ids = places
            .iter()
            .zip(&chosen)
            .map(|(peak, chosen)| match chosen.map(|place| living[place]) {
                Some(track) => {
                    let track = &mut self.tracks[track];
                    track.missing -= 1;
                    track.take(sweep, *peak);
                    track.id
                }
                None => self.bear(sweep, *peak),
            })
            .collect();
        for track in &mut self.tracks {
            track.is_dead |= track.missing > PATIENCE;
        }
        ids
    }

    /// All tracks, the dead ones too, in the order of their numbers.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn bear(&mut self, sweep: u32, at: [f64; 2]) -> u32 {
        let id = self.tracks.len() as u32 + 1;
        self.tracks.push(Track {
            id,
            born: sweep,
            last_seen: sweep,
            is_dead: false,
            missing: 0,
            at,
            step: [0.0; 2],
        });
        id
    }
}

/// What it costs to leave a peak without a track: more than any pair within the gates is worth breaking for.
const ALONE: f64 = 40.0;

/// The track of each peak so that the sum of distances is least: successive shortest augmenting paths (Bellman and
/// Ford) in the graph of peaks and tracks.
fn least_sum(distances: &[Vec<Option<f64>>], tracks: usize) -> Vec<Option<usize>> {
    let mut of_peak: Vec<Option<usize>> = vec![None; distances.len()];
    let mut of_track: Vec<Option<usize>> = vec![None; tracks];
    for start in 0..distances.len() {
        // Cost to free each track, beginning with the new peak, and the peak from which it was reached.
        let mut cost = vec![f64::INFINITY; tracks];
        let mut from = vec![usize::MAX; tracks];
        let mut peak_cost = vec![f64::INFINITY; distances.len()];
        peak_cost[start] = 0.0;
        for _ in 0..=distances.len() {
            for peak in 0..distances.len() {
                if peak_cost[peak].is_infinite() {
                    continue;
                }
                for track in 0..tracks {
                    let Some(distance) = distances[peak][track] else {
                        continue;
                    };
                    let reached = peak_cost[peak] + distance;
                    if of_peak[peak] != Some(track) && reached < cost[track] - 1e-12 {
                        cost[track] = reached;
                        from[track] = peak;
                        if let Some(owner) = of_track[track] {
                            let owned = distances[owner][track].unwrap_or(0.0);
                            peak_cost[owner] = peak_cost[owner].min(reached - owned);
                        }
                    }
                }
            }
        }
        // Ends at a track that is free, or at a peak that is left alone.
        let free = (0..tracks).filter(|&track| of_track[track].is_none() && cost[track].is_finite());
        let end = free.min_by(|a, b| cost[*a].total_cmp(&cost[*b]));
        let alone = (0..distances.len())
            .filter(|&peak| peak_cost[peak].is_finite())
            .min_by(|a, b| peak_cost[*a].total_cmp(&peak_cost[*b]));
        let mut next = match (end, alone) {
            (Some(track), alone) if alone.is_none_or(|peak| cost[track] < peak_cost[peak] + ALONE) => {
                Some(track)
            }
            (_, Some(peak)) if peak != start => {
                let given_up = of_peak[peak].take();
                if let Some(track) = given_up {
                    of_track[track] = None;
                }
                given_up
            }
            _ => None,
        };
        while let Some(track) = next {
            let peak = from[track];
            next = of_peak[peak];
            of_peak[peak] = Some(track);
            of_track[track] = Some(peak);
            if peak == start {
                break;
            }
        }
    }
    of_peak
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_peak_keeps_its_number() {
        let mut tracker = PeakTracker::new();
        for sweep in 1..=40 {
            let grown = 1.06f64.powi(sweep);
            let ids = tracker.observe(sweep as u32, &[(1e-5, 10.0), (1e-2 * grown, 40.0 * grown)]);
            assert_eq!(ids, [1, 2], "{sweep}");
        }
    }

    #[test]
    fn peaks_that_cross_keep_their_numbers_through_the_sweeps_in_which_they_are_one() {
        let mut tracker = PeakTracker::new();
        for sweep in 0..24u32 {
            let x = f64::from(sweep) * 0.35;
            let (small, large) = ((-6.0 + x, 10.0), (-2.0 - 0.1 * x, 60.0));
            let apart: f64 = small.0 - large.0;
            let ids = if apart.abs() < 0.5 {
                // Only the sum is seen.
                tracker.observe(sweep, &[(large.0.exp(), 70.0)])
            } else {
                let mut peaks = [(small.0.exp(), small.1), (large.0.exp(), large.1)];
                peaks.sort_by(|a, b| a.0.total_cmp(&b.0));
                tracker.observe(sweep, &peaks)
            };
            let wanted: &[u32] = match apart {
                a if a.abs() < 0.5 => &[2],
                a if a < 0.0 => &[1, 2],
                _ => &[2, 1],
            };
            assert_eq!(ids, wanted, "sweep {sweep}, apart {apart}");
        }
    }

    #[test]
    fn a_peak_that_stays_away_is_dead_and_what_comes_there_later_is_another() {
        let mut tracker = PeakTracker::new();
        for sweep in 1..=5 {
            tracker.observe(sweep, &[(1e-4, 10.0 / f64::from(sweep)), (1e-1, 50.0)]);
        }
        for sweep in 6..=12 {
            assert_eq!(tracker.observe(sweep, &[(1e-1, 50.0)]), [2]);
        }
        let gone = &tracker.tracks()[0];
        assert!(gone.is_dead && gone.born == 1 && gone.last_seen == 5, "{gone:?}");
        assert_eq!(tracker.observe(13, &[(1e-4, 2.0), (1e-1, 50.0)]), [3, 2]);
        assert_eq!(tracker.tracks()[2].born, 13);
    }

    #[test]
    fn a_peak_that_is_missing_once_comes_back_under_its_number() {
        let mut tracker = PeakTracker::new();
        tracker.observe(1, &[(1e-4, 10.0), (1e-1, 50.0)]);
        tracker.observe(2, &[(1e-1, 50.0)]);
        assert_eq!(tracker.observe(3, &[(1.1e-4, 10.5), (1e-1, 50.0)]), [1, 2]);
    }

    #[test]
    fn a_new_peak_between_two_takes_neither_number() {
        let mut tracker = PeakTracker::new();
        tracker.observe(1, &[(1e-5, 10.0), (1e-2, 50.0)]);
        assert_eq!(
            tracker.observe(2, &[(1e-5, 10.0), (1e-3, 12.0), (1e-2, 49.0)]),
            [1, 3, 2]
        );
    }

    #[test]
    fn the_sum_is_least_and_not_each_distance_for_itself() {
        let distances = vec![vec![Some(1.0), Some(2.0)], vec![Some(1.1), Some(9.0)]];
        assert_eq!(least_sum(&distances, 2), [Some(1), Some(0)]);
        let distances = vec![vec![Some(1.0)], vec![Some(0.5)]];
        assert_eq!(least_sum(&distances, 1), [None, Some(0)]);
        assert_eq!(least_sum(&[], 3), Vec::<Option<usize>>::new());
    }
}
