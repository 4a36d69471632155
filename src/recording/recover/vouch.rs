//! Which events are certainly those that were written: those of batches whose hash still follows from the one before.
//!
//! Where the row of a batch is lost or changed, its hash is computed from its events; when the next batch follows from
//! that, these events are vouched for as well.

use std::collections::{BTreeMap, HashMap};

use super::super::chain::{BatchHash, beginning_of};
use super::super::writer::META_CHAIN_HASH;
use super::kind::AttachmentRow;
use super::rows::{Place, Rows};
use crate::event::Event;

/// Ways of choosing among rows that claim one number that are tried before giving up on a batch.
const MOST_CHOICES: usize = 64;

/// Events that are read to try further choices for one batch.
const EVENTS_OF_CHOICES: usize = 4096;

/// How many known hashes before a lost batch are tried.
const BRIDGES: usize = 4;

/// A hash that may stand before a batch.
struct Known {
    hash: blake3::Hash,
    /// The events that it was computed from, where it does not stand in the file, and the hash before them.
    computed: Option<(Span, usize)>,
    /// Which rows were chosen for them.
    choice: Choice,
}

/// Numbers of events, the first and the last.
pub(super) type Span = (u64, u64);

/// For events that several rows claim to be: the row that is.
type Choice = HashMap<u64, usize>;

/// What is vouched for.
#[derive(Debug, Default)]
pub(super) struct Vouched {
    /// Spans of events, in order, each with nothing missing.
    pub spans: Vec<Span>,
    /// The row of events that several claim to be.
    pub chosen: Choice,
    /// Batches whose hash does not follow, by their first event.
    pub failed: Vec<Span>,
    /// The last event that a commit speaks of.
    pub last_committed: u64,
}

impl Vouched {
    /// Whether an event is one of those.
    pub fn covers(&self, seq: u64) -> bool {
        let next = self.spans.partition_point(|span| span.0 <= seq);
        next.checked_sub(1)
            .is_some_and(|before| seq <= self.spans[before].1)
    }
}

struct Search<'r> {
    rows: &'r Rows,
    known: Vec<Known>,
    /// Those that may stand after the event with that number.
    after: BTreeMap<u64, Vec<usize>>,
    found: Vouched,
    /// How many events may still be hashed: damage must not make the work endless.
    budget: usize,
}

/// Checks all batches.
pub(super) fn vouch(rows: &Rows) -> Vouched {
    let mut search = Search {
        rows,
        known: Vec::new(),
        after: BTreeMap::new(),
        found: Vouched::default(),
        budget: 40 * rows.events.len() + 1_000_000,
    };
    for hash in beginnings(&rows.attachments) {
        search.learn(0, hash, None, Choice::new());
    }
    for batch in &rows.batches {
        let span = (batch.first_seq, batch.last_seq);
        if span.0 < 1 || span.1 < span.0 {
            continue;
        }
        if !search.check(span, &batch.hash) {
            search.found.failed.push(span);
        }
        search.learn(span.1, batch.hash, None, Choice::new());
    }
    search.check_end();
    search.finish()
}

/// What the chain may begin with. A changed byte of an attached file must not take the first batch with it, so the
/// hash that was noted for the file counts as well.
fn beginnings(attachments: &[AttachmentRow]) -> Vec<blake3::Hash> {
    let by_content = |row: &AttachmentRow| blake3::hash(&row.bytes);
    let by_note =
        |row: &AttachmentRow| blake3::Hash::from_hex(&row.noted).unwrap_or_else(|_| by_content(row));
    let of = |hash: &dyn Fn(&AttachmentRow) -> blake3::Hash| {
        beginning_of(
            attachments
                .iter()
                .map(|row| (row.name.as_str(), row.media_type.as_str(), hash(row))),
        )
    };
    let (content, noted) = (of(&by_content), of(&by_note));
    if content == noted {
        vec![content]
    } else {
        vec![content, noted]
    }
}

impl Search<'_> {
    fn learn(&mut self, after: u64, hash: blake3::Hash, computed: Option<(Span, usize)>, choice: Choice) {
        let there = self.after.entry(after).or_default();
        if there.iter().any(|&known| self.known[known].hash == hash) {
            return;
        }
        there.push(self.known.len());
        self.known.push(Known {
            hash,
            computed,
            choice,
        });
    }

    fn hashes_after(&self, seq: u64) -> Vec<usize> {
        self.after.get(&seq).cloned().unwrap_or_default()
    }

    /// Whether the hash of a batch follows from one that may stand before it.
    fn check(&mut self, span: Span, hash: &blake3::Hash) -> bool {
        if self.follows(span, hash) {
            return true;
        }
        self.bridge(span.0 - 1);
        self.follows(span, hash) || self.follows_from_elsewhere(span, hash)
    }

    /// The number of its first event may be what is changed: a batch begins where the one before it ends.
    fn follows_from_elsewhere(&mut self, span: Span, hash: &blake3::Hash) -> bool {
        let before: Vec<u64> = self
            .after
            .range(..span.1)
            .rev()
            .take(2)
            .map(|(&after, _)| after)
            .collect();
        before
            .into_iter()
            .any(|after| after + 1 != span.0 && self.follows((after + 1, span.1), hash))
    }

    fn follows(&mut self, span: Span, hash: &blake3::Hash) -> bool {
        let before = self.hashes_after(span.0 - 1);
        if before.is_empty() {
            return false;
        }
        let Some(choices) = self.choices(span) else {
            return false;
        };
        // A span that is long because its numbers are wrong must not use up what the others need.
        let length = usize::try_from(span.1 - span.0).unwrap_or(usize::MAX);
        let tried = 1 + EVENTS_OF_CHOICES / length.max(1);
        for (number, choice) in choices.into_iter().take(tried).enumerate() {
            let Some(events) = self.load(span, &choice) else {
                continue;
            };
            for &known in &before {
                let computed = hash_of(&self.known[known].hash, &events);
                if computed == *hash {
                    self.accept(span, choice, known);
                    return true;
                }
                if number == 0 {
                    self.learn(span.1, computed, Some((span, known)), choice.clone());
                }
            }
        }
        false
    }

    /// Computes what may stand after event `seq`, from the known hashes nearest before it.
    fn bridge(&mut self, seq: u64) {
        let before: Vec<(u64, usize)> = self
            .after
            .range(..seq)
            .rev()
            .take(BRIDGES)
            .flat_map(|(&after, known)| known.iter().map(move |&known| (after, known)))
            .collect();
        for (after, known) in before {
            let span = (after + 1, seq);
            let Some(choice) = self.choices(span).and_then(|choices| choices.into_iter().next()) else {
                continue;
            };
            let Some(events) = self.load(span, &choice) else {
                continue;
            };
            let computed = hash_of(&self.known[known].hash, &events);
            self.learn(seq, computed, Some((span, known)), choice);
        }
    }

    /// The hash noted at closing speaks for a last batch whose own row is lost or changed.
    fn check_end(&mut self) {
        let noted = self.rows.meta.iter().find(|(key, _)| key == META_CHAIN_HASH);
        let Some(noted) = noted.and_then(|(_, text)| blake3::Hash::from_hex(text).ok()) else {
            return;
        };
        if let Some(last) = self.rows.events.last().map(|place| place.seq) {
            self.bridge(last);
            for known in self.hashes_after(last) {
                if self.known[known].hash == noted {
                    self.accept_computed(known);
                }
            }
        }
    }

    fn accept(&mut self, span: Span, choice: Choice, known: usize) {
        self.found.spans.push(span);
        self.found.chosen.extend(choice);
        self.accept_computed(known);
    }

    /// A hash that was computed has been confirmed, and so have the events that it was computed from.
    fn accept_computed(&mut self, mut known: usize) {
        while let Some((span, before)) = self.known[known].computed.take() {
            self.found.spans.push(span);
            let choice = std::mem::take(&mut self.known[known].choice);
            self.found.chosen.extend(choice);
            known = before;
        }
    }

    /// The rows of a span, if there is one for each number.
    fn places(&self, span: Span) -> Option<&[Place]> {
        let all = &self.rows.events;
        let from = all.partition_point(|place| place.seq < span.0);
        let until = all.partition_point(|place| place.seq <= span.1);
        // Compared before anything is counted one by one: the numbers may be nonsense.
        ((until - from) as u64 > span.1 - span.0).then(|| &all[from..until])
    }

    /// The ways to choose a row for each number of a span, the most probable first; none where a number is missing.
    fn choices(&self, span: Span) -> Option<Vec<Choice>> {
        let from = self.rows.events.partition_point(|place| place.seq < span.0);
        let places = self.places(span)?;
        let mut wanted = span.0;
        let mut choices = vec![Choice::new()];
        let mut index = 0;
        while index < places.len() {
            let seq = places[index].seq;
            if seq != wanted {
                return None;
            }
            let same = places[index..]
                .iter()
                .take_while(|place| place.seq == seq)
                .count();
            if same > 1 && choices.len() * same <= MOST_CHOICES {
                choices = (0..same)
                    .flat_map(|nth| {
                        choices.iter().map(move |choice| {
                            let mut choice = choice.clone();
                            choice.insert(seq, from + index + nth);
                            choice
                        })
                    })
                    .collect();
            }
            index += same;
            wanted += 1;
        }
        (wanted == span.1 + 1).then_some(choices)
    }

    fn load(&mut self, span: Span, choice: &Choice) -> Option<Vec<Event>> {
        let places = self.places(span)?;
        let length = places.len();
        let mut events = Vec::new();
        let mut last = 0;
        for place in places {
            if place.seq != last {
                last = place.seq;
                let place = choice
                    .get(&place.seq)
                    .map_or(place, |&row| &self.rows.events[row]);
                events.push(self.rows.event(place)?);
            }
        }
        self.budget = self.budget.checked_sub(length)?;
        Some(events)
    }

    fn finish(mut self) -> Vouched {
        let mut spans = std::mem::take(&mut self.found.spans);
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.0 <= last.1.saturating_add(1) => last.1 = last.1.max(span.1),
                _ => merged.push(span),
            }
        }
        self.found.spans = merged;
        let last_row = self.rows.events.last().map_or(0, |place| place.seq);
        let believable = last_row.saturating_add(4 * self.rows.events.len() as u64 + 10_000);
        let committed = self
            .rows
            .batches
            .iter()
            .filter(|batch| batch.last_seq <= believable && !self.found.covers(batch.first_seq))
            .map(|batch| batch.last_seq);
        self.found.last_committed = committed.max().unwrap_or(0);
        let failed = std::mem::take(&mut self.found.failed);
        self.found.failed = failed
            .into_iter()
            .filter(|span| !self.found.covers(span.0))
            .collect();
        self.found
    }
}

fn hash_of(before: &blake3::Hash, events: &[Event]) -> blake3::Hash {
    let mut hash = BatchHash::after(before);
    for event in events {
        hash.add(event);
    }
    hash.finish()
}
