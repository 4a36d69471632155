//! Cells and records on the pages of an SQLite file, decoded from the bytes alone.
//!
//! Layout as in "Database File Format", sections 1.6 and 2, of the SQLite documentation. Every length is checked
//! against the bytes that are there; nothing is reserved by a number that stands in the file.

use std::collections::HashSet;

use rusqlite::types::ValueRef;

use super::super::table::MAX_COLUMNS;
use super::pages::Pages;

/// Bytes of the file's header, which come before those of page 1.
const FILE_HEADER: usize = 100;

/// What a page of a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Rows under their rowid.
    TableLeaf,
    /// Ways to pages of rows.
    TableInterior,
    /// Rows of an index or of a table without rowid.
    IndexLeaf,
    /// The same, with ways to further pages.
    IndexInterior,
}

impl Layout {
    /// The layouts that hold rows.
    pub const WITH_ROWS: [Self; 3] = [Self::TableLeaf, Self::IndexLeaf, Self::IndexInterior];

    fn code(self) -> u8 {
        match self {
            Self::TableLeaf => 0x0d,
            Self::TableInterior => 0x05,
            Self::IndexLeaf => 0x0a,
            Self::IndexInterior => 0x02,
        }
    }

    fn header_length(self) -> usize {
        match self {
            Self::TableLeaf | Self::IndexLeaf => 8,
            Self::TableInterior | Self::IndexInterior => 12,
        }
    }

    fn has_children(self) -> bool {
        self.header_length() == 12
    }
}

/// Where the header of a page begins.
fn header_at(number: u32) -> usize {
    if number == 1 { FILE_HEADER } else { 0 }
}

/// The layout that a page says it has.
pub(super) fn layout_of(page: &[u8], number: u32) -> Option<Layout> {
    let code = *page.get(header_at(number))?;
    [
        Layout::TableLeaf,
        Layout::TableInterior,
        Layout::IndexLeaf,
        Layout::IndexInterior,
    ]
    .into_iter()
    .find(|layout| layout.code() == code)
}

/// Whether one changed bit lies between what the page says it is and a page with rows.
pub(super) fn may_have_been_a_leaf(page: &[u8], number: u32) -> bool {
    page.get(header_at(number)).is_some_and(|code| {
        [Layout::TableLeaf, Layout::IndexLeaf]
            .iter()
            .any(|layout| (code ^ layout.code()).count_ones() <= 1)
    })
}

/// Whether the page begins as a page of a tree does, and its cells lie in it.
pub(super) fn looks_like_a_tree(page: &[u8], number: u32, size: usize) -> bool {
    let Some(layout) = layout_of(page, number) else {
        return false;
    };
    let at = header_at(number);
    let (Some(count), Some(content)) = (u16_at(page, at + 3), u16_at(page, at + 5)) else {
        return false;
    };
    let pointers_end = at + layout.header_length() + 2 * count;
    let content = if content == 0 { 65536 } else { content };
    pointers_end <= content
        && content <= size
        && (0..count).all(|index| {
            u16_at(page, at + layout.header_length() + 2 * index)
                .is_none_or(|place| place >= content && place < size)
        })
}

/// Where the cells of a page stand. Those beyond the number that the header names come last, with `false`: the
/// number may be what is damaged, but they may also be left over.
pub(super) fn cells(page: &[u8], number: u32, layout: Layout, size: usize) -> Vec<(usize, bool)> {
    let at = header_at(number);
    let declared = u16_at(page, at + 3).unwrap_or(0);
    let first = at + layout.header_length();
    let mut lowest = size;
    let mut found = Vec::new();
    for index in 0.. {
        let pointer_at = first + 2 * index;
        // Cells fill the page from its end, pointers from its beginning; they cannot overlap.
        if index >= declared && pointer_at + 2 > lowest {
            break;
        }
        let Some(place) = u16_at(page, pointer_at) else {
            break;
        };
        if place > pointer_at && place < size {
            lowest = lowest.min(place);
            found.push((place, index < declared));
        } else if index >= declared {
            break;
        }
    }
    found
}

/// The pages below a page, where they all can be pages of this file.
pub(super) fn children(page: &[u8], number: u32, layout: Layout, pages: &Pages) -> Option<Vec<u32>> {
    if !layout.has_children() {
        return Some(Vec::new());
    }
    let at = header_at(number);
    let mut children = Vec::new();
    for (place, declared) in cells(page, number, layout, pages.size()) {
        if declared {
            children.push(u32_at(page, place)?);
        }
    }
    children.push(u32_at(page, at + 8)?);
    children.iter().all(|&child| pages.has(child)).then_some(children)
}

/// A row as it stands in a page.
#[derive(Debug)]
pub(super) struct Cell {
    /// Its rowid; 0 in a table without.
    pub rowid: i64,
    /// Its record.
    pub payload: Vec<u8>,
    /// The pages on which its record goes on.
    pub overflow: Vec<u32>,
    /// Where its bytes on the page itself end.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tells tests which rows a cut has left whole")
    )]
    pub end: usize,
}

/// The row whose cell stands at that place of a page; none where the bytes do not make one.
pub(super) fn cell(page: &[u8], place: usize, layout: Layout, pages: &Pages) -> Option<Cell> {
    let mut at = place;
    if layout.has_children() {
        at += 4;
    }
    let length = usize::try_from(varint(page, &mut at)?).ok()?;
    let rowid = match layout {
        Layout::TableLeaf => varint(page, &mut at)?.cast_signed(),
        _ => 0,
    };
    let here = local_length(length, layout, pages.size());
    let mut payload = page.get(at..at.checked_add(here)?)?.to_vec();
    let mut end = at + here;
    let mut overflow = Vec::new();
    if here < length {
        let mut next = u32_at(page, end)?;
        end += 4;
        let mut seen = HashSet::new();
        while payload.len() < length {
            if !seen.insert(next) || !pages.has(next) {
                return None;
            }
            let more = pages.page(next)?;
            overflow.push(next);
            next = u32_at(&more, 0)?;
            let part = (length - payload.len()).min(pages.size() - 4);
            payload.extend_from_slice(more.get(4..4 + part)?);
        }
    }
    Some(Cell {
        rowid,
        payload,
        overflow,
        end,
    })
}

/// How many bytes of a record of that length stand on the page itself.
fn local_length(length: usize, layout: Layout, size: usize) -> usize {
    let at_most = match layout {
        Layout::TableLeaf => size - 35,
        _ => (size - 12) * 64 / 255 - 23,
    };
    if length <= at_most {
        return length;
    }
    let at_least = (size - 12) * 32 / 255 - 23;
    let rest = at_least + (length - at_least) % (size - 4);
    if rest <= at_most { rest } else { at_least }
}

/// The values of a record and their number; none where its bytes are not exactly those of a record.
pub(super) fn record(payload: &[u8]) -> Option<([ValueRef<'_>; MAX_COLUMNS], usize)> {
    let mut values = [ValueRef::Null; MAX_COLUMNS];
    let mut at = 0;
    let header_end = usize::try_from(varint(payload, &mut at)?).ok()?;
    let mut body = header_end;
    let mut count = 0;
    while at < header_end {
        let kind = varint(payload, &mut at)?;
        let value = values.get_mut(count)?;
        *value = read_value(payload, kind, &mut body)?;
        count += 1;
    }
    (at == header_end && body == payload.len()).then_some((values, count))
}

fn read_value<'p>(payload: &'p [u8], kind: u64, at: &mut usize) -> Option<ValueRef<'p>> {
    let length = match kind {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => usize::try_from((kind - 12) / 2).ok()?,
    };
    let bytes = payload.get(*at..at.checked_add(length)?)?;
    *at += length;
    Some(match kind {
        0 => ValueRef::Null,
        1..=6 => ValueRef::Integer(integer(bytes)),
        7 => ValueRef::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => ValueRef::Integer(0),
        9 => ValueRef::Integer(1),
        _ if kind.is_multiple_of(2) => ValueRef::Blob(bytes),
        _ => ValueRef::Text(bytes),
    })
}

/// A big-endian integer of up to eight bytes with sign.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |value: i64, &byte| (value << 8) | i64::from(byte))
}

/// SQLite's integer of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if index == 8 {
            return Some((value << 8) | u64::from(byte));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_nine_bytes_has_all_its_bits_and_a_cut_one_is_none() {
        let mut at = 0;
        assert_eq!(varint(&[0xff; 9], &mut at), Some(u64::MAX));
        assert_eq!(
            (varint(&[0x81, 0x00], &mut 0), varint(&[0x81], &mut 0)),
            (Some(128), None)
        );
    }

    #[test]
    fn integers_of_every_length_keep_their_sign() {
        assert_eq!(integer(&[0xff]), -1);
        assert_eq!(integer(&[0x00, 0xff, 0xff]), 65535);
        assert_eq!(integer(&i64::MIN.to_be_bytes()), i64::MIN);
    }

    #[test]
    fn a_record_with_bytes_too_many_or_too_few_is_none() {
        let whole = [3, 1, 15, 42, b'a'];
        let (values, count) = record(&whole).unwrap();
        assert_eq!(values[..count], [ValueRef::Integer(42), ValueRef::Text(b"a")]);
        assert!(record(&whole[..4]).is_none());
        assert!(record(&[3, 1, 15, 42, b'a', 0]).is_none());
        assert!(record(&[200, 1]).is_none());
    }
}
