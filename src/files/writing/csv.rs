//! Comma-separated columns with a header.

use std::io::Write;

use crate::files::reading::FileSpectrum;
use crate::spectrum::{Point, PointStatus};

use super::WriteError;

/// A further column: its name, and what a point says of it.
type Optional = (&'static str, fn(&Point) -> Option<f64>);

/// Written where at least one point has them.
const OPTIONAL: [Optional; 6] = [
    ("t_s", |point| point.t_start_s),
    ("potential_v", |point| point.potential_v),
    ("current_a", |point| point.current_a),
    ("amplitude_vrms", |point| point.amplitude_vrms),
    ("amplitude_arms", |point| point.amplitude_arms),
    ("std_error_ohm", |point| point.std_error_ohm),
];

pub(super) fn write(spectra: &[FileSpectrum], out: &mut Vec<u8>) -> Result<(), WriteError> {
    let points = || spectra.iter().flat_map(|of| &of.spectrum.points);
    if points().next().is_none() {
        return Err(WriteError::NoPoint);
    }
    let labels = super::labels(spectra);
    let several = spectra.len() > 1 || !labels.is_empty();
    let with_status = points().any(|point| point.status != PointStatus::Ok);
    let optional: Vec<Optional> = OPTIONAL
        .into_iter()
        .filter(|(_, value)| points().any(|point| value(point).is_some()))
        .collect();
    let mut header = Vec::new();
    header.extend(several.then_some("spectrum"));
    header.extend(["frequency_hz", "z_real_ohm", "z_imag_ohm"]);
    header.extend(with_status.then_some("status"));
    header.extend(optional.iter().map(|(name, _)| *name));
    out.extend_from_slice(header.join(",").as_bytes());
    out.push(b'\n');
    for (number, of) in spectra.iter().enumerate() {
        for point in &of.spectrum.points {
            let label = several.then(|| labels.get(number).cloned().unwrap_or((number + 1).to_string()));
            row(label, point, with_status, &optional, out);
        }
    }
    Ok(())
}

/// Writing into a vector does not fail.
fn row(label: Option<String>, point: &Point, with_status: bool, optional: &[Optional], out: &mut Vec<u8>) {
    if let Some(label) = label {
        let _ = write!(out, "{label},");
    }
    // The shortest digits that tell a number from its neighbours: reading them back gives the same bits.
    let _ = write!(
        out,
        "{:?},{:?},{:?}",
        point.frequency_hz, point.z_real_ohm, point.z_imag_ohm
    );
    if with_status {
        let _ = write!(out, ",{}", point.status.word());
    }
    for (_, value) in optional {
        let _ = match value(point) {
            Some(value) => write!(out, ",{value:?}"),
            // Not nothing: an empty field at the end of a file may be one that is cut off.
            None => write!(out, ",nan"),
        };
    }
    out.push(b'\n');
}
