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
mod sweep;
mod table;
#[cfg(test)]
mod tests;

use crate::files::bytes::u32_at;
use crate::files::error::ReadError;
use crate::files::reading::{FileSpectrum, Format, Reading};
use crate::spectrum::{Point, Spectrum};

use modules::{MAGIC, Module};
use settings::Row;
use sweep::{Sweep, Varying};
use table::Table;

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
