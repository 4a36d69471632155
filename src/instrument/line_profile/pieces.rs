//! A technique of direct current in pieces that each end by themselves: what an instrument is asked for at a
//! time, so that one whose computer has died is never left alone for longer than a piece.

use super::parameters;
use crate::instrument::{DirectJob, Ranging};
use crate::profile::line::{DirectTable, LineProfile, Value, Values};
use crate::profile::{CurrentRange, DirectTechnique};

/// Times in s that are this near are the same.
const SAME_S: f64 = 1e-6;

/// What an instrument is asked for in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The table of the profile that it is asked by.
    pub table: DirectTable,
    /// How long it lasts in s.
    pub duration_s: f64,
    /// Rows that come of it, where they are counted.
    pub rows: u32,
    /// The range in A; infinite where the profile knows none.
    pub range_a: f64,
    /// The parameters of its commands.
    pub values: Values,
}

/// A piece as a potential that stays, moves once, or moves to and fro.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Course {
    Hold {
        potential_v: f64,
    },
    Line {
        start_v: f64,
        end_v: f64,
    },
    Triangle {
        start_v: f64,
        vertex1_v: f64,
        vertex2_v: f64,
        scans: u32,
    },
}

/// The piece of a technique that begins after some time in s; none at its end.
///
/// Constant potentials and lines are cut where a piece may end. Whole scans of a cyclic voltammogram are asked for
/// where one fits into a piece; otherwise it is drawn leg by leg, as lines.
///
/// # Errors
/// In words, where the profile cannot say it or the instrument does not take a value.
pub fn piece_from(
    profile: &LineProfile,
    job: &DirectJob,
    ranges: &[CurrentRange],
    from_s: f64,
) -> Result<Option<Piece>, String> {
    let left_s = job.technique.duration_s() - from_s;
    if left_s <= SAME_S {
        return Ok(None);
    }
    // A whole number of samples, so that their times do not jump from piece to piece.
    let samples = (job.piece_s / job.interval_s * (1.0 + 1e-9)).floor().max(1.0);
    let longest_s = samples * job.interval_s;
    let (course, duration_s) = match job.technique {
        DirectTechnique::ChronoPotentiometry { .. } => {
            return Err(
                "a constant current cannot be said with a line profile: it sets potentials alone".to_owned(),
            );
        }
        DirectTechnique::ChronoAmperometry { potential_v, .. } => {
            (Course::Hold { potential_v }, left_s.min(longest_s))
        }
        DirectTechnique::LinearSweep {
            start_v,
            end_v,
            rate_v_per_s,
            ..
        } => line_from(start_v, end_v, rate_v_per_s, from_s, longest_s),
        DirectTechnique::CyclicVoltammetry { .. } => cyclic_from(profile, job, from_s, longest_s)?,
    };
    of_course(profile, job, ranges, course, duration_s).map(Some)
}

/// What of a line is left after some time, at most so long.
fn line_from(start_v: f64, end_v: f64, rate_v_per_s: f64, from_s: f64, longest_s: f64) -> (Course, f64) {
    let whole_s = (end_v - start_v).abs() / rate_v_per_s;
    let to_s = if whole_s - from_s <= longest_s + SAME_S {
        whole_s
    } else {
        from_s + longest_s
    };
    let at_v = |time_s: f64| start_v + (end_v - start_v) * (time_s / whole_s).clamp(0.0, 1.0);
    let course = Course::Line {
        start_v: at_v(from_s),
        end_v: at_v(to_s),
    };
    (course, to_s - from_s)
}

fn cyclic_from(
    profile: &LineProfile,
    job: &DirectJob,
    from_s: f64,
    longest_s: f64,
) -> Result<(Course, f64), String> {
    let DirectTechnique::CyclicVoltammetry {
        start_v,
        vertex1_v,
        vertex2_v,
        rate_v_per_s,
        scans,
        ..
    } = job.technique
    else {
        return Err("no cyclic voltammetry".to_owned());
    };
    let scan_s = job.technique.duration_s() / f64::from(scans);
    let (low_v, high_v) = (vertex1_v.min(vertex2_v), vertex1_v.max(vertex2_v));
    let is_triangle = (low_v..=high_v).contains(&start_v) && high_v > low_v;
    let done = (from_s / scan_s + SAME_S).floor();
    let at_a_start = (from_s - done * scan_s).abs() <= SAME_S;
    let fit = (longest_s / scan_s * (1.0 + 1e-9)).floor();
    if profile.cyclic_sweep.is_some() && is_triangle && fit >= 1.0 && at_a_start {
        let scans = fit.min(f64::from(scans) - done) as u32;
        let course = Course::Triangle {
            start_v,
            vertex1_v,
            vertex2_v,
            scans,
        };
        return Ok((course, f64::from(scans) * scan_s));
    }
    if profile.linear_sweep.is_none() {
        return Err(match (profile.cyclic_sweep.is_some(), is_triangle) {
            (false, _) => "its profile has neither [line.cyclic_sweep] nor [line.linear_sweep]".to_owned(),
            (true, false) => format!(
                "it begins its scans between the vertices, and {start_v} V is not between {low_v} and {high_v} V"
            ),
            (true, true) => format!(
                "one scan takes {scan_s:.0} s, longer than piece_s = {} s for which the instrument may go on without \
                 hearing from this program, and without [line.linear_sweep] it cannot be divided; scan faster or give \
                 the step a larger piece_s",
                job.piece_s
            ),
        });
    }
    let mut leg_s = from_s - done * scan_s;
    for (a_v, b_v) in [(start_v, vertex1_v), (vertex1_v, vertex2_v), (vertex2_v, start_v)] {
        let whole_s = (b_v - a_v).abs() / rate_v_per_s;
        if whole_s - leg_s > SAME_S {
            return Ok(line_from(a_v, b_v, rate_v_per_s, leg_s.max(0.0), longest_s));
        }
        leg_s -= whole_s;
    }
    Err("the scan has no length".to_owned())
}

fn of_course(
    profile: &LineProfile,
    job: &DirectJob,
    ranges: &[CurrentRange],
    course: Course,
    duration_s: f64,
) -> Result<Piece, String> {
    let rows = (duration_s / job.interval_s).round().max(1.0);
    let mut base = vec![
        ("duration_s", duration_s),
        ("interval_s", job.interval_s),
        ("n_points", rows),
    ];
    let range = range_of(job.ranging, ranges);
    base.extend(
        range
            .iter()
            .flat_map(|range| [("range_a", range.limit_a), ("range_code", f64::from(range.code))]),
    );
    if let DirectTechnique::LinearSweep {
        step_v, rate_v_per_s, ..
    }
    | DirectTechnique::CyclicVoltammetry {
        step_v, rate_v_per_s, ..
    } = job.technique
    {
        base.extend([("step_v", step_v), ("rate_v_per_s", rate_v_per_s)]);
    }
    let table = match course {
        Course::Hold { potential_v } => {
            base.push(("potential_v", potential_v));
            DirectTable::Hold
        }
        Course::Line { start_v, end_v } => {
            base.extend([("start_v", start_v), ("end_v", end_v)]);
            DirectTable::LinearSweep
        }
        Course::Triangle {
            start_v,
            vertex1_v,
            vertex2_v,
            scans,
        } => {
            let (low_v, high_v) = (vertex1_v.min(vertex2_v), vertex1_v.max(vertex2_v));
            // A triangle wave rises from its lowest value in the first half of its period.
            let risen = (start_v - low_v) / (high_v - low_v) / 2.0;
            let shift = if vertex1_v > vertex2_v { risen } else { 1.0 - risen };
            base.extend([
                ("start_v", start_v),
                ("vertex1_v", vertex1_v),
                ("vertex2_v", vertex2_v),
                ("scans", f64::from(scans)),
                ("amplitude_v", (high_v - low_v) / 2.0),
                ("offset_v", f64::midpoint(high_v, low_v)),
                ("period_s", duration_s / f64::from(scans)),
                ("shift", shift),
            ]);
            DirectTable::CyclicSweep
        }
    };
    if profile.direct(table).is_none() {
        return Err(format!("its profile has no [{}]", table.key()));
    }
    let mut values = parameters::with_derived(profile, &base)?;
    let label = range.map(|range| Value::Text(range.label.clone()));
    values.extend(label.map(|label| ("range_label".to_owned(), label)));
    Ok(Piece {
        table,
        duration_s,
        rows: rows as u32,
        range_a: range.map_or(f64::INFINITY, |range| range.limit_a),
        values,
    })
}

/// The range that is set: it stays, so where the instrument may choose it is the coarsest that it may.
fn range_of(ranging: Ranging, ranges: &[CurrentRange]) -> Option<&CurrentRange> {
    let wanted_a = match ranging {
        Ranging::Pinned(range_a) => range_a,
        Ranging::Auto { high_a, .. } => high_a,
    };
    let takes = |range: &&CurrentRange| range.limit_a >= wanted_a * (1.0 - 1e-9);
    ranges.iter().find(takes).or(ranges.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Instrument, Kind, shipped_text};

    fn instrument() -> Instrument {
        Instrument::parse("rodeostat", shipped_text(Kind::Instrument, "rodeostat").unwrap()).unwrap()
    }

    fn job(technique: DirectTechnique, interval_s: f64, piece_s: f64) -> DirectJob {
        DirectJob {
            technique,
            interval_s,
            piece_s,
            bounds: Vec::new(),
            ranging: Ranging::Auto {
                low_a: 1e-6,
                high_a: 1e-3,
            },
            pgstat_mode: 2,
            max_bandwidth_hz: 0.0,
            channel: 0,
            open_circuit_v: None,
            check_sign: false,
            before_s: 0.0,
            before_c: 0.0,
        }
    }

    fn pieces(profile: &LineProfile, job: &DirectJob) -> Vec<Piece> {
        let ranges = instrument().current_ranges;
        let (mut pieces, mut from_s) = (Vec::new(), 0.0);
        while let Some(piece) = piece_from(profile, job, &ranges, from_s).unwrap() {
            from_s += piece.duration_s;
            pieces.push(piece);
            assert!(pieces.len() < 1000, "no end: {job:?}");
        }
        assert!(
            (from_s - job.technique.duration_s()).abs() < 1e-6,
            "{from_s} s for {job:?}"
        );
        pieces
    }

    fn number(piece: &Piece, name: &str) -> f64 {
        piece.values[name].number().unwrap()
    }

    fn cyclic(start_v: f64, vertex1_v: f64, vertex2_v: f64, scans: u32) -> DirectTechnique {
        DirectTechnique::CyclicVoltammetry {
            start_v,
            vertex1_v,
            vertex2_v,
            step_v: 0.005,
            rate_v_per_s: 0.01,
            scans,
        }
    }

    #[test]
    fn a_long_hold_is_cut_into_pieces_of_whole_samples() {
        let line = instrument().line.unwrap();
        let hold = DirectTechnique::ChronoAmperometry {
            potential_v: 0.5,
            duration_s: 150.0,
        };
        let found = pieces(&line, &job(hold, 0.7, 60.0));
        let lengths: Vec<f64> = found.iter().map(|piece| piece.duration_s).collect();
        assert_eq!(found.len(), 3);
        assert!(
            (lengths[0] - 59.5).abs() < 1e-9 && (lengths[1] - 59.5).abs() < 1e-9,
            "{lengths:?}"
        );
        assert!(found.iter().all(|piece| piece.table == DirectTable::Hold));
    }

    #[test]
    fn scans_are_asked_for_whole_where_they_fit_and_drawn_leg_by_leg_where_they_do_not() {
        let line = instrument().line.unwrap();
        // 200 s a scan.
        let whole = pieces(&line, &job(cyclic(0.0, 0.5, -0.5, 3), 0.5, 450.0));
        let scans: Vec<f64> = whole.iter().map(|piece| number(piece, "scans")).collect();
        assert_eq!(scans, [2.0, 1.0]);
        assert_eq!(number(&whole[0], "period_s"), 200.0);
        let drawn = pieces(&line, &job(cyclic(0.0, 0.5, -0.5, 1), 0.5, 60.0));
        let ends: Vec<(f64, f64)> = drawn
            .iter()
            .map(|piece| (number(piece, "start_v"), number(piece, "end_v")))
            .collect();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        for ((a, b), (c, d)) in ends
            .iter()
            .zip([(0.0, 0.5), (0.5, -0.1), (-0.1, -0.5), (-0.5, 0.0)])
        {
            assert!(near(*a, c) && near(*b, d), "{ends:?}");
        }
        assert_eq!(ends.len(), 4);
        assert!(drawn.iter().all(|piece| piece.duration_s <= 60.0));
    }

    #[test]
    fn a_triangle_begins_where_and_in_the_direction_in_which_the_scan_does() {
        let line = instrument().line.unwrap();
        // The wave of the firmware: rising from offset - amplitude for half a period.
        let wave = |piece: &Piece, t: f64| {
            let period = number(piece, "period_s");
            let s = (t + number(piece, "shift") * period).rem_euclid(period);
            let rising = if s < period / 2.0 { s } else { period - s };
            number(piece, "offset_v") - number(piece, "amplitude_v")
                + 4.0 * number(piece, "amplitude_v") * rising / period
        };
        for (start, v1, v2) in [
            (0.0, 0.5, -0.5),
            (0.2, -0.3, 0.4),
            (-0.5, 0.5, -0.5),
            (0.1, 0.1, -0.7),
        ] {
            let piece = &pieces(&line, &job(cyclic(start, v1, v2, 1), 0.5, 1000.0))[0];
            let (t1, t2) = (
                (v1 - start).abs() / 0.01,
                ((v1 - start).abs() + (v2 - v1).abs()) / 0.01,
            );
            for (t, v) in [(0.0, start), (t1, v1), (t2, v2)] {
                assert!(
                    (wave(piece, t) - v).abs() < 1e-9,
                    "{start} {v1} {v2}: {} V at {t} s",
                    wave(piece, t)
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_divided_or_is_beyond_a_parameter_is_refused_in_words() {
        let mut line = instrument().line.unwrap();
        let hold = DirectTechnique::ChronoAmperometry {
            potential_v: 0.5,
            duration_s: 150.0,
        };
        let slow = piece_from(&line, &job(hold, 5.0, 60.0), &[], 0.0).unwrap_err();
        assert!(
            slow.contains("interval_s = 5") && slow.contains("1 to 1000"),
            "{slow}"
        );
        line.linear_sweep = None;
        let long = piece_from(&line, &job(cyclic(0.0, 0.5, -0.5, 1), 0.5, 60.0), &[], 0.0).unwrap_err();
        assert!(long.contains("one scan takes 200 s"), "{long}");
        let outside = piece_from(&line, &job(cyclic(0.9, 0.5, -0.5, 1), 0.5, 600.0), &[], 0.0).unwrap_err();
        assert!(outside.contains("between the vertices"), "{outside}");
        let current = DirectTechnique::ChronoPotentiometry {
            current_a: 1e-4,
            duration_s: 10.0,
        };
        let refused = piece_from(&line, &job(current, 0.1, 60.0), &[], 0.0).unwrap_err();
        assert!(refused.contains("potentials alone"), "{refused}");
    }
}
