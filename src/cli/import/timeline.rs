//! What several files hold, on one clock.

use std::collections::HashMap;

use crate::event::Stamp;
use crate::files::{Measured, Origin, Series, SeriesRow};
use crate::recording::ChargeSign;
use crate::spectrum::{Point, Sample, Spectrum};

/// The stamp of a row, where the event before it has this one: the session's clock never runs back.
pub(super) fn stamp_after(row: &SeriesRow, before: Stamp) -> Stamp {
    let elapsed_ns = row
        .t_s
        .map_or(before.elapsed_ns, |t_s| nanoseconds(t_s).max(before.elapsed_ns));
    let passed = elapsed_ns.saturating_sub(before.elapsed_ns);
    Stamp {
        utc_ns: row.utc_ns.unwrap_or(before.utc_ns.saturating_add(passed)),
        elapsed_ns,
    }
}

/// When the session began, as the first row says that has both times; none where none has.
pub(super) fn start_utc_ns(rows: &[SeriesRow]) -> Option<i64> {
    rows.iter()
        .find_map(|row| Some(row.utc_ns?.saturating_sub(nanoseconds(row.t_s?))))
}

/// The points of each sweep.
pub(super) fn spectra(rows: &[SeriesRow]) -> Vec<Vec<&Point>> {
    let mut spectra: Vec<Vec<&Point>> = Vec::new();
    for row in rows {
        if let Measured::Point(sweep, point) = &row.measured {
            let sweep = *sweep as usize;
            if spectra.len() <= sweep {
                spectra.resize_with(sweep + 1, Vec::new);
            }
            spectra[sweep].push(point);
        }
    }
    spectra
}

/// Puts files one after the other.
pub(super) struct Timeline {
    sign: ChargeSign,
    /// Everything so far on one clock, with its sweeps counted from 0.
    rows: Vec<SeriesRow>,
    sweeps: u32,
    last_ns: i64,
    /// A file of samples alone or of points alone, whose other half may come next.
    waiting: Option<(String, Series)>,
    remarks: Vec<String>,
}

impl Timeline {
    /// Nothing yet; `sign` says which way charging goes.
    pub fn new(sign: ChargeSign) -> Self {
        Self {
            sign,
            rows: Vec::new(),
            sweeps: 0,
            last_ns: 0,
            waiting: None,
            remarks: Vec::new(),
        }
    }

    /// Adds spectra, of whose time of the day the file says nothing.
    pub fn add_spectra(&mut self, spectra: impl Iterator<Item = Spectrum>) {
        self.add_waiting();
        for spectrum in spectra {
            for point in spectrum.points {
                self.rows.push(SeriesRow {
                    seq: None,
                    t_s: None,
                    utc_ns: None,
                    measured: Measured::Point(self.sweeps, Box::new(point)),
                });
            }
            self.sweeps += 1;
        }
    }

    /// Adds a series, put together with the one before it where one has samples and the other points, and both are of
    /// the same kind: two halves of one export.
    pub fn add_series(&mut self, file: &str, series: Series) {
        let is_other_half = |one: &Series, other: &Series| {
            one.origin == other.origin
                && matches!(one.origin, Origin::BatteryData | Origin::Table)
                && one.has_samples() != other.has_samples()
                && one.has_points() != other.has_points()
        };
        match self.waiting.take() {
            _ if series.rows.is_empty() => {}
            Some((_, one)) if is_other_half(&one, &series) => {
                let merged = merged(one, series);
                self.add_rows(file, merged);
            }
            waiting => {
                self.waiting = waiting;
                self.add_waiting();
                self.waiting = Some((file.to_owned(), series));
            }
        }
    }

    /// Everything in order, and what was decided, in words.
    pub fn finish(mut self) -> (Vec<SeriesRow>, Vec<String>) {
        self.add_waiting();
        (self.rows, self.remarks)
    }

    fn add_waiting(&mut self) {
        if let Some((file, series)) = self.waiting.take() {
            self.add_rows(&file, series);
        }
    }

    fn add_rows(&mut self, file: &str, series: Series) {
        if series.origin == Origin::BatteryData && series.has_samples() {
            self.remarks.push(format!("{file}: {}", self.sign.words()));
        }
        let first = series.rows.iter().find_map(|row| row.t_s);
        let shift_ns = match first.map(nanoseconds) {
            Some(first) if first < self.last_ns => {
                self.remarks.push(if self.last_ns == 0 {
                    format!(
                        "{file}: begins at {} s, before zero, where a recording begins: its times are moved to \
                         begin there",
                        first as f64 / 1e9
                    )
                } else {
                    format!("{file}: begins before the file before it ends: its times follow on from there")
                });
                self.last_ns.saturating_sub(first)
            }
            _ => 0,
        };
        let factor = match series.origin {
            Origin::BatteryData => self.sign.factor(),
            _ => 1.0,
        };
        let mut back = 0_usize;
        let mut sweep: Option<(u32, u32)> = None;
        let (mut rows, remark) = gathered(series.rows);
        self.remarks
            .extend(remark.map(|remark| format!("{file}: {remark}")));
        for row in &mut rows {
            if let Some(t_s) = &mut row.t_s {
                let ns = nanoseconds(*t_s).saturating_add(shift_ns);
                if shift_ns != 0 {
                    *t_s = ns as f64 / 1e9;
                }
                back += usize::from(ns < self.last_ns);
                self.last_ns = self.last_ns.max(ns);
            }
            match &mut row.measured {
                Measured::Sample(sample) => turn(sample, factor),
                Measured::Point(number, _) => {
                    let own = match sweep {
                        Some((of_file, own)) if of_file == *number => own,
                        _ => {
                            self.sweeps += 1;
                            self.sweeps - 1
                        }
                    };
                    sweep = Some((*number, own));
                    *number = own;
                }
            }
        }
        if self.rows.is_empty() {
            self.rows = rows;
        } else {
            self.rows.append(&mut rows);
        }
        if back > 0 {
            self.remarks.push(format!(
                "{file}: {back} rows lie before the row before them; they are recorded at its time"
            ));
        }
    }
}

/// The working electrode's potential and current of the cell's voltage and charge current.
fn turn(sample: &mut Sample, factor: f64) {
    for value in [&mut sample.potential_v, &mut sample.current_a] {
        *value = value.map(|value| factor * value);
    }
}

/// The rows with each sweep's points behind one another where sweeps take turns; and what was decided, in words. A
/// recording has one sweep at a time. Where a number comes again with a frequency that it had, sweeps were counted
/// anew, as in files that were put together: nothing is gathered then.
fn gathered(rows: Vec<SeriesRow>) -> (Vec<SeriesRow>, Option<&'static str>) {
    let mut first_row: HashMap<u32, usize> = HashMap::new();
    let mut first_run: HashMap<(u32, u64), usize> = HashMap::new();
    let mut last = None;
    let mut run = 0_usize;
    let (mut again, mut repeated) = (false, false);
    for (index, row) in rows.iter().enumerate() {
        let Measured::Point(number, point) = &row.measured else {
            continue;
        };
        if last != Some(*number) {
            last = Some(*number);
            run += 1;
            again |= first_row.contains_key(number);
        }
        first_row.entry(*number).or_insert(index);
        if point.frequency_hz.is_finite() {
            let key = (*number, point.frequency_hz.to_bits());
            repeated |= *first_run.entry(key).or_insert(run) != run;
        }
    }
    if !again {
        return (rows, None);
    }
    if repeated {
        let remark =
            "numbers of sweeps come again with the same frequencies: each time is a sweep of its own";
        return (rows, Some(remark));
    }
    let place = |(index, row): (usize, SeriesRow)| match &row.measured {
        Measured::Point(number, _) => (first_row.get(number).copied().unwrap_or(index), row),
        Measured::Sample(_) => (index, row),
    };
    let mut placed: Vec<(usize, SeriesRow)> = rows.into_iter().enumerate().map(place).collect();
    placed.sort_by_key(|(place, _)| *place);
    let rows = placed.into_iter().map(|(_, row)| row).collect();
    let remark = "sweeps take turns in it: the points are gathered by the number of their sweep";
    (rows, Some(remark))
}

fn nanoseconds(t_s: f64) -> i64 {
    (t_s * 1e9).round() as i64
}

/// The rows of both in the order of the session: by the number of the event where that is known, else by time. A point
/// without a time stays behind the one before it.
fn merged(one: Series, other: Series) -> Series {
    let key = |row: &SeriesRow, last: &mut (u64, f64)| {
        *last = (row.seq.unwrap_or(last.0), row.t_s.unwrap_or(last.1));
        *last
    };
    let mut keyed: Vec<((u64, f64), SeriesRow)> = Vec::new();
    let mut remarks = one.remarks;
    remarks.extend(other.remarks);
    for rows in [one.rows, other.rows] {
        let mut last = (0, f64::NEG_INFINITY);
        keyed.extend(rows.into_iter().map(|row| (key(&row, &mut last), row)));
    }
    keyed.sort_by(|((a, at), _), ((b, bt), _)| a.cmp(b).then(at.total_cmp(bt)));
    Series {
        origin: one.origin,
        rows: keyed.into_iter().map(|(_, row)| row).collect(),
        remarks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(origin: Origin, times: &[f64]) -> Series {
        let rows = times
            .iter()
            .map(|&t_s| SeriesRow {
                seq: None,
                t_s: Some(t_s),
                utc_ns: None,
                measured: Measured::Sample(Sample {
                    potential_v: Some(3.0),
                    current_a: Some(1.0),
                    ..Sample::default()
                }),
            })
            .collect();
        Series {
            origin,
            rows,
            remarks: Vec::new(),
        }
    }

    fn points(origin: Origin, sweeps: &[(u32, Option<f64>)]) -> Series {
        let rows = sweeps
            .iter()
            .map(|&(sweep, t_s)| SeriesRow {
                seq: None,
                t_s,
                utc_ns: None,
                measured: Measured::Point(sweep, Box::new(Point::new(1.0, 2.0, -3.0))),
            })
            .collect();
        Series {
            origin,
            rows,
            remarks: Vec::new(),
        }
    }

    fn times(rows: &[SeriesRow]) -> Vec<Option<f64>> {
        rows.iter().map(|row| row.t_s).collect()
    }

    #[test]
    fn a_file_that_begins_again_goes_on_where_the_one_before_it_ends() {
        let mut timeline = Timeline::new(ChargeSign::Positive);
        timeline.add_series("a", samples(Origin::EcLabText, &[0.0, 5.0]));
        timeline.add_series("b", samples(Origin::EcLabText, &[0.0, 2.0]));
        timeline.add_series("c", samples(Origin::EcLabText, &[100.0, 101.0]));
        let (items, remarks) = timeline.finish();
        assert_eq!(times(&items), [0.0, 5.0, 5.0, 7.0, 100.0, 101.0].map(Some));
        assert!(remarks.len() == 1 && remarks[0].starts_with("b: "), "{remarks:?}");
    }

    #[test]
    fn samples_and_points_of_one_export_are_put_together_by_time() {
        let mut timeline = Timeline::new(ChargeSign::Positive);
        timeline.add_series("a", samples(Origin::BatteryData, &[0.0, 10.0, 20.0]));
        let of_points = [(4, Some(12.0)), (4, None), (5, Some(19.0))];
        timeline.add_series("b", points(Origin::BatteryData, &of_points));
        let (items, _) = timeline.finish();
        let sweeps: Vec<Option<u32>> = items
            .iter()
            .map(|item| match item.measured {
                Measured::Point(sweep, _) => Some(sweep),
                Measured::Sample(_) => None,
            })
            .collect();
        assert_eq!(sweeps, [None, None, Some(0), Some(0), Some(1), None]);
        assert_eq!(spectra(&items).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_first_file_before_zero_is_moved_and_said_to_be() {
        let mut timeline = Timeline::new(ChargeSign::Positive);
        timeline.add_series("a", samples(Origin::EcLabText, &[-5.5, -1.0]));
        let (items, remarks) = timeline.finish();
        assert_eq!(times(&items), [0.0, 4.5].map(Some));
        assert!(
            remarks.len() == 1 && remarks[0].starts_with("a: begins at -5.5 s, before zero"),
            "{remarks:?}"
        );
    }

    #[test]
    fn times_beyond_the_clock_end_at_its_ends() {
        let mut timeline = Timeline::new(ChargeSign::Positive);
        timeline.add_series("a", samples(Origin::EcLabText, &[0.0, 5.0]));
        timeline.add_series("b", samples(Origin::EcLabText, &[-1e300, 1e300]));
        let (items, _) = timeline.finish();
        let mut stamp = Stamp {
            utc_ns: 1,
            elapsed_ns: 0,
        };
        for row in &items {
            stamp = stamp_after(row, stamp);
        }
        // As near to the end as an f64 comes.
        assert!(stamp.elapsed_ns > i64::MAX - 4096, "{}", stamp.elapsed_ns);
        assert!(stamp.utc_ns >= stamp.elapsed_ns, "{}", stamp.utc_ns);
    }

    #[test]
    fn sweeps_that_take_turns_are_gathered_and_ones_counted_anew_are_not() {
        for (frequencies, sizes, word) in [
            ([1e3, 1e3, 1e2, 1e2], &[2, 2][..], "take turns"),
            ([1e3, 1e3, 1e3, 1e3], &[1, 1, 1, 1][..], "come again"),
        ] {
            let mut series = points(
                Origin::BatteryData,
                &[(1, Some(0.0)), (2, Some(1.0)), (1, Some(2.0)), (2, Some(3.0))],
            );
            for (row, frequency_hz) in series.rows.iter_mut().zip(frequencies) {
                if let Measured::Point(_, point) = &mut row.measured {
                    point.frequency_hz = frequency_hz;
                }
            }
            let mut timeline = Timeline::new(ChargeSign::Positive);
            timeline.add_series("a", series);
            let (items, remarks) = timeline.finish();
            assert_eq!(
                spectra(&items).iter().map(Vec::len).collect::<Vec<_>>(),
                sizes,
                "{word}"
            );
            assert!(
                remarks
                    .iter()
                    .any(|remark| remark.starts_with("a: ") && remark.contains(word)),
                "{remarks:?}"
            );
            let in_order: Vec<u32> = items
                .iter()
                .filter_map(|item| match item.measured {
                    Measured::Point(sweep, _) => Some(sweep),
                    Measured::Sample(_) => None,
                })
                .collect();
            assert!(in_order.is_sorted(), "{in_order:?}");
        }
    }

    #[test]
    fn charge_current_is_turned_only_where_the_working_electrode_is_the_negative_one() {
        for (sign, origin, expected) in [
            (ChargeSign::Negative, Origin::BatteryData, -1.0),
            (ChargeSign::Positive, Origin::BatteryData, 1.0),
            (ChargeSign::Unknown, Origin::BatteryData, 1.0),
            (ChargeSign::Negative, Origin::EcLabText, 1.0),
        ] {
            let mut timeline = Timeline::new(sign);
            timeline.add_series("a", samples(origin, &[0.0]));
            let (items, _) = timeline.finish();
            let Measured::Sample(sample) = &items[0].measured else {
                panic!("a sample");
            };
            assert_eq!(sample.current_a, Some(expected));
            assert_eq!(sample.potential_v, Some(3.0 * expected));
        }
    }
}
