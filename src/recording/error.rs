//! What can go wrong with a recording, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::fields::BadValue;

/// Why a recording was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file of that name is there already.
    #[error("{} exists already; give another name, or move it away (a recording is never overwritten)", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be created.
    #[error("cannot create {}: {source}; check that the folder exists and may be written to", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The SQLite of this program has a bug that damages files which are read while they are written.
    #[error(
        "this program was built with SQLite {found}, which can damage recordings; build it with {} or newer",
        super::schema::SQLITE_MINIMUM_TEXT
    )]
    UnsafeSqlite {
        /// The version in use.
        found: String,
    },
    /// The file cannot be written on.
    #[error("cannot go on in {}: {reason}; `interphase verify` says what is sound in it", path.display())]
    CannotGoOn {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The disk does not support what a recording needs.
    #[error("{} does not take write-ahead logging ({found}); record on a local disk and copy the file afterwards", path.display())]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The mode that SQLite fell back to.
        found: String,
    },
    /// SQLite reported an error. Nothing after the last successful commit is recorded.
    #[error("{}", not_written(path, *committed, source))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Number of the last event that is safely on disk; 0 where there is none, or nothing is known of events.
        committed: u64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// What was written could not be read again.
    #[error(
        "what was recorded could not be read again for its digest: {0}; `interphase verify` says what is sound"
    )]
    ReadAgain(#[from] ReadError),
    /// An earlier error ended the recording.
    #[error("{} is no longer written to since an earlier error; events up to number {committed} are safe", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Number of the last event that is safely on disk.
        committed: u64,
    },
    /// An event holds what a recording cannot hold.
    #[error("an event of kind {kind} cannot be recorded: {source}")]
    Event {
        /// The kind of event.
        kind: &'static str,
        /// The value that does not fit.
        source: BadValue,
    },
    /// The thread that writes could not be started, or ended without saying why.
    #[error("the recording thread {what}; events since the last commit may be missing from the recording")]
    Thread {
        /// What happened to it.
        what: String,
    },
}

/// What an error of SQLite means for what is recorded.
fn not_written(path: &Path, committed: u64, source: &rusqlite::Error) -> String {
    let file = path.display();
    if source.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
        let safe = match committed {
            0 => String::new(),
            last => format!("; events up to number {last} are safe"),
        };
        return format!(
            "{file} cannot be written (read-only: {source}), nothing was changed{safe}; allow writing to the file and \
             to its folder, or work on a copy"
        );
    }
    let safe = match committed {
        0 => "no event was written".to_owned(),
        last => format!("events up to number {last} are safe, later ones are not recorded"),
    };
    format!("writing {file} failed: {source}; {safe}; check the space on the disk and the disk itself")
}

/// Why a recording was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not there or cannot be opened.
    #[error("cannot open {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The file is something else.
    #[error("{} is not an Interphase recording: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What speaks against it.
        reason: String,
    },
    /// The file was written by a newer program.
    #[error("{} has recording format {found}, this program reads up to {supported}; use a newer interphase", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is understood.
        supported: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged: {reason}; `interphase verify` says where", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A row holds what no event has.
    #[error("event {seq} in table {table} of {} cannot be read: {source}; `interphase verify` says more", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// Number of the event.
        seq: i64,
        /// What is wrong with it.
        source: BadValue,
    },
    /// SQLite reported an error.
    #[error("reading {} failed: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl ReadError {
    /// What SQLite's complaint about a file means.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign {
                path,
                reason: "it is not an SQLite file".into(),
            },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                reason: source.to_string(),
            },
            _ => Self::Sqlite { path, source },
        }
    }
}
