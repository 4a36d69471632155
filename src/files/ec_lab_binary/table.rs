//! The table of points in the data module: its columns, its records, and whether they make sense.

use crate::files::bytes::{u8_at, u16_at, u32_at};
use crate::files::error::ReadError;
use crate::spectrum::{Point, PointStatus};

use super::columns::{self, Kind, RecordLayout, value};
use super::modules::Module;
use super::sweep::{Sweep, SweepKey};

/// The table of points in a data module.
pub(super) struct Table {
    points: usize,
    layout: RecordLayout,
    /// Where the first point stands in the content of the module.
    start: usize,
    columns: Columns,
}

/// Where the values stand that make a point.
struct Columns {
    frequency: (Kind, usize),
    impedance: Impedance,
}

/// The columns that give the impedance.
enum Impedance {
    Parts {
        real: (Kind, usize),
        negative_imaginary: (Kind, usize),
    },
    Polar {
        modulus: (Kind, usize),
        phase: (Kind, usize),
    },
}

impl Table {
    /// Finds the table and its columns.
    pub(super) fn find(file: &str, data: &Module<'_>) -> Result<Self, ReadError> {
        let content = data.content;
        let cut = || {
            ReadError::at_byte(
                file,
                data.end(),
                "the file ends before its list of columns does; copy it again",
            )
        };
        let points = u32_at(content, 0).ok_or_else(cut)?;
        let points = usize::try_from(points).unwrap_or(usize::MAX);
        if points == 0 {
            return Err(ReadError::at_byte(
                file,
                data.offset,
                "there is no point in it: nothing was measured",
            ));
        }
        let (ids, ids_at, start) = column_ids(data).map_err(|message| match message {
            Some(message) => ReadError::at_byte(file, data.offset, message),
            None => cut(),
        })?;
        let room = data.length.checked_sub(start);
        let length = room.filter(|room| room % points == 0).map(|room| room / points);
        let layout = RecordLayout::new(&ids, length.filter(|&length| length > 0))
            .map_err(|message| ReadError::at_byte(file, data.offset + ids_at, message))?;
        let columns = Columns::find(&layout)
            .map_err(|message| ReadError::at_byte(file, data.offset + ids_at, message))?;
        Ok(Self {
            points,
            layout,
            start,
            columns,
        })
    }

    pub(super) fn start_in_file(&self, data: &Module<'_>) -> usize {
        data.offset + self.start
    }

    pub(super) fn remark_on_columns(&self, data: &Module<'_>, remarks: &mut Vec<String>) {
        let used = self
            .points
            .saturating_mul(self.layout.length)
            .saturating_add(self.start);
        if used < data.content.len() {
            remarks.push(format!(
                "{} bytes after the last point are not read",
                data.content.len() - used
            ));
        }
        if !self.layout.unknown.is_empty() {
            remarks.push(format!(
                "the columns {:?} are unknown and not read; the place of the others follows from the length of a point",
                self.layout.unknown
            ));
        }
    }

    /// The points by sweep, and whether the file ends before all of them.
    pub(super) fn sweeps(&self, restarts: &[usize], data: &Module<'_>) -> (Vec<Sweep>, bool) {
        let layout = &self.layout;
        let cycle = layout.column(columns::CYCLE);
        let z_cycle = layout.first_of(&columns::Z_CYCLE);
        let sequence = layout.column(columns::SEQUENCE);
        let counts_cycles = cycle.is_some() || z_cycle.is_some();
        let records = data
            .content
            .get(self.start..)
            .unwrap_or_default()
            .chunks_exact(layout.length)
            .take(self.points);
        let cut = records.len() < self.points;
        let mut sweeps: Vec<Sweep> = Vec::new();
        let mut previous_end_s = None;
        for (index, record) in records.enumerate() {
            let key = SweepKey {
                cycle: value(cycle, record),
                z_cycle: value(z_cycle, record),
                sequence: value(sequence, record).map(|number| number + 1.0),
                loop_number: if counts_cycles {
                    0
                } else {
                    1 + restarts.partition_point(|&start| start <= index)
                },
            };
            if sweeps
                .last()
                .is_none_or(|sweep| sweep.key.differs(key).contains(&true))
            {
                sweeps.push(Sweep {
                    key,
                    points: Vec::new(),
                    moduli: Vec::new(),
                });
                previous_end_s = None;
            }
            let (point, end_s) = self.point(record, previous_end_s);
            previous_end_s = end_s;
            if let Some(sweep) = sweeps.last_mut() {
                sweep.points.push(point);
                sweep.moduli.push(value(layout.column(columns::MODULUS), record));
            }
        }
        (sweeps, cut)
    }

    /// One point and the time of its end. It began when the one before it in the sweep ended.
    fn point(&self, record: &[u8], previous_end_s: Option<f64>) -> (Point, Option<f64>) {
        let layout = &self.layout;
        let number = |ids: &[u16]| value(layout.first_of(ids), record).filter(|number| number.is_finite());
        let of = |column| value(Some(column), record).unwrap_or(f64::NAN);
        let (real, imaginary) = match self.columns.impedance {
            Impedance::Parts {
                real,
                negative_imaginary,
            } => (of(real), -of(negative_imaginary)),
            Impedance::Polar { modulus, phase } => {
                let (sine, cosine) = of(phase).to_radians().sin_cos();
                (of(modulus) * cosine, of(modulus) * sine)
            }
        };
        let mut point = Point::new(of(self.columns.frequency), real, imaginary);
        let sound = point.frequency_hz > 0.0
            && [point.frequency_hz, real, imaginary]
                .iter()
                .all(|x| x.is_finite());
        if !sound || layout.is_error(record) {
            point.status = PointStatus::Invalid;
        }
        let code = value(layout.column(columns::CURRENT_RANGE), record);
        point.range = code
            .and_then(|code| columns::range_in_words(code as u16))
            .map(str::to_owned);
        point.potential_v = number(&columns::POTENTIAL);
        point.current_a = number(&columns::CURRENT_MA).map(|current| current / 1e3);
        point.t_start_s = previous_end_s;
        (point, number(&[columns::TIME]))
    }

    /// The error of a table that is shorter than its number of points.
    pub(super) fn too_short(&self, file: &str, data: &Module<'_>) -> ReadError {
        ReadError::at_byte(
            file,
            data.end(),
            format!(
                "the data module ends before the last of its {} points; the sweep in which it ends is left out",
                self.points
            ),
        )
    }

    /// Compares |Z| of the file with that of its parts: were a column not where it is thought to be, every number
    /// would be wrong and none would look it.
    pub(super) fn check(&self, sweeps: &[Sweep]) -> Result<(), String> {
        if matches!(self.columns.impedance, Impedance::Polar { .. }) {
            return Ok(());
        }
        let (mut compared, mut differ) = (0_usize, 0_usize);
        for sweep in sweeps {
            for (point, modulus) in sweep.points.iter().zip(&sweep.moduli) {
                let Some(modulus) = modulus.filter(|modulus| modulus.is_finite()) else {
                    continue;
                };
                if point.is_usable() {
                    compared += 1;
                    let own = point.z_real_ohm.hypot(point.z_imag_ohm);
                    differ += usize::from((own - modulus).abs() > 0.01 * own.max(modulus));
                }
            }
        }
        if differ * 2 > compared {
            return Err(format!(
                "|Z| does not agree with Re(Z) and Im(Z) in {differ} of {compared} points: the columns are not where \
                 they should be; export the file from EC-Lab as text (.mpt)"
            ));
        }
        Ok(())
    }
}

impl Columns {
    /// Finds frequency and impedance among the columns.
    fn find(layout: &RecordLayout) -> Result<Self, String> {
        let parts = || {
            Some(Impedance::Parts {
                real: layout.column(columns::REAL)?,
                negative_imaginary: layout.column(columns::NEGATIVE_IMAGINARY)?,
            })
        };
        let polar = || {
            Some(Impedance::Polar {
                modulus: layout.column(columns::MODULUS)?,
                phase: layout.column(columns::PHASE)?,
            })
        };
        let found = layout.column(columns::FREQUENCY).zip(parts().or_else(polar));
        if let Some((frequency, impedance)) = found {
            return Ok(Self { frequency, impedance });
        }
        let is_listed = layout.lists(columns::FREQUENCY)
            && (layout.lists(columns::REAL) || layout.lists(columns::MODULUS));
        Err(if is_listed {
            format!(
                "frequency and impedance stand among columns of unknown width ({:?}); export the file from EC-Lab as \
                 text (.mpt)",
                layout.unknown
            )
        } else {
            "there are no columns of frequency and impedance: the technique is not an impedance".to_owned()
        })
    }
}

/// The ids of the columns, where their list stands in the content of the module, and where the points begin.
///
/// # Errors
/// With a message, or without one where the module ends before the list does.
fn column_ids(data: &Module<'_>) -> Result<(Vec<u16>, usize, usize), Option<String>> {
    let content = data.content;
    let byte_count = || u8_at(content, 4).map(usize::from);
    // Version, number of columns, place of their ids, bytes of an id, place of the points.
    let (count, at, width, start) = match data.version {
        0 => (byte_count(), 5, 1, 100),
        2 => (byte_count(), 5, 2, 405),
        3 => (byte_count(), 5, 2, 406),
        10 | 11 => (u16_at(content, 4).map(usize::from), 6, 2, 1007),
        other => {
            return Err(Some(format!(
                "version {other} of the data module is not known; export the file from EC-Lab as text (.mpt)"
            )));
        }
    };
    let count = count.ok_or(None)?;
    if at + count * width > start {
        return Err(Some(format!(
            "{count} columns do not fit before the points; the file is damaged"
        )));
    }
    let id = |index: usize| match width {
        1 => u8_at(content, at + index).map(u16::from),
        _ => u16_at(content, at + 2 * index),
    };
    let ids: Option<Vec<u16>> = (0..count).map(id).collect();
    Ok((ids.ok_or(None)?, at, start))
}
