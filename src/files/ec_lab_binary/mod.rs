//! BioLogic EC-Lab binary, `.mpr`.
//!
//! A file is a row of modules: settings, data, log and others. The data module says how many points it has and which
//! columns, by number; the points follow without gaps. The layout has never been published; what is used here are
//! the facts found by the authors of galvani and yadg. The file holds -Im(Z), and the
//! time of a point is that of its end.

mod columns;
mod modules;
#[cfg(test)]
pub(in crate::files) mod sample;
mod settings;
#[cfg(test)]
mod tests;

use crate::files::bytes::{u8_at, u16_at, u32_at};
use crate::files::error::ReadError;
use crate::files::reading::{FileSpectrum, Format, Reading};
use crate::spectrum::{Point, PointStatus, Spectrum};

use columns::{Kind, RecordLayout, value};
use modules::{MAGIC, Module};
use settings::Row;

/// Whether the file begins as EC-Lab writes it.
pub(in crate::files) fn recognise(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads all spectra of a file.
pub(in crate::files) fn read(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let (modules, broken) = modules::split(file, bytes);
    let Some(data) = modules.iter().find(|module| module.name == b"VMP data") else {
        return Err(broken.unwrap_or_else(|| {
            ReadError::whole_file(
                file,
                "there is no data module in it: nothing was measured when it was written",
            )
        }));
    };
    let table = Table::find(file, data)?;
    let mut remarks = Vec::new();
    table.remark_on_columns(data, &mut remarks);
    let settings = modules
        .iter()
        .find(|module| module.name == b"VMP Set")
        .map(|module| settings::rows(module.content, module.version))
        .unwrap_or_default();
    let restarts = restarts(&modules);
    let (mut sweeps, cut) = table.sweeps(&restarts, data);
    if cut {
        // The sweep that was being written when the file broke off is not whole.
        sweeps.pop();
    }
    let broken = broken.or_else(|| cut.then(|| table.too_short(file, data)));
    let all = sweeps.len();
    sweeps.retain(|sweep| sweep.points.iter().any(|point| point.frequency_hz > 0.0));
    if all > sweeps.len() {
        remarks.push(format!(
            "{} stretches of the measurement without a frequency (rest or cycling) are passed over",
            all - sweeps.len()
        ));
    }
    if sweeps.is_empty() {
        return Err(broken.unwrap_or_else(|| {
            ReadError::at_byte(
                file,
                data.offset,
                "there is no point with a frequency in it: no impedance was measured",
            )
        }));
    }
    table
        .check(&sweeps)
        .map_err(|message| ReadError::at_byte(file, table.start_in_file(data), message))?;
    remarks.push("the file holds -Im(Z); Z'' is its negative".to_owned());
    set_amplitude(&mut sweeps, &settings, &mut remarks);
    let varying = Varying::among(&sweeps);
    let spectra = sweeps
        .into_iter()
        .map(|sweep| FileSpectrum {
            name: varying.name(sweep.key),
            spectrum: Spectrum::from(sweep.points),
        })
        .collect();
    Ok(Reading {
        format: Format::EcLabBinary,
        spectra,
        remarks,
        broken,
    })
}

/// What tells one sweep of a file from the next.
#[derive(Clone, Copy)]
struct SweepKey {
    cycle: Option<f64>,
    z_cycle: Option<f64>,
    sequence: Option<f64>,
    loop_number: usize,
}

impl SweepKey {
    const WORDS: [&'static str; 4] = ["cycle", "sweep", "sequence", "loop"];

    /// The numbers in the order of their words.
    fn numbers(self) -> [Option<f64>; 4] {
        [
            self.cycle,
            self.z_cycle,
            self.sequence,
            Some(self.loop_number as f64),
        ]
    }

    /// Which of the numbers differ; unlike with `==`, what is no number is the same as itself.
    fn differs(self, other: Self) -> [bool; 4] {
        let (own, other) = (self.numbers(), other.numbers());
        std::array::from_fn(|index| own[index].map(f64::to_bits) != other[index].map(f64::to_bits))
    }
}

/// Which numbers differ between the sweeps of a file: only these make their names.
#[derive(Clone, Copy, Default)]
struct Varying([bool; 4]);

impl Varying {
    fn among(sweeps: &[Sweep]) -> Self {
        let mut varying = Self::default();
        for pair in sweeps.windows(2) {
            for (varies, differs) in varying.0.iter_mut().zip(pair[0].key.differs(pair[1].key)) {
                *varies |= differs;
            }
        }
        varying
    }

    fn name(self, key: SweepKey) -> String {
        let mut parts = Vec::new();
        for ((varies, word), number) in self.0.into_iter().zip(SweepKey::WORDS).zip(key.numbers()) {
            if let Some(number) = number.filter(|_| varies) {
                parts.push(format!("{word} {number}"));
            }
        }
        parts.join(", ")
    }
}

/// One sweep with what tells it from the others.
struct Sweep {
    key: SweepKey,
    points: Vec<Point>,
    /// |Z| as the file has it beside real and imaginary part, as a check.
    moduli: Vec<Option<f64>>,
}

/// The table of points in a data module.
struct Table {
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
    fn find(file: &str, data: &Module<'_>) -> Result<Self, ReadError> {
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

    fn start_in_file(&self, data: &Module<'_>) -> usize {
        data.offset + self.start
    }

    fn remark_on_columns(&self, data: &Module<'_>, remarks: &mut Vec<String>) {
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
    fn sweeps(&self, restarts: &[usize], data: &Module<'_>) -> (Vec<Sweep>, bool) {
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
    fn too_short(&self, file: &str, data: &Module<'_>) -> ReadError {
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
    fn check(&self, sweeps: &[Sweep]) -> Result<(), String> {
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

/// The points with which loops begin, ascending, as the loop module has them.
fn restarts(modules: &[Module<'_>]) -> Vec<usize> {
    let Some(module) = modules.iter().find(|module| module.name == b"VMP loop") else {
        return Vec::new();
    };
    let count = u32_at(module.content, 0).map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let mut starts: Vec<usize> = module
        .content
        .get(4..)
        .unwrap_or_default()
        .chunks_exact(4)
        .take(count)
        .filter_map(|bytes| u32_at(bytes, 0).and_then(|index| usize::try_from(index).ok()))
        .filter(|&index| index > 0)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Gives the points the amplitude of their row of settings, where all of its frequencies lie in that row.
fn set_amplitude(sweeps: &mut [Sweep], settings: &[Row], remarks: &mut Vec<String>) {
    let mut told: Vec<f64> = Vec::new();
    for sweep in sweeps {
        let index = sweep.key.sequence.map_or(0.0, |sequence| sequence - 1.0);
        let Some(row) = settings.get(index as usize) else {
            continue;
        };
        let usable = |point: &&Point| point.status.is_usable();
        if !sweep
            .points
            .iter()
            .filter(usable)
            .all(|point| row.covers(point.frequency_hz))
        {
            continue;
        }
        let amplitude = row.amplitude_vrms();
        for point in &mut sweep.points {
            point.amplitude_vrms = Some(amplitude);
        }
        if !told.contains(&row.zero_to_peak_mv) {
            told.push(row.zero_to_peak_mv);
            remarks.push(format!(
                "the amplitude of {:.4} mV is zero to peak: {:.4} mV rms",
                row.zero_to_peak_mv,
                amplitude * 1e3
            ));
        }
    }
}
