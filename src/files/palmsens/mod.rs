//! PalmSens PSTrace, `.pssession`: JSON in UTF-16 with a byte order mark, often with another one at its end.
//!
//! A session is a list of measurements; each has arrays of values that say what they are by number: 5 frequency,
//! 7 Z', 8 Z'' (with the sign that its unit names, as a rule -Z''), 9 alternating current, 33 measured potential,
//! 34 alternating potential / V rms. Where a measurement
//! has several sweeps (channels of a multiplexer), its list of impedance data has one entry for each; a scan over
//! time or potential is one long array.

mod json;
#[cfg(test)]
mod tests;
mod text;

use super::error::ReadError;
use super::reading::{FileSpectrum, Format, Reading};
use crate::spectrum::{Point, PointStatus, Spectrum};

use json::{Array, DataSet, Measurement};
use text::Text;

const CURRENT: i64 = 2;
const FREQUENCY: i64 = 5;
const REAL: i64 = 7;
const IMAGINARY: i64 = 8;
const ALTERNATING_CURRENT: i64 = 9;
const MEASURED_POTENTIAL: i64 = 33;
const ALTERNATING_POTENTIAL: i64 = 34;

/// Whether the text begins as a session does.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let Some(text) = Text::decode(head) else {
        return false;
    };
    let text = text.as_str().trim_start();
    text.starts_with('{') && (text.contains("PalmSens.") || text.contains("\"Measurements\""))
}

/// Reads all impedance measurements of a session.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let Some(text) = Text::decode(bytes) else {
        return Err(ReadError::at_byte(
            file,
            0,
            "this is not a text that a session could be",
        ));
    };
    let (measurements, stop) = json::measurements(text.as_str());
    let broken = stop.map(|stop| {
        let offset = text.offset_in_file(stop.line, stop.column);
        ReadError::at_byte(file, offset, stop.message)
    });
    let mut remarks = Remarks::default();
    let mut found = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for measurement in measurements {
        let sweeps = sweeps(&measurement, &mut remarks);
        if sweeps.is_empty() {
            let kind = measurement.kind();
            if !others.contains(&kind) {
                others.push(kind);
            }
        }
        found.extend(sweeps);
    }
    if found.is_empty() {
        return Err(broken.unwrap_or_else(|| {
            let message = if others.is_empty() {
                "there is no measurement in it".to_owned()
            } else {
                format!(
                    "there is no impedance measurement in it; it holds {}",
                    others.join(", ")
                )
            };
            ReadError::whole_file(file, message)
        }));
    }
    if !others.is_empty() {
        remarks.add(format!(
            "measurements of other kinds are passed over: {}",
            others.join(", ")
        ));
    }
    if let [only] = found.as_mut_slice() {
        only.name.clear();
    }
    Ok(Reading {
        format: Format::PalmSens,
        spectra: found,
        remarks: remarks.0,
        broken,
    })
}

/// Remarks, each once.
#[derive(Default)]
struct Remarks(Vec<String>);

impl Remarks {
    fn add(&mut self, remark: String) {
        if !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }
}

/// The sweeps of a measurement.
fn sweeps(measurement: &Measurement, remarks: &mut Remarks) -> Vec<FileSpectrum> {
    let is_galvanostatic = measurement.method_id().is_some_and(|id| id.contains("geis"));
    let own = || measurement.data_set.iter().map(|data| (None, data));
    let listed = || {
        measurement
            .impedance
            .iter()
            .filter_map(|entry| Some((entry.title.as_deref(), entry.data_set.as_ref()?)))
    };
    // The list repeats the data set of the measurement, unless it separates several sweeps.
    let has_own = own().any(|(_, data)| data.array(FREQUENCY).is_some());
    let sources: Vec<(Option<&str>, &DataSet)> = if has_own && listed().count() < 2 {
        own().collect()
    } else {
        listed().collect()
    };
    let mut found = Vec::new();
    for (title, data) in sources {
        let points = points(data, is_galvanostatic, remarks);
        let parts = repeats(&points);
        let count = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            let mut name: Vec<String> = Vec::new();
            name.extend(
                [measurement.title.as_deref(), title]
                    .into_iter()
                    .flatten()
                    .map(readable),
            );
            if count > 1 {
                name.push(format!("scan {}", index + 1));
            }
            name.retain(|part| !part.is_empty());
            found.push(FileSpectrum {
                name: name.join(", "),
                spectrum: Spectrum::from(part.to_vec()),
            });
        }
    }
    found
}

/// A title fit for one line of a terminal.
fn readable(title: &str) -> String {
    let characters = title
        .chars()
        .filter(|character| !character.is_control())
        .take(120);
    characters.collect::<String>().trim().to_owned()
}

/// The points of a data set; none where it is no impedance.
fn points(data: &DataSet, is_galvanostatic: bool, remarks: &mut Remarks) -> Vec<Point> {
    let (Some(frequency), Some(real), Some(imaginary)) =
        (data.array(FREQUENCY), data.array(REAL), data.array(IMAGINARY))
    else {
        return Vec::new();
    };
    let lengths = [frequency, real, imaginary].map(|array| array.values.len());
    let count = lengths.into_iter().min().unwrap_or_default();
    if lengths.iter().any(|&length| length != count) {
        remarks.add(format!(
            "there are {} frequencies, {} values of Z' and {} of Z'': the first {count} of each are used",
            lengths[0], lengths[1], lengths[2]
        ));
    }
    let sign = match imaginary.quantity() {
        Some("Z''") => {
            remarks.add("the file holds Z'' with its true sign".to_owned());
            1.0
        }
        Some("-Z''") => {
            remarks.add("the file holds -Z''; Z'' is its negative".to_owned());
            -1.0
        }
        _ => {
            remarks.add(
                "the file does not say which sign Z'' has; it is read as -Z'', as PSTrace writes it"
                    .to_owned(),
            );
            -1.0
        }
    };
    // Arrays that go with the points have as many values as these; others cannot be told which value is whose.
    let beside = |kind: i64| {
        data.array(kind)
            .filter(|array| array.values.len() == frequency.values.len())
    };
    let number = |array: Option<&Array>, index: usize| {
        array
            .and_then(|array| array.values.get(index)?.number)
            .filter(|number| number.is_finite())
    };
    let current = beside(CURRENT);
    let alternating_current = beside(ALTERNATING_CURRENT);
    let potential = beside(MEASURED_POTENTIAL);
    let alternating_potential = beside(ALTERNATING_POTENTIAL);
    (0..count)
        .map(|index| {
            let value = |array: &Array| array.values[index].number.unwrap_or(f64::NAN);
            let mut point = Point::new(value(frequency), value(real), sign * value(imaginary));
            point.status = alternating_current.map_or(PointStatus::Ok, |array| array.values[index].status());
            let numbers = [point.frequency_hz, point.z_real_ohm, point.z_imag_ohm];
            if point.frequency_hz <= 0.0 || numbers.iter().any(|number| !number.is_finite()) {
                point.status = PointStatus::Invalid;
            }
            // Currents are in µA.
            point.current_a = number(current, index).map(|current| current / 1e6);
            point.potential_v = number(potential, index);
            if is_galvanostatic {
                point.amplitude_arms = number(alternating_current, index).map(|current| current / 1e6);
            } else {
                point.amplitude_vrms = number(alternating_potential, index);
            }
            point
        })
        .collect()
}

/// A scan over time or potential repeats the same frequencies: one part for each repeat.
fn repeats(points: &[Point]) -> Vec<&[Point]> {
    let same = |a: &Point, b: &Point| (a.frequency_hz - b.frequency_hz).abs() <= 1e-6 * a.frequency_hz.abs();
    let Some(first) = points.first() else {
        return Vec::new();
    };
    let period = points
        .iter()
        .skip(1)
        .position(|point| same(first, point))
        .map_or(points.len(), |at| at + 1);
    let repeats = points
        .iter()
        .zip(points.iter().skip(period))
        .all(|(a, b)| same(a, b));
    // One frequency over and over is a trace in time, not many spectra.
    if period < 2 || !repeats {
        vec![points]
    } else {
        points.chunks(period).collect()
    }
}
