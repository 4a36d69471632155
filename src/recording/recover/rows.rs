//! Every row that can be read of a damaged file, and where it stands.

use std::collections::{HashMap, HashSet};

use super::super::decode::attach;
use super::btree::{Cell, Layout, cell, cells, layout_of, may_have_been_a_leaf};
use super::kind::{AttachmentRow, BatchRow, Kind, meta_of, owners};
use super::pages::Pages;
use crate::event::{Event, EventBody};

/// How much speaks for a row; what is lower is taken first where several claim one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    /// It stands where it should.
    Ordered,
    /// Its number does not fit between its neighbours'.
    OutOfOrder,
    /// It may be left over from before.
    Leftover,
    /// It fits several tables.
    Ambiguous,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// Number of the event that it is, or of the fit that it is a part of.
    pub seq: u64,
    pub rank: Rank,
    pub kind: Kind,
    page: u32,
    offset: u16,
    layout_index: u8,
}

/// All rows of a damaged file.
pub(super) struct Rows {
    pages: Pages,
    /// Rows of events by number, the most probable first where several have one.
    pub events: Vec<Place>,
    /// Rows of parts of fits, by the number of the fit.
    parts: Vec<Place>,
    /// Rows of commits, in order of their first event.
    pub batches: Vec<BatchRow>,
    /// Attached files, in the order in which they were attached.
    pub attachments: Vec<AttachmentRow>,
    /// Facts, by key.
    pub meta: Vec<(String, String)>,
    /// Rows whose number is beyond anything that the file can have had.
    pub strays: usize,
}

/// What a page gave.
struct PageRows {
    layout: usize,
    found: Vec<(usize, bool, Cell)>,
    kinds: Vec<Kind>,
    accepted: usize,
}

impl Rows {
    /// Reads every page.
    pub fn read(pages: Pages) -> Self {
        let owners = owners(&pages);
        let mut rows = Self {
            pages,
            events: Vec::new(),
            parts: Vec::new(),
            batches: Vec::new(),
            attachments: Vec::new(),
            meta: Vec::new(),
            strays: 0,
        };
        let mut overflow = HashSet::new();
        let mut doubtful = Vec::new();
        for number in rows.pages.numbers().collect::<Vec<_>>() {
            let Some(page) = rows.pages.page(number) else {
                continue;
            };
            let layout = layout_of(&page, number);
            let read = layout.and_then(|layout| rows.page_rows(&page, number, layout, &owners));
            match read {
                Some(read) => rows.take(number, read, &mut overflow),
                // No rows are expected there, unless the damage lies in what the page says it is.
                None if may_have_been_a_leaf(&page, number) => doubtful.push(number),
                None => {}
            }
        }
        doubtful.retain(|number| !overflow.contains(number));
        for number in doubtful {
            let Some(page) = rows.pages.page(number) else {
                continue;
            };
            let read = Layout::WITH_ROWS
                .iter()
                .filter_map(|layout| rows.page_rows(&page, number, *layout, &owners))
                .max_by_key(|read| read.accepted);
            if let Some(read) = read {
                rows.take(number, read, &mut overflow);
            }
        }
        rows.settle();
        rows
    }

    /// What the rest of the file says about the pages themselves.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// The rows of a page under a layout; none where there is not one.
    fn page_rows(
        &self,
        page: &[u8],
        number: u32,
        layout: Layout,
        owners: &HashMap<u32, Kind>,
    ) -> Option<PageRows> {
        let index = Layout::WITH_ROWS.iter().position(|known| *known == layout)?;
        let found: Vec<(usize, bool, Cell)> = cells(page, number, layout, self.pages.size())
            .into_iter()
            .filter_map(|(place, declared)| Some((place, declared, cell(page, place, layout, &self.pages)?)))
            .collect();
        let accepted = |kind: &Kind| {
            found
                .iter()
                .filter(|(_, _, cell)| kind.accepts(cell).is_some())
                .count()
        };
        if let Some(owner) = owners.get(&number).filter(|owner| owner.is_on(layout)) {
            let count = accepted(owner);
            if count > 0 {
                return Some(PageRows {
                    layout: index,
                    found,
                    kinds: vec![*owner],
                    accepted: count,
                });
            }
        }
        let counts: Vec<(Kind, usize)> = Kind::all()
            .filter(|kind| kind.is_on(layout))
            .map(|kind| (kind, accepted(&kind)))
            .collect();
        let most = counts
            .iter()
            .map(|(_, count)| *count)
            .max()
            .filter(|most| *most > 0)?;
        Some(PageRows {
            layout: index,
            kinds: counts
                .into_iter()
                .filter(|(_, count)| *count == most)
                .map(|(kind, _)| kind)
                .collect(),
            found,
            accepted: most,
        })
    }

    fn take(&mut self, number: u32, read: PageRows, overflow: &mut HashSet<u32>) {
        for &kind in &read.kinds {
            let keys: Vec<(usize, bool, i64, &Cell)> = read
                .found
                .iter()
                .filter_map(|(place, declared, cell)| Some((*place, *declared, kind.accepts(cell)?, cell)))
                .collect();
            for (index, &(offset, declared, key, cell)) in keys.iter().enumerate() {
                let after = index.checked_sub(1).is_none_or(|before| keys[before].2 <= key);
                let before = keys.get(index + 1).is_none_or(|next| !next.1 || key <= next.2);
                let rank = if read.kinds.len() > 1 {
                    Rank::Ambiguous
                } else if !declared || Pages::is_doubtful(number) {
                    Rank::Leftover
                } else if after && before {
                    Rank::Ordered
                } else {
                    Rank::OutOfOrder
                };
                overflow.extend(&cell.overflow);
                let place = Place {
                    seq: key.cast_unsigned(),
                    rank,
                    kind,
                    page: number,
                    offset: offset as u16,
                    layout_index: read.layout as u8,
                };
                match kind {
                    Kind::Event(_) => self.events.push(place),
                    Kind::Part(_) => self.parts.push(place),
                    Kind::Batch => self.batches.extend(BatchRow::of(cell)),
                    Kind::Attachment => self.attachments.extend(AttachmentRow::of(cell)),
                    Kind::Meta => self.meta.extend(meta_of(cell)),
                    Kind::Schema => {}
                }
            }
        }
    }

    /// Puts everything in order.
    fn settle(&mut self) {
        self.events.sort_unstable();
        self.events.dedup();
        self.parts.sort_unstable();
        self.batches
            .sort_by_key(|batch| (batch.first_seq, batch.last_seq, batch.id));
        self.batches.dedup();
        self.attachments.sort_by_key(|attachment| attachment.id);
        self.attachments.dedup_by_key(|attachment| attachment.id);
        self.meta.sort();
        self.meta.dedup_by(|one, other| one.0 == other.0);
        self.leave_out_strays();
    }

    /// A changed bit in a row's number can put it anywhere. Numbers have no gaps, so a jump by far more than all rows
    /// that there are is no gap but such a bit.
    fn leave_out_strays(&mut self) {
        let most = 4 * self.events.len() as u64 + 10_000;
        let jump = self
            .events
            .windows(2)
            .position(|pair| pair[1].seq - pair[0].seq > most);
        let kept = match jump {
            Some(last) if (last + 1) * 2 > self.events.len() => last + 1,
            _ => self.events.len(),
        };
        self.strays = self.events.len() - kept;
        self.events.truncate(kept);
    }

    fn cell(&self, place: &Place) -> Option<Cell> {
        let page = self.pages.page(place.page)?;
        let layout = Layout::WITH_ROWS[usize::from(place.layout_index)];
        cell(&page, usize::from(place.offset), layout, &self.pages)
    }

    /// The event of a row, a fit with its parts.
    pub fn event(&self, place: &Place) -> Option<Event> {
        let mut event = place.kind.event(&self.cell(place)?)?;
        if matches!(event.body, EventBody::Fit(_)) {
            let from = self.parts.partition_point(|part| part.seq < event.seq);
            let mut parts: Vec<_> = self.parts[from..]
                .iter()
                .take_while(|part| part.seq == event.seq)
                .filter_map(|part| {
                    let (_, position, value) = part.kind.part(&self.cell(part)?)?;
                    Some(((part.kind, position), part.rank, value))
                })
                .collect();
            parts.sort_by_key(|part| (part.0, part.1));
            parts.dedup_by_key(|part| part.0);
            for (_, _, part) in parts {
                attach(&mut event, part);
            }
        }
        Some(event)
    }

    /// The bytes of the file that an event needs, those of its parts included: beginnings and ends.
    #[cfg(test)]
    pub fn extents(&self, place: &Place) -> Vec<(u64, u64)> {
        let size = self.pages.size() as u64;
        let start_of = |page: u32| u64::from(page - 1) * size;
        let parts = self.parts.iter().filter(|part| part.seq == place.seq);
        std::iter::once(place)
            .chain(parts)
            .flat_map(|place| {
                let cell = self.cell(place).unwrap();
                let start = start_of(place.page);
                let own = (start + u64::from(place.offset), start + cell.end as u64);
                let further = cell.overflow.into_iter();
                std::iter::once(own).chain(further.map(move |page| (start_of(page), start_of(page) + size)))
            })
            .collect()
    }
}
