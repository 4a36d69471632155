//! How long a running sweep will still take: the instrument's point time, corrected by what its points
//! really took.

use crate::analysis::point_time::{PointTime, PointTiming};
use crate::state::{State, SweepRecord};

/// Seconds that the running sweep will still take at `now_s` of elapsed time, or that the wait before the
/// next one will; none where that cannot be told.
#[must_use]
pub fn of_sweep(state: &State, now_s: f64) -> Option<f64> {
    if let Some(sweep) = state.running_sweep() {
        return of_running(state, sweep, now_s);
    }
    let (_, step) = state.head().plan_step.as_ref()?;
    step.until_s.map(|until_s| (until_s - now_s).max(0.0))
}

fn of_running(state: &State, sweep: &SweepRecord, now_s: f64) -> Option<f64> {
    let (_, session) = state.head().session.as_ref()?;
    let started = &sweep.started;
    if session.point_periods <= 0.0 || started.n_points < 2 || started.f_min_hz <= 0.0 {
        return None;
    }
    let mut time = PointTime::new(PointTiming {
        point_overhead_s: session.point_overhead_s,
        point_periods: session.point_periods,
    });
    let mut before_s = None;
    for (point, (_, stamp)) in sweep.points().iter().zip(&sweep.arrivals) {
        if let Some(before_s) = before_s {
            time.observe(point.frequency_hz, stamp.elapsed_s() - before_s);
        }
        before_s = Some(stamp.elapsed_s());
    }
    let last = f64::from(started.n_points - 1);
    let ratio = started.f_min_hz / started.f_max_hz;
    let expected = |index: usize| time.expected_s(started.f_max_hz * ratio.powf(index as f64 / last));
    let measured = sweep.points().len();
    let missing: f64 = (measured..started.n_points as usize).map(expected).sum();
    let running_s = now_s - before_s.unwrap_or(sweep.stamp.elapsed_s());
    Some((missing - running_s.max(0.0)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventBody, PointMeasured, SessionStarted, Stamp, SweepStarted};
    use crate::spectrum::Point;

    fn state_with(points: usize, slowness: f64) -> State {
        let mut state = State::new();
        let mut seq = 0;
        let mut at_s = 0.0;
        let mut apply = |at_s: f64, body| {
            seq += 1;
            let stamp = Stamp {
                utc_ns: 0,
                elapsed_ns: (at_s * 1e9) as i64,
            };
            state.apply(&Event { seq, stamp, body });
        };
        let session = SessionStarted {
            point_overhead_s: 0.5,
            point_periods: 2.0,
            ..SessionStarted::default()
        };
        apply(0.0, EventBody::Session(session));
        let sweep = 1;
        let started = SweepStarted {
            sweep,
            n_points: 21,
            f_max_hz: 100.0,
            f_min_hz: 1.0,
            ..SweepStarted::default()
        };
        apply(0.0, EventBody::SweepStarted(started));
        for index in 0..points {
            let frequency = 100.0 * 10f64.powf(-(index as f64) / 10.0);
            at_s += slowness * (0.5 + 2.0 / frequency);
            let point = Point::new(frequency, 1.0, -1.0);
            apply(
                at_s,
                EventBody::Point(PointMeasured {
                    sweep,
                    index: index as u32,
                    point,
                }),
            );
        }
        state
    }

    fn total_s() -> f64 {
        (0..21)
            .map(|index| 0.5 + 2.0 / (100.0 * 10f64.powf(-f64::from(index) / 10.0)))
            .sum()
    }

    #[test]
    fn before_the_first_point_it_is_the_profiles_time_less_what_has_passed() {
        let left = of_sweep(&state_with(0, 1.0), 1.0).unwrap();
        assert!((left - (total_s() - 1.0)).abs() < 1e-6);
    }

    #[test]
    fn an_instrument_that_takes_twice_as_long_is_believed() {
        let state = state_with(15, 2.0);
        let now_s = state.head().last_stamp.elapsed_s();
        let left = of_sweep(&state, now_s).unwrap();
        let expected = 2.0 * total_s() - now_s;
        assert!(
            (left - expected).abs() < 0.15 * expected,
            "{left} against {expected}"
        );
    }

    #[test]
    fn an_overdue_sweep_has_no_time_left_rather_than_less_than_none() {
        assert_eq!(of_sweep(&state_with(3, 1.0), 1e6), Some(0.0));
        assert_eq!(of_sweep(&State::new(), 0.0), None);
    }
}
