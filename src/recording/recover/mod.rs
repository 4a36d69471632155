//! Saving what can be read of a damaged or cut recording into a new one.
//!
//! The file is taken apart without SQLite, which gives up on a damaged file, and without trust: every page is looked
//! at, every row is known by its table's tree or by its shape, and the hashes of the batches say which events are
//! certainly those that were written.

mod btree;
mod kind;
mod pages;
mod rows;
mod salvage;
mod sweeps;
mod vouch;
mod wal;

use std::path::{Path, PathBuf};

use super::backup::{part_of, put_in_place};
use super::error::WriteError;
use super::file::beside;
use super::writer::{META_CHAIN_HASH, META_STATE_DIGEST, META_STATE_VERSION, Opening, Writer};
use crate::event::{EventBody, Gap, Note, Stamp};

pub(super) use salvage::{Fate, Salvage};
pub use sweeps::{SweepSoundness, sound_sweeps};

/// Where a recovered recording came from.
pub const META_RECOVERED_FROM: &str = "recovered_from";

/// Events in a commit of the new recording.
const COMMIT_EVERY: u64 = 1000;

/// Why nothing was recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The damaged file cannot be opened.
    #[error("cannot open {}: {source}; check the name and the permissions", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing of a recording in it.
    #[error("nothing can be recovered from {}: {reason}; is it the right file?", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// The new recording cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The new recording could not be put in its place.
    #[error("cannot write {}: {source}; check that the folder exists, may be written to and has space", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A stretch of events of the damaged recording, by its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Number of the first event.
    pub first_seq: u64,
    /// Number of the last event.
    pub last_seq: u64,
    /// When it began; of missing events, when the last before them happened.
    pub from: Option<Stamp>,
    /// When it ended; of missing events, when the next after them happened.
    pub to: Option<Stamp>,
    /// Why it cannot be vouched for; empty for missing events.
    pub why: &'static str,
}

impl Stretch {
    /// How many events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.last_seq - self.first_seq + 1
    }
}

/// What was recovered, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Events taken over that are certainly as they were written.
    pub vouched: u64,
    /// Events taken over of which nobody can say whether they are as they were written.
    pub doubtful: u64,
    /// Stretches of those; they are left out of the new recording where only what is certain was wanted.
    pub doubtful_stretches: Vec<Stretch>,
    /// Stretches of events that are not there.
    pub missing: Vec<Stretch>,
    /// Attached files that have been changed.
    pub damaged_attachments: Vec<String>,
    /// Further findings, in words.
    pub remarks: Vec<String>,
    /// Events in the new recording, notes on the recovery included.
    pub written: u64,
}

impl Recovered {
    /// Whether nothing was damaged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.doubtful_stretches.is_empty() && self.missing.is_empty() && self.damaged_attachments.is_empty()
    }

    /// How many events are missing.
    #[must_use]
    pub fn missing_events(&self) -> u64 {
        self.missing.iter().map(Stretch::events).sum()
    }
}

/// Saves what can be read of `from` into the new recording `to`. `from` is not changed, whatever happens. With
/// `strict`, only events that are certainly as they were written are taken over.
///
/// The new recording is an ordinary one: its numbers begin at 1 and have no gaps, and it has a hash chain of its own.
/// A note in it says where it is from; gaps say which events are missing; notes stand before events that cannot be
/// vouched for.
///
/// # Errors
/// The file cannot be opened or holds nothing of a recording, a file of the new name exists, or the new recording
/// cannot be written.
pub fn recover(from: &Path, to: &Path, strict: bool) -> Result<Recovered, RecoverError> {
    if to.symlink_metadata().is_ok() {
        return Err(WriteError::Exists {
            path: to.to_path_buf(),
        }
        .into());
    }
    let salvage = Salvage::open(from)?;
    let mut found = findings(&salvage);
    let part = part_of(to);
    let written = write(&salvage, from, &part, strict, &mut found).and_then(|()| {
        put_in_place(&part, to).map_err(|source| RecoverError::Place {
            path: to.to_path_buf(),
            source,
        })
    });
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(&part, ending));
    }
    written.map(|()| found)
}

fn findings(salvage: &Salvage) -> Recovered {
    let mut found = Recovered::default();
    for run in salvage.runs() {
        let events = run.span.1 - run.span.0 + 1;
        match run.fate {
            Fate::Vouched => found.vouched += events,
            Fate::Doubtful(_) => {
                found.doubtful += events;
                found.doubtful_stretches.push(salvage.stretch(run));
            }
            Fate::Missing => found.missing.push(salvage.stretch(run)),
        }
    }
    found.damaged_attachments = salvage.attachments().1;
    let rows = salvage.rows();
    if rows.strays > 0 {
        found.remarks.push(format!(
            "{} rows have numbers that cannot be theirs and were left out",
            rows.strays
        ));
    }
    if rows.pages().log_is_damaged() {
        found.remarks.push("the -wal file beside it is damaged".into());
    }
    if rows.pages().unreadable() > 0 {
        found.remarks.push(format!(
            "the disk did not give {} pages of the file",
            rows.pages().unreadable()
        ));
    }
    found
}

/// The first words of the note that every recovered recording has.
fn provenance(from: &Path, strict: bool, found: &Recovered) -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let doubtful = match (found.doubtful, strict) {
        (0, _) => String::new(),
        (events, false) => format!(", {events} events that cannot be vouched for"),
        (events, true) => format!(", {events} events left out because they cannot be vouched for"),
    };
    format!(
        "recovered from {} on {now} by interphase {}: {} events as they were written{doubtful}, {} missing",
        from.display(),
        env!("CARGO_PKG_VERSION"),
        found.vouched,
        found.missing_events(),
    )
}

fn opening(salvage: &Salvage, from: &Path) -> Opening {
    // What was noted at closing is not true of the new recording.
    let outdated = [META_CHAIN_HASH, META_STATE_DIGEST, META_STATE_VERSION];
    let old = &salvage.rows().meta;
    let mut meta: Vec<(String, String)> = old
        .iter()
        .filter(|(key, _)| !outdated.contains(&key.as_str()))
        .cloned()
        .collect();
    meta.push((META_RECOVERED_FROM.into(), from.display().to_string()));
    meta.push((
        "recovered_by".into(),
        format!("interphase {}", env!("CARGO_PKG_VERSION")),
    ));
    let chain_hash = old.iter().find(|(key, _)| key == META_CHAIN_HASH);
    meta.extend(chain_hash.map(|(_, hash)| ("recovered_chain_hash".to_owned(), hash.clone())));
    Opening {
        meta,
        attachments: salvage.attachments().0,
    }
}

fn note(text: String) -> EventBody {
    EventBody::Note(Note { text })
}

fn numbers(first: u64, last: u64) -> String {
    if first == last {
        format!("event {first}")
    } else {
        format!("events {first} to {last}")
    }
}

fn write(
    salvage: &Salvage,
    from: &Path,
    part: &Path,
    strict: bool,
    found: &mut Recovered,
) -> Result<(), RecoverError> {
    let mut writer = Writer::create(part, &opening(salvage, from))?;
    let mut origin = Some(note(provenance(from, strict, found)));
    let mut stamp = first_stamp(salvage);
    for run in salvage.runs() {
        let (first, last) = run.span;
        let left_out = strict && matches!(run.fate, Fate::Doubtful(_));
        if run.fate == Fate::Missing || left_out {
            // A session begins with its own event; only where that is lost does something else come first.
            if let Some(origin) = origin.take() {
                writer.append(stamp, origin)?;
            }
            let next = salvage
                .event(last.saturating_add(1))
                .map_or(stamp, |event| event.stamp);
            let what = if left_out {
                "left out because they cannot be vouched for"
            } else {
                "missing"
            };
            let gap = Gap {
                from_utc_ns: stamp.utc_ns,
                to_utc_ns: next.utc_ns,
                reason: format!("{} of the damaged recording: {what}", numbers(first, last)),
            };
            writer.append(stamp, EventBody::Gap(gap))?;
            continue;
        }
        if let Fate::Doubtful(doubt) = run.fate {
            let text = format!(
                "{} of the damaged recording follow, which cannot be vouched for: {}",
                numbers(first, last),
                doubt.words()
            );
            let begins = first == 1
                && salvage
                    .event(1)
                    .is_some_and(|event| matches!(event.body, EventBody::Session(_)));
            if begins {
                origin = origin.map(|_| note(format!("{}; {text}", provenance(from, strict, found))));
            } else {
                if let Some(origin) = origin.take() {
                    writer.append(stamp, origin)?;
                }
                writer.append(stamp, note(text))?;
            }
        }
        for seq in first..=last {
            let Some(event) = salvage.event(seq) else { continue };
            stamp = event.stamp;
            let is_session = matches!(event.body, EventBody::Session(_));
            if !is_session && let Some(origin) = origin.take() {
                writer.append(stamp, origin)?;
            }
            writer.append(stamp, event.body)?;
            if is_session && let Some(origin) = origin.take() {
                writer.append(stamp, origin)?;
            }
            if writer.last_seq() - writer.committed() >= COMMIT_EVERY {
                writer.commit()?;
            }
        }
    }
    found.written = writer.close()?.last_seq;
    Ok(())
}

fn first_stamp(salvage: &Salvage) -> Stamp {
    let run = salvage.runs().iter().find(|run| run.fate != Fate::Missing);
    run.and_then(|run| salvage.event(run.span.0))
        .map_or(Stamp::default(), |event| event.stamp)
}
