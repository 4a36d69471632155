//! The columns of a record: which value an id stands for, how wide it is, and where it stands.
//!
//! The list of ids is all that a file says about its records. A width that is not known moves everything behind
//! it, so that the length of a record, which follows from the length of the module and the number of points, is
//! used to find the rest from the end.

use crate::files::bytes::{f32_at, f64_at, u8_at, u16_at, u32_at};

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    U16,
    U32,
    F32,
    F64,
}

impl Kind {
    fn width(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn value(self, record: &[u8], at: usize) -> Option<f64> {
        match self {
            Self::U8 => u8_at(record, at).map(f64::from),
            Self::U16 => u16_at(record, at).map(f64::from),
            Self::U32 => u32_at(record, at).map(f64::from),
            Self::F32 => f32_at(record, at),
            Self::F64 => f64_at(record, at),
        }
    }
}

/// time / s, at the end of a point.
pub(super) const TIME: u16 = 4;
/// freq / Hz.
pub(super) const FREQUENCY: u16 = 32;
/// Phase(Z) / deg, with its true sign.
pub(super) const PHASE: u16 = 35;
/// |Z| / ohm.
pub(super) const MODULUS: u16 = 36;
/// Re(Z) / ohm.
pub(super) const REAL: u16 = 37;
/// -Im(Z) / ohm.
pub(super) const NEGATIVE_IMAGINARY: u16 = 38;
/// Code of the current range.
pub(super) const CURRENT_RANGE: u16 = 39;
/// Mean or momentary potential of the working electrode / V, the best first.
pub(super) const POTENTIAL: [u16; 3] = [77, 6, 174];
/// Mean or momentary current / mA, the best first.
pub(super) const CURRENT_MA: [u16; 3] = [76, 11, 8];
/// Number of the cycle.
pub(super) const CYCLE: u16 = 24;
/// Number of the sweep, counted anew in each cycle.
pub(super) const Z_CYCLE: [u16; 2] = [469, 213];
/// Index of the row of settings that ruled.
pub(super) const SEQUENCE: u16 = 131;
/// The bit of the byte of flags by which a point is called an error.
const ERROR_BIT: u8 = 0b0000_1000;
/// The flag for errors.
const ERROR_FLAG: u16 = 3;

/// Flags share one byte, which stands where the first of them is listed.
fn is_flag(id: u16) -> bool {
    matches!(id, 1 | 2 | 3 | 21 | 31 | 65 | 463)
}

/// How the column of an id is stored. 498 to 502 are missing on purpose: different versions of EC-Lab give them to
/// charges of 8 bytes and to harmonics of 4.
fn kind_of(id: u16) -> Option<Kind> {
    match id {
        253 | 509 => Some(Kind::U8),
        CURRENT_RANGE | SEQUENCE => Some(Kind::U16),
        212 | 213 | 468 | 469 => Some(Kind::U32),
        TIME
        | 7
        | 11
        | 13
        | 23
        | CYCLE
        | 74
        | 110
        | 112
        | 115
        | 116
        | 123..=126
        | 182
        | 211
        | 379
        | 438
        | 467 => Some(Kind::F64),
        5
        | 6
        | 8
        | 9
        | 16
        | 17
        | 19
        | 20
        | 26
        | 27
        | FREQUENCY..=NEGATIVE_IMAGINARY
        | 50
        | 69
        | 70
        | 73
        | 75..=78
        | 96
        | 98..=101
        | 163
        | 168
        | 169
        | 172..=174
        | 178
        | 179
        | 185
        | 206
        | 215
        | 217..=225
        | 230..=249
        | 271..=278
        | 301..=308
        | 331..=338
        | 361..=368
        | 391..=398
        | 422..=426
        | 430..=435
        | 441
        | 462
        | 471
        | 473..=481
        | 486..=497
        | 503
        | 505 => Some(Kind::F32),
        _ => None,
    }
}

/// Where the columns stand in a record.
#[derive(Debug)]
pub(super) struct RecordLayout {
    /// Bytes of a record.
    pub length: usize,
    /// Ids whose width is not known, in the order of the file.
    pub unknown: Vec<u16>,
    columns: Vec<Column>,
    error_flag_at: Option<usize>,
}

#[derive(Debug)]
struct Column {
    id: u16,
    kind: Option<Kind>,
    at: Option<usize>,
}

impl RecordLayout {
    /// The layout for a list of ids and, where it is known, the length of a record.
    ///
    /// # Errors
    /// Where the widths do not add up to the length, or where ids are unknown and the length is, too.
    pub(super) fn new(ids: &[u16], length: Option<usize>) -> Result<Self, String> {
        let mut flags_seen = false;
        let mut widths: Vec<Option<usize>> = Vec::with_capacity(ids.len());
        for &id in ids {
            let width = if is_flag(id) {
                let width = usize::from(!flags_seen);
                flags_seen = true;
                Some(width)
            } else {
                kind_of(id).map(Kind::width)
            };
            widths.push(width);
        }
        let known: usize = widths.iter().flatten().sum();
        let unknown: Vec<u16> = ids
            .iter()
            .zip(&widths)
            .filter(|(_, width)| width.is_none())
            .map(|(&id, _)| id)
            .collect();
        let length = match length {
            Some(length) if unknown.is_empty() && length != known => {
                return Err(format!(
                    "a point takes {length} bytes, but its columns {ids:?} make {known}; export the file from \
                     EC-Lab as text (.mpt)"
                ));
            }
            Some(length) if length < known + unknown.len() => {
                return Err(format!(
                    "a point takes {length} bytes, but those of its columns {ids:?} that are known make {known} \
                     already; export the file from EC-Lab as text (.mpt)"
                ));
            }
            Some(length) => length,
            None if unknown.is_empty() => known,
            None => {
                return Err(format!(
                    "the columns {unknown:?} are unknown and the length of a point cannot be worked out; export the \
                     file from EC-Lab as text (.mpt)"
                ));
            }
        };
        // What is left belongs to the only unknown column, whatever it holds.
        let left = length - known;
        if unknown.len() == 1 && matches!(left, 1 | 2 | 4 | 8) {
            for width in &mut widths {
                *width = width.or(Some(left));
            }
        }
        let mut layout = Self {
            length,
            unknown,
            columns: Vec::with_capacity(ids.len()),
            error_flag_at: None,
        };
        layout.place(ids, &widths);
        Ok(layout)
    }

    /// Places columns from the front up to the first unknown width, and from the end back to the last.
    fn place(&mut self, ids: &[u16], widths: &[Option<usize>]) {
        let mut places: Vec<Option<usize>> = vec![None; ids.len()];
        let mut at = 0;
        for (place, width) in places.iter_mut().zip(widths) {
            *place = Some(at);
            match width {
                Some(width) => at += width,
                None => break,
            }
        }
        let mut end = self.length;
        for (place, width) in places.iter_mut().zip(widths).rev() {
            match width {
                Some(width) if place.is_none() => end = end.saturating_sub(*width),
                _ => break,
            }
            *place = Some(end);
        }
        // All flags stand in the byte of the first of them.
        let first_flag = ids.iter().position(|&id| is_flag(id));
        if let Some(first) = first_flag.filter(|_| ids.contains(&ERROR_FLAG)) {
            self.error_flag_at = places[first];
        }
        for (&id, at) in ids.iter().zip(places) {
            let kind = kind_of(id);
            self.columns.push(Column { id, kind, at });
        }
    }

    /// A column that is there and can be read.
    pub(super) fn column(&self, id: u16) -> Option<(Kind, usize)> {
        let column = self.columns.iter().find(|column| column.id == id)?;
        column.kind.zip(column.at)
    }

    /// The first of several columns that is there and can be read.
    pub(super) fn first_of(&self, ids: &[u16]) -> Option<(Kind, usize)> {
        ids.iter().find_map(|&id| self.column(id))
    }

    /// Whether the list of columns has an id, readable or not.
    pub(super) fn lists(&self, id: u16) -> bool {
        self.columns.iter().any(|column| column.id == id)
    }

    /// Whether a record calls itself an error.
    pub(super) fn is_error(&self, record: &[u8]) -> bool {
        let flags = self.error_flag_at.and_then(|at| u8_at(record, at));
        flags.is_some_and(|flags| flags & ERROR_BIT != 0)
    }
}

/// The value of a column of a record, if there is such a column.
pub(super) fn value(column: Option<(Kind, usize)>, record: &[u8]) -> Option<f64> {
    let (kind, at) = column?;
    kind.value(record, at)
}

/// The current range of a code, in words.
pub(super) fn range_in_words(code: u16) -> Option<&'static str> {
    const RANGES: [&str; 45] = [
        "10 mA", "100 µA", "1 µA", "2 A", "1 A", "5 A", "10 A", "20 A", "1 A", "100 mA", "10 mA", "1 mA",
        "100 µA", "10 µA", "auto", "100 mA", "10 mA", "1 mA", "100 µA", "100 µA", "10 µA", "1 µA", "100 nA",
        "10 nA", "1 nA", "80 A", "4 A", "PAC", "4 A", "100 µA", "10 µA", "1 µA", "100 nA", "10 nA", "1 nA",
        "8 A", "1 A", "100 mA", "10 mA", "1 mA", "100 µA", "10 µA", "1 µA", "100 nA", "10 nA",
    ];
    RANGES.get(usize::from(code).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_share_the_byte_where_the_first_of_them_is_listed() {
        let layout = RecordLayout::new(&[4, 1, 3, 32, 65, 37], None).unwrap();
        assert_eq!(layout.length, 8 + 1 + 4 + 4);
        assert_eq!(layout.column(32), Some((Kind::F32, 9)));
        assert_eq!(layout.column(37), Some((Kind::F32, 13)));
        let mut record = vec![0; layout.length];
        assert!(!layout.is_error(&record));
        record[8] = ERROR_BIT;
        assert!(layout.is_error(&record));
    }

    #[test]
    fn a_single_unknown_column_gets_what_is_left() {
        let layout = RecordLayout::new(&[32, 999, 37, 38], Some(20)).unwrap();
        assert_eq!(layout.column(32), Some((Kind::F32, 0)));
        assert_eq!(layout.column(37), Some((Kind::F32, 12)));
        assert_eq!(layout.column(38), Some((Kind::F32, 16)));
        assert_eq!(layout.unknown, [999]);
    }

    #[test]
    fn between_two_unknown_columns_nothing_is_placed_and_around_them_everything() {
        let layout = RecordLayout::new(&[32, 998, 37, 999, 38], Some(24)).unwrap();
        assert_eq!(layout.column(32), Some((Kind::F32, 0)));
        assert_eq!(layout.column(37), None);
        assert!(layout.lists(37));
        assert_eq!(layout.column(38), Some((Kind::F32, 20)));
    }

    #[test]
    fn widths_that_do_not_add_up_are_refused() {
        let error = RecordLayout::new(&[32, 37, 38], Some(13)).unwrap_err();
        assert!(error.contains("13 bytes") && error.contains("make 12"), "{error}");
        assert!(RecordLayout::new(&[32, 999], None).unwrap_err().contains("[999]"));
        assert!(RecordLayout::new(&[32, 999], Some(4)).is_err());
    }

    #[test]
    fn ranges_are_named_by_their_code() {
        assert_eq!(range_in_words(1), Some("10 mA"));
        assert_eq!(range_in_words(11), Some("10 mA"));
        assert_eq!(range_in_words(38), Some("100 mA"));
        assert_eq!(range_in_words(45), Some("10 nA"));
        assert_eq!(range_in_words(0), None);
        assert_eq!(range_in_words(46), None);
    }
}
