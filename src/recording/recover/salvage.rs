//! What can be read of a damaged recording: its events in order, which of them are vouched for, and what is missing.

use std::path::Path;

use super::super::chain::Attachment;
use super::super::schema::APPLICATION_ID;
use super::pages::Pages;
use super::rows::{Place, Rows};
use super::vouch::{Span, Vouched, vouch};
use super::{RecoverError, Stretch};
use crate::event::Event;

/// A stretch of the old numbers, all with the same fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Run {
    pub fate: Fate,
    pub span: Span,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fate {
    /// It is there, and its batch's hash says that it is what was written.
    Vouched,
    /// It is there, and nothing says whether it is what was written.
    Doubtful(Doubt),
    /// It is not there.
    Missing,
}

/// Why nobody vouches for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Doubt {
    /// The hash of its batch does not follow.
    Hash,
    /// The row of its batch is lost.
    NoBatch,
}

impl Doubt {
    pub fn words(self) -> &'static str {
        match self {
            Self::Hash => "the hash of their batch differs, or an event of it is missing",
            Self::NoBatch => "the row with the hash of their batch is lost",
        }
    }
}

/// A damaged recording, read.
pub(in super::super) struct Salvage {
    rows: Rows,
    vouched: Vouched,
    runs: Vec<Run>,
}

impl Salvage {
    /// Reads a file, whatever state it is in. It is never written to.
    pub fn open(path: &Path) -> Result<Self, RecoverError> {
        let failed = |source| RecoverError::Open {
            path: path.to_path_buf(),
            source,
        };
        let metadata = path.metadata().map_err(failed)?;
        let is_ours = if metadata.is_file() {
            says_it_is_ours(path)
        } else {
            return Err(RecoverError::Nothing {
                path: path.to_path_buf(),
                reason: "it is no file".into(),
            });
        };
        let rows = Rows::read(Pages::open(path).map_err(failed)?);
        let vouched = vouch(&rows);
        if rows.events.is_empty() || (!is_ours && vouched.spans.is_empty()) {
            return Err(RecoverError::Nothing {
                path: path.to_path_buf(),
                reason: "no event of a recording can be read in it".into(),
            });
        }
        let runs = runs(&rows.events, &vouched);
        Ok(Self { rows, vouched, runs })
    }

    /// The old numbers from 1 to the last that is known of, in stretches.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// All rows of the file.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The event with an old number.
    pub fn event(&self, seq: u64) -> Option<Event> {
        let from = self.rows.events.partition_point(|place| place.seq < seq);
        let row = self.vouched.chosen.get(&seq).copied().unwrap_or(from);
        let place = self.rows.events.get(row).filter(|place| place.seq == seq)?;
        self.rows.event(place)
    }

    /// The bytes of the file that each event needs.
    #[cfg(test)]
    pub fn extents(&self) -> Vec<Vec<(u64, u64)>> {
        let events = self.rows.events.chunk_by(|one, next| one.seq == next.seq);
        events.map(|places| self.rows.extents(&places[0])).collect()
    }

    /// Attached files as they were, and the names of those that have been changed.
    pub fn attachments(&self) -> (Vec<Attachment>, Vec<String>) {
        let mut damaged = Vec::new();
        let mut kept: Vec<Attachment> = Vec::new();
        for row in &self.rows.attachments {
            let whole = blake3::hash(&row.bytes).to_hex().as_str() == row.noted;
            if !whole {
                damaged.push(row.name.clone());
            }
            let name = match whole {
                true => row.name.clone(),
                false => format!("{} (cannot be vouched for)", row.name),
            };
            if kept.iter().all(|attachment| attachment.name != name) {
                kept.push(Attachment {
                    name,
                    media_type: row.media_type.clone(),
                    bytes: row.bytes.clone(),
                });
            }
        }
        (kept, damaged)
    }

    /// When a stretch began and ended: the times of the events in it, or around it where it is missing.
    pub fn stretch(&self, run: &Run) -> Stretch {
        let (first, last) = match run.fate {
            Fate::Missing => (run.span.0.saturating_sub(1), run.span.1.saturating_add(1)),
            _ => run.span,
        };
        Stretch {
            first_seq: run.span.0,
            last_seq: run.span.1,
            from: self.event(first).map(|event| event.stamp),
            to: self.event(last).map(|event| event.stamp),
            why: match run.fate {
                Fate::Doubtful(doubt) => doubt.words(),
                _ => "",
            },
        }
    }
}

/// Whether the header has the mark of a recording.
fn says_it_is_ours(path: &Path) -> bool {
    use std::os::unix::fs::FileExt;
    let mut mark = [0; 4];
    std::fs::File::open(path)
        .and_then(|file| file.read_exact_at(&mut mark, 68))
        .is_ok_and(|()| mark == APPLICATION_ID.to_be_bytes())
}

fn runs(events: &[Place], vouched: &Vouched) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut push = |fate, span: Span| match runs.last_mut() {
        Some(last) if last.fate == fate => last.span.1 = span.1,
        _ => runs.push(Run { fate, span }),
    };
    let mut wanted = 1;
    for place in events {
        let seq = place.seq;
        if seq < wanted {
            continue;
        }
        if seq > wanted {
            push(Fate::Missing, (wanted, seq - 1));
        }
        let fate = if vouched.covers(seq) {
            Fate::Vouched
        } else if in_a_batch(&vouched.failed, seq) {
            Fate::Doubtful(Doubt::Hash)
        } else {
            Fate::Doubtful(Doubt::NoBatch)
        };
        push(fate, (seq, seq));
        wanted = seq + 1;
    }
    if vouched.last_committed >= wanted {
        push(Fate::Missing, (wanted, vouched.last_committed));
    }
    runs
}

fn in_a_batch(failed: &[Span], seq: u64) -> bool {
    let next = failed.partition_point(|span| span.0 <= seq);
    next.checked_sub(1).is_some_and(|before| seq <= failed[before].1)
}
