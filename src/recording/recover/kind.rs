//! Which table a row is of, told by its shape: the number of its values and whether they make an event.

use std::collections::HashMap;

use rusqlite::types::ValueRef;

use super::super::decode::{Part, decode, decode_part};
use super::super::schema;
use super::super::table::{EVENT_TABLES, PART_TABLES, Table};
use super::btree::{Cell, Layout, cell, cells, children, layout_of, record};
use super::pages::Pages;
use crate::event::Event;

/// A table of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Events; the place in [`EVENT_TABLES`].
    Event(u8),
    /// Parts of fits; the place in [`PART_TABLES`].
    Part(u8),
    /// Commits.
    Batch,
    /// Attached files.
    Attachment,
    /// Facts.
    Meta,
    /// SQLite's own table of tables.
    Schema,
}

impl Kind {
    /// All kinds, those that there is most of first.
    pub fn all() -> impl Iterator<Item = Self> {
        let events = (0..EVENT_TABLES.len()).map(|index| Self::Event(index as u8));
        let parts = (0..PART_TABLES.len()).map(|index| Self::Part(index as u8));
        events
            .chain(parts)
            .chain([Self::Batch, Self::Attachment, Self::Meta, Self::Schema])
    }

    fn of_table(name: &str) -> Option<Self> {
        match name {
            "batch" => return Some(Self::Batch),
            "attachment" => return Some(Self::Attachment),
            "meta" => return Some(Self::Meta),
            _ => {}
        }
        let place = |tables: &[&Table]| tables.iter().position(|table| table.name == name);
        let event = place(&EVENT_TABLES).map(|index| Self::Event(index as u8));
        event.or_else(|| place(&PART_TABLES).map(|index| Self::Part(index as u8)))
    }

    /// Whether rows of this kind stand on pages of that layout.
    pub fn is_on(self, layout: Layout) -> bool {
        let without_rowid = matches!(self, Self::Part(_) | Self::Meta);
        match layout {
            Layout::TableLeaf => !without_rowid,
            Layout::IndexLeaf | Layout::IndexInterior => without_rowid,
            Layout::TableInterior => false,
        }
    }

    /// The number by which a row of this kind is ordered, if the row is of this kind.
    pub fn accepts(self, cell: &Cell) -> Option<i64> {
        match self {
            Self::Event(_) => self.event(cell).map(|event| event.seq.cast_signed()),
            Self::Part(_) => self.part(cell).map(|(seq, _, _)| seq.cast_signed()),
            Self::Batch => BatchRow::of(cell).map(|batch| batch.id),
            Self::Attachment => AttachmentRow::of(cell).map(|attachment| attachment.id),
            Self::Meta => meta_of(cell).map(|_| 0),
            Self::Schema => root_of(cell).map(|_| cell.rowid),
        }
    }

    /// The event of a row; that of a fit without its parts.
    pub fn event(self, cell: &Cell) -> Option<Event> {
        let Self::Event(index) = self else { return None };
        let table = *EVENT_TABLES.get(usize::from(index))?;
        let (mut values, count) = record(&cell.payload)?;
        let fits = count == table.width() || count == table.width_before();
        if !fits || cell.rowid < 1 || values[0] != ValueRef::Null {
            return None;
        }
        values[0] = ValueRef::Integer(cell.rowid);
        decode(table, &values[..table.width()]).ok()
    }

    /// The part of a fit in a row, with the number of the fit and its place there.
    pub fn part(self, cell: &Cell) -> Option<(u64, i64, Part)> {
        let Self::Part(index) = self else { return None };
        let table = *PART_TABLES.get(usize::from(index))?;
        let (values, count) = record(&cell.payload)?;
        if count != table.width() {
            return None;
        }
        let position = values[1].as_i64().ok()?;
        let (seq, part) = decode_part(table, &values[..count]).ok()?;
        (seq >= 1).then_some((seq, position, part))
    }
}

/// A row of the table of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchRow {
    /// Number of the commit.
    pub id: i64,
    /// Number of its first event.
    pub first_seq: u64,
    /// Number of its last event.
    pub last_seq: u64,
    /// The hash of the chain up to it.
    pub hash: blake3::Hash,
}

impl BatchRow {
    pub fn of(cell: &Cell) -> Option<Self> {
        let (values, count) = record(&cell.payload)?;
        let numbers = values[1..7].iter().all(|value| value.as_i64().is_ok());
        if count != 8 || values[0] != ValueRef::Null || !numbers {
            return None;
        }
        let hash: [u8; 32] = values[7].as_blob().ok()?.try_into().ok()?;
        let number = |index: usize| u64::try_from(values[index].as_i64().ok()?).ok();
        Some(Self {
            id: cell.rowid,
            first_seq: number(1)?,
            last_seq: number(2)?,
            hash: hash.into(),
        })
    }
}

/// A row of the table of attached files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttachmentRow {
    pub id: i64,
    pub name: String,
    pub media_type: String,
    /// The hash noted when it was attached, in hexadecimal digits.
    pub noted: String,
    pub bytes: Vec<u8>,
}

impl AttachmentRow {
    pub fn of(cell: &Cell) -> Option<Self> {
        let (values, count) = record(&cell.payload)?;
        if count != 5 || values[0] != ValueRef::Null {
            return None;
        }
        let text = |index: usize| values[index].as_str().ok().map(str::to_owned);
        Some(Self {
            id: cell.rowid,
            name: text(1)?,
            media_type: text(2)?,
            noted: text(3)?,
            bytes: values[4].as_blob().ok()?.to_vec(),
        })
    }
}

/// A fact with its key.
pub(super) fn meta_of(cell: &Cell) -> Option<(String, String)> {
    let (values, count) = record(&cell.payload)?;
    let text = |index: usize| values[index].as_str().ok().map(str::to_owned);
    if count != 2 {
        return None;
    }
    Some((text(0)?, text(1)?))
}

/// The name of a table and the page of its root, from a row of SQLite's own table.
fn root_of(cell: &Cell) -> Option<(String, u32)> {
    let (values, count) = record(&cell.payload)?;
    let word = values[0].as_str().ok()?;
    let known = ["table", "index", "view"].contains(&word);
    if count != 5 || !known {
        return None;
    }
    let root = u32::try_from(values[3].as_i64().ok()?).ok()?;
    Some((values[1].as_str().ok()?.to_owned(), root))
}

/// To which table each page belongs, as far as the trees of the file tell. It is a hint: rows must fit as well.
pub(super) fn owners(pages: &Pages) -> HashMap<u32, Kind> {
    let mut owners = HashMap::new();
    walk(pages, 1, Kind::Schema, &mut owners);
    let mut schema_pages: Vec<u32> = owners.keys().copied().collect();
    schema_pages.sort_unstable();
    let mut roots: Vec<(Kind, u32)> = Vec::new();
    for number in schema_pages {
        let Some(page) = pages.page(number) else { continue };
        for (place, _) in cells(&page, number, Layout::TableLeaf, pages.size()) {
            let row = cell(&page, place, Layout::TableLeaf, pages).and_then(|cell| root_of(&cell));
            let kind = row.as_ref().and_then(|(name, _)| Kind::of_table(name));
            if let (Some((_, root)), Some(kind)) = (row, kind) {
                roots.push((kind, root));
            }
        }
    }
    // Where the table of tables is damaged: tables of a given format have their roots where they always have.
    let known: Vec<Kind> = roots.iter().map(|(kind, _)| *kind).collect();
    let usual = usual_roots(pages);
    roots.extend(usual.into_iter().filter(|(kind, _)| !known.contains(kind)));
    for (kind, root) in roots {
        walk(pages, root, kind, &mut owners);
    }
    owners
}

/// Gives every page under a root to a table. A page that another table has already stays with it.
fn walk(pages: &Pages, root: u32, kind: Kind, owners: &mut HashMap<u32, Kind>) {
    let mut open = vec![root];
    while let Some(number) = open.pop() {
        if owners.contains_key(&number) {
            continue;
        }
        let Some(page) = pages.page(number) else { continue };
        let Some(layout) = layout_of(&page, number) else {
            continue;
        };
        owners.insert(number, kind);
        open.extend(children(&page, number, layout, pages).unwrap_or_default());
    }
}

/// Where the roots of a fresh recording stand, in the format to which this file fits better.
fn usual_roots(pages: &Pages) -> Vec<(Kind, u32)> {
    let fitting = |roots: &[(Kind, u32)]| {
        roots
            .iter()
            .filter(|(kind, root)| root_fits(pages, *kind, *root))
            .count()
    };
    [schema::roots(2), schema::roots(1)]
        .into_iter()
        .flatten()
        .map(|roots| {
            roots
                .into_iter()
                .filter_map(|(name, root)| Some((Kind::of_table(&name)?, root)))
                .collect::<Vec<_>>()
        })
        .max_by_key(|roots| fitting(roots))
        .unwrap_or_default()
}

fn root_fits(pages: &Pages, kind: Kind, root: u32) -> bool {
    let Some(page) = pages.page(root) else {
        return false;
    };
    let Some(layout) = layout_of(&page, root) else {
        return false;
    };
    kind.is_on(layout)
        && cells(&page, root, layout, pages.size())
            .iter()
            .filter_map(|(place, _)| cell(&page, *place, layout, pages))
            .all(|cell| kind.accepts(&cell).is_some())
}
