//! The amplitude in the settings of potentiostatic impedance. Where these stand in the module depends on the version
//! of EC-Lab in a way that nobody has written down: the places known are tried, and what is found is believed only
//! where every value in it makes sense.

use crate::files::bytes::{f32_at, u8_at, u16_at};

/// The technique PEIS in the first byte of the module.
const PEIS: u8 = 0x1d;
/// Where the table of settings has been seen to begin: number of rows, number of parameters, rows.
const PLACES: [usize; 4] = [0x0572, 0x1845, 0x1846, 0x1847];
/// Parameters of a row of PEIS.
const PARAMETERS: u16 = 52;
/// Rows of a table of settings; EC-Lab itself allows 99.
const GREATEST_ROWS: u16 = 128;
/// Bytes of a row of EC-Lab before 11.50; two lengths of its last parameter have been seen.
const ROW_LENGTHS: [usize; 2] = [115, 118];
/// By how much everything from the start frequency on is later in rows of EC-Lab 11.50.
const NEW_SHIFT: usize = 3;

/// One row of settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// The lower of the first and the last frequency / Hz.
    pub lowest_hz: f64,
    /// The higher of the two / Hz.
    pub highest_hz: f64,
    /// Va / mV, zero to peak.
    pub zero_to_peak_mv: f64,
}

impl Row {
    /// The amplitude in V rms: a sine has 1/sqrt 2 of its peak.
    pub(super) fn amplitude_vrms(self) -> f64 {
        self.zero_to_peak_mv * 1e-3 * std::f64::consts::FRAC_1_SQRT_2
    }

    /// Whether a frequency lies in the row, with some room for the instrument's own rounding.
    pub(super) fn covers(self, frequency_hz: f64) -> bool {
        frequency_hz >= 0.95 * self.lowest_hz && frequency_hz <= 1.05 * self.highest_hz
    }
}

/// The rows of settings, one a sequence; none where the technique is another one or the table is not understood.
pub(super) fn rows(content: &[u8], version: u32) -> Vec<Row> {
    if u8_at(content, 0) != Some(PEIS) {
        return Vec::new();
    }
    let shift = if version >= 10 { NEW_SHIFT } else { 0 };
    PLACES
        .into_iter()
        .flat_map(|place| ROW_LENGTHS.map(|length| (place, length + shift)))
        .find_map(|(place, length)| table(content, place, length, shift))
        .unwrap_or_default()
}

/// The table at a place, if one stands there.
fn table(content: &[u8], place: usize, length: usize, shift: usize) -> Option<Vec<Row>> {
    let count = u16_at(content, place)?;
    let parameters = u16_at(content, place + 2)?;
    // Files that were put together from several carry one parameter more.
    let is_table =
        (1..=GREATEST_ROWS).contains(&count) && (PARAMETERS..=PARAMETERS + 1).contains(&parameters);
    if !is_table {
        return None;
    }
    (0..usize::from(count))
        .map(|index| row(content.get(place + 4 + index * length..)?, shift))
        .collect()
}

/// The row that begins a slice, if its values make sense.
fn row(bytes: &[u8], shift: usize) -> Option<Row> {
    let first = frequency(bytes, 20 + shift)?;
    let last = frequency(bytes, 25 + shift)?;
    let zero_to_peak_mv = f32_at(bytes, 36 + shift)?;
    // The widest range of these instruments is +-20 V.
    (zero_to_peak_mv > 0.0 && zero_to_peak_mv <= 20_000.0).then_some(Row {
        lowest_hz: first.min(last),
        highest_hz: first.max(last),
        zero_to_peak_mv,
    })
}

/// A frequency and the code of its unit.
fn frequency(bytes: &[u8], at: usize) -> Option<f64> {
    let unit = match u8_at(bytes, at + 4)? {
        0 => 1e6,
        1 => 1e3,
        2 => 1.0,
        3 => 1e-3,
        _ => return None,
    };
    let hertz = f32_at(bytes, at)? * unit;
    (hertz.is_finite() && hertz > 0.0 && hertz <= 1e9).then_some(hertz)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::ec_lab_binary::sample;

    #[test]
    fn the_table_is_found_at_each_place_and_in_both_layouts() {
        for place in PLACES {
            for version in [0, 10] {
                for row_length in ROW_LENGTHS {
                    let settings = sample::Settings {
                        place,
                        row_length,
                        ..sample::Settings::default()
                    };
                    let found = rows(&settings.content(version >= 10), version);
                    assert_eq!(found.len(), 2, "{place:#x} {version} {row_length}");
                    assert_eq!(found[0].highest_hz, 1e6);
                    assert_eq!(found[0].lowest_hz, 0.5);
                    assert!((found[0].amplitude_vrms() - 0.010).abs() < 1e-8);
                    assert!((found[1].amplitude_vrms() - 0.005).abs() < 1e-8);
                }
            }
        }
    }

    #[test]
    fn settings_that_make_no_sense_give_no_amplitude() {
        let sound = sample::Settings::default();
        for (at, byte) in [
            (0, 0x1e),
            (sound.place + 2, 40),
            (sound.place + 4 + 24, 9),
            (sound.place + 4 + 39, 0xff),
        ] {
            let mut content = sound.content(false);
            content[at] = byte;
            assert_eq!(rows(&content, 0), [], "byte {at}");
        }
        let content = sound.content(false);
        for end in 0..content.len() {
            let found = rows(&content[..end], 0);
            assert!(found.is_empty() || found.len() == 2);
        }
    }
}
