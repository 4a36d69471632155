//! Writing a recording: events are appended in an open transaction, and safe on disk once it is committed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension};

use super::chain::{Attachment, BatchHash, chain_beginning};
use super::decode::canonical;
use super::encode::encode;
use super::error::WriteError;
use super::file::{beside, checkpoint, create_file, open_to_write, settle_patiently};
use super::heads::{HEAD_EVENTS, StoredHead};
use super::reader::Reader;
use super::schema;
use super::table::{EVENT_TABLES, PART_TABLES, Table};
use super::verify::rows_beyond;
use crate::event::{Event, EventBody, Stamp};
use crate::state::{HeadSource, State};

/// What a recording begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Facts about the session that are not events: session id, program and system versions.
    pub meta: Vec<(String, String)>,
    /// Files that belong to the session: profiles, protocols, calibrations.
    pub attachments: Vec<Attachment>,
}

/// Events that are safely on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Number of the first event of the batch.
    pub first_seq: u64,
    /// Number of the last event of the batch: everything up to it is on disk.
    pub last_seq: u64,
}

/// How a recording was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Number of the last event.
    pub last_seq: u64,
    /// The last hash of the chain: it stands for the whole recording.
    pub chain_hash: blake3::Hash,
    /// Whether the file now stands alone. It does not while somebody else has it open; it is sound then too, but
    /// keeps its `-wal` file beside it until [`super::settle`] succeeds.
    pub settled: bool,
}

/// How long closing waits for readers to let go of the file.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// The key in `meta` of the last hash of a recording that was closed.
pub const META_CHAIN_HASH: &str = "chain_hash";
/// The key in `meta` of the digest of the state that the session itself arrived at.
pub const META_STATE_DIGEST: &str = "state_digest";
/// The key in `meta` of the version of what that digest covers.
pub const META_STATE_VERSION: &str = "state_version";

/// Facts that are noted when a recording is closed, and are no longer true once it goes on.
const FACTS_OF_CLOSING: [&str; 3] = [META_CHAIN_HASH, META_STATE_DIGEST, META_STATE_VERSION];

/// A recording that is being written.
///
/// Only one writer may have the file, and in a process that has it open nobody may open it but through SQLite:
/// closing any other handle of it would drop SQLite's locks.
pub struct Writer {
    connection: Connection,
    path: PathBuf,
    inserts: Vec<(&'static Table, String)>,
    batch: Option<OpenBatch>,
    chain: blake3::Hash,
    committed: u64,
    last_elapsed_ns: i64,
    failed: bool,
    /// Whether the facts noted at an earlier closing still stand there. They go with the next commit.
    was_closed: bool,
    /// What the head of the state is made of, up to the last event appended.
    source: HeadSource,
    /// Number of the event from which on the next head is due, and events from one to the next.
    next_head: u64,
    head_events: u64,
}

/// Where a recording ends.
struct End {
    hash: blake3::Hash,
    seq: u64,
    elapsed_ns: i64,
}

impl End {
    fn before_the_first(attachments: &[Attachment]) -> Self {
        Self {
            hash: chain_beginning(attachments),
            seq: 0,
            elapsed_ns: i64::MIN,
        }
    }

    /// The end of the last batch; none where there is no batch.
    fn of(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .query_row(
                "select hash, last_seq, last_elapsed_ns from batch order by id desc limit 1",
                [],
                |row| {
                    Ok(Self {
                        hash: blake3::Hash::from_bytes(row.get::<_, [u8; 32]>(0)?),
                        seq: row.get::<_, i64>(1)?.cast_unsigned(),
                        elapsed_ns: row.get(2)?,
                    })
                },
            )
            .optional()
    }
}

/// Switches write-ahead logging on in a file that holds events up to this number.
fn write_ahead(connection: &Connection, path: &Path, committed: u64) -> Result<(), WriteError> {
    let mode: rusqlite::Result<String> =
        connection.query_row("pragma journal_mode = wal", [], |row| row.get(0));
    match mode {
        Ok(mode) if mode == "wal" => Ok(()),
        Ok(found) => Err(WriteError::NoWriteAheadLog {
            path: path.to_path_buf(),
            found,
        }),
        Err(source) => Err(WriteError::Sqlite {
            path: path.to_path_buf(),
            committed,
            source,
        }),
    }
}

/// An event exactly as it will be read back.
pub(super) fn prepared(seq: u64, stamp: Stamp, body: EventBody) -> Result<Event, WriteError> {
    let event = Event { seq, stamp, body };
    canonical(&event).map_err(|source| WriteError::Event {
        kind: event.body.kind(),
        source,
    })
}

/// The events since the last commit.
struct OpenBatch {
    hash: BatchHash,
    first_seq: u64,
    last_seq: u64,
    first: Stamp,
    last: Stamp,
    /// The latest elapsed time of any event so far, in this batch or before.
    latest_elapsed_ns: i64,
}

impl Writer {
    /// Creates a recording, readable and writable by its owner alone.
    ///
    /// # Errors
    /// A file of that name (or what is left of one) exists, the file cannot be created, or the disk does not
    /// support write-ahead logging.
    pub fn create(path: &Path, opening: &Opening) -> Result<Self, WriteError> {
        if rusqlite::version_number() < schema::SQLITE_MINIMUM {
            return Err(WriteError::UnsafeSqlite {
                found: rusqlite::version().to_owned(),
            });
        }
        for leftover in ["-wal", "-shm", "-journal"].map(|ending| beside(path, ending)) {
            if leftover.symlink_metadata().is_ok() {
                return Err(WriteError::Exists { path: leftover });
            }
        }
        create_file(path)?;
        let writer = Self::create_in(path, opening);
        if writer.is_err() {
            // The file is ours and holds nothing: left behind it would only be in the way of the next attempt.
            for ending in ["-wal", "-shm", "-journal", ""] {
                let _ = std::fs::remove_file(beside(path, ending));
            }
        }
        writer
    }

    /// The recording in a file that is there and empty.
    fn create_in(path: &Path, opening: &Opening) -> Result<Self, WriteError> {
        let wrong = |source| WriteError::Sqlite {
            path: path.to_path_buf(),
            committed: 0,
            source,
        };
        let connection = open_to_write(path).map_err(wrong)?;
        write_ahead(&connection, path, 0)?;
        schema::create(&connection).map_err(wrong)?;
        store_opening(&connection, opening).map_err(wrong)?;
        checkpoint(&connection).map_err(wrong)?;
        Ok(Self::after(
            connection,
            path,
            End::before_the_first(&opening.attachments),
        ))
    }

    /// Goes on in a recording that nobody writes any more: what a session that was cut off had committed stands,
    /// and the next event gets the next number. From the first commit on it no longer counts as closed.
    ///
    /// What stands there is believed; [`super::verify`] says whether it is to be.
    ///
    /// # Errors
    /// The file is no recording or of a newer program, cannot be written, or ends in something else than a commit.
    pub fn go_on(path: &Path) -> Result<Self, WriteError> {
        let unfit = |reason: String| WriteError::CannotGoOn {
            path: path.to_path_buf(),
            reason,
        };
        let mut reader = Reader::open(path).map_err(|error| unfit(error.to_string()))?;
        let beyond = rows_beyond(&mut reader).map_err(|error| unfit(error.to_string()))?;
        if beyond > 0 {
            return Err(unfit(format!(
                "it has {beyond} events beyond those that were committed"
            )));
        }
        let committed = reader.last_seq().map_err(|error| unfit(error.to_string()))?;
        let attachments = reader.attachments().map_err(|error| unfit(error.to_string()))?;
        let source = reader.head_source().map_err(|error| unfit(error.to_string()))?;
        drop(reader);
        let wrong = |source| WriteError::Sqlite {
            path: path.to_path_buf(),
            committed,
            source,
        };
        let connection = open_to_write(path).map_err(wrong)?;
        write_ahead(&connection, path, committed)?;
        schema::upgrade(&connection).map_err(wrong)?;
        let end = End::of(&connection).map_err(wrong)?;
        let end = end.unwrap_or_else(|| End::before_the_first(&attachments));
        let next_head = end.seq + HEAD_EVENTS;
        Ok(Self {
            was_closed: true,
            source,
            next_head,
            ..Self::after(connection, path, end)
        })
    }

    fn after(connection: Connection, path: &Path, end: End) -> Self {
        Self {
            connection,
            path: path.to_path_buf(),
            inserts: EVENT_TABLES
                .into_iter()
                .chain(PART_TABLES)
                .map(|table| (table, table.insert_sql()))
                .collect(),
            batch: None,
            chain: end.hash,
            committed: end.seq,
            last_elapsed_ns: end.elapsed_ns,
            failed: false,
            was_closed: false,
            source: HeadSource::default(),
            next_head: HEAD_EVENTS,
            head_events: HEAD_EVENTS,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the last event that is safely on disk; 0 before the first.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Number of the last event appended, committed or not; 0 before the first.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.batch.as_ref().map_or(self.committed, |batch| batch.last_seq)
    }

    /// The event that will be appended next, exactly as it will be read back: with its number, one NaN (none where
    /// the value is optional), and zero without a sign.
    ///
    /// # Errors
    /// A value that a recording cannot hold.
    pub fn prepare(&self, stamp: Stamp, body: EventBody) -> Result<Event, WriteError> {
        prepared(self.last_seq() + 1, stamp, body)
    }

    /// Appends an event and gives it the next number. It is safe after the next [`Writer::commit`].
    ///
    /// # Errors
    /// SQLite's, after which the writer is failed: nothing since the last commit is recorded.
    pub fn append(&mut self, stamp: Stamp, body: EventBody) -> Result<u64, WriteError> {
        let event = Event {
            seq: self.last_seq() + 1,
            stamp,
            body,
        };
        self.append_event(&event)?;
        Ok(event.seq)
    }

    /// Appends an event that [`Writer::prepare`] made, and no other has been appended since.
    ///
    /// # Errors
    /// The disk fails, or the event has not the next number.
    pub fn append_event(&mut self, event: &Event) -> Result<(), WriteError> {
        self.refuse_if_failed()?;
        let stored = self.insert(event);
        stored.map_err(|source| self.fail(source))
    }

    fn insert(&mut self, event: &Event) -> rusqlite::Result<()> {
        if self.batch.is_none() {
            self.connection.prepare_cached("begin immediate")?.execute([])?;
            self.refuse_a_second_writer()?;
        }
        let batch = self.batch.get_or_insert_with(|| OpenBatch {
            hash: BatchHash::after(&self.chain),
            first_seq: event.seq,
            last_seq: event.seq,
            first: event.stamp,
            last: event.stamp,
            latest_elapsed_ns: self.last_elapsed_ns,
        });
        self.source.apply(event);
        batch.last_seq = event.seq;
        batch.last = event.stamp;
        batch.latest_elapsed_ns = batch.latest_elapsed_ns.max(event.stamp.elapsed_ns);
        let (connection, inserts) = (&self.connection, &self.inserts);
        encode(event, &mut |table, values| {
            batch.hash.add_row(table, values);
            let sql = inserts
                .iter()
                .find(|(of_table, _)| std::ptr::eq(*of_table, table))
                .map_or("", |(_, sql)| sql);
            let mut statement = connection.prepare_cached(sql)?;
            for (place, value) in values.iter().enumerate() {
                // A parameter that nothing is bound to is null.
                if *value != ValueRef::Null {
                    let value = ToSqlOutput::Borrowed(*value);
                    statement.raw_bind_parameter(place + 1, value)?;
                }
            }
            statement.raw_execute()?;
            Ok(())
        })
    }

    /// Puts everything appended safely on disk; none where there was nothing to do.
    ///
    /// # Errors
    /// SQLite's, after which the writer is failed: nothing since the last commit counts as recorded.
    pub fn commit(&mut self) -> Result<Option<Committed>, WriteError> {
        self.refuse_if_failed()?;
        let Some(batch) = &self.batch else {
            return Ok(None);
        };
        let hash = batch.hash.finish();
        let (first_seq, last_seq) = (batch.first_seq, batch.last_seq);
        let latest_elapsed_ns = batch.latest_elapsed_ns;
        let outdated = if self.was_closed {
            &FACTS_OF_CLOSING[..]
        } else {
            &[]
        };
        let head = (last_seq >= self.next_head).then(|| StoredHead::of(last_seq, &self.source));
        let stored = head
            .iter()
            .try_for_each(|head| head.store(&self.connection))
            .and_then(|()| store_batch(&self.connection, batch, &hash, outdated));
        stored.map_err(|source| self.fail(source))?;
        if head.is_some() {
            self.next_head = last_seq + self.head_events;
        }
        self.was_closed = false;
        self.batch = None;
        self.chain = hash;
        self.committed = last_seq;
        self.last_elapsed_ns = latest_elapsed_ns;
        Ok(Some(Committed { first_seq, last_seq }))
    }

    /// Commits, and gives the digest of a state that has seen all events so far; what it does not hold is read again.
    ///
    /// # Errors
    /// As [`Writer::commit`], or what was written cannot be read.
    pub fn digest_of(&mut self, state: &State) -> Result<String, WriteError> {
        self.commit()?;
        Ok(state.digest_with(&mut Reader::open(&self.path)?)?)
    }

    /// Keeps a fact about the session that is not an event, such as the digest of its state. It is on disk on return,
    /// and so is everything appended before.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), WriteError> {
        self.commit()?;
        let stored = store_meta(&self.connection, key, value);
        stored.map_err(|source| self.fail(source))
    }

    /// Commits, and leaves one file that stands alone: it can be copied, and read where nothing may be written.
    ///
    /// Waits up to two seconds for readers to let go of it.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn close(mut self) -> Result<Closed, WriteError> {
        self.commit()?;
        let hash_text = self.chain.to_hex().to_string();
        self.set_meta(META_CHAIN_HASH, &hash_text)?;
        let settled = settle_patiently(&self.connection, CLOSE_PATIENCE);
        let settled = settled.map_err(|source| self.fail(source))?;
        Ok(Closed {
            last_seq: self.committed,
            chain_hash: self.chain,
            settled,
        })
    }

    /// Puts everything that stands in the write-ahead log into the database itself, and that on disk; false while a
    /// reader is in the way.
    ///
    /// After a failed sync the system may take pages for written that are not; written again elsewhere they are.
    pub(super) fn write_again(&mut self) -> Result<bool, WriteError> {
        let done = self
            .connection
            .query_row("pragma wal_checkpoint(full)", [], |row| {
                let [busy, in_log, moved]: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                Ok(busy == 0 && in_log == moved)
            });
        done.map_err(|source| self.fail(source))
    }

    /// Keeps a head of the state after so many events.
    #[cfg(test)]
    pub(super) fn heads_each(&mut self, events: u64) {
        (self.next_head, self.head_events) = (self.committed + events, events);
    }

    /// Gives up what makes a commit durable.
    #[cfg(test)]
    pub(super) fn without_sync(&self) {
        self.connection
            .execute_batch("pragma synchronous = normal")
            .unwrap();
    }

    /// Makes every further page an error, as a full disk does.
    #[cfg(test)]
    pub(super) fn fill_disk(&self) {
        let pages: i64 = self
            .connection
            .query_row("pragma page_count", [], |row| row.get(0))
            .unwrap();
        let sql = format!("pragma max_page_count = {pages}");
        self.connection.query_row(&sql, [], |_| Ok(())).unwrap();
    }

    /// In an open transaction: that the file ends where this writer left it. Two writers would each continue the
    /// chain from the same hash.
    fn refuse_a_second_writer(&self) -> rusqlite::Result<()> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("select last_seq from batch order by id desc limit 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let last = last.map_or(0, i64::cast_unsigned);
        if last == self.committed {
            return Ok(());
        }
        Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some(format!(
                "another program has written to the file: it ends at event {last}, not at {}",
                self.committed
            )),
        ))
    }

    fn refuse_if_failed(&self) -> Result<(), WriteError> {
        if self.failed {
            return Err(WriteError::Failed {
                path: self.path.clone(),
                committed: self.committed,
            });
        }
        Ok(())
    }

    /// Gives the recording up: what is in the open transaction is not retried, because after a failed sync nobody
    /// knows what the disk holds.
    fn fail(&mut self, source: rusqlite::Error) -> WriteError {
        self.failed = true;
        self.batch = None;
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("rollback");
        }
        WriteError::Sqlite {
            path: self.path.clone(),
            committed: self.committed,
            source,
        }
    }
}

fn store_opening(connection: &Connection, opening: &Opening) -> rusqlite::Result<()> {
    connection.execute_batch("begin immediate")?;
    for (key, value) in &opening.meta {
        store_meta(connection, key, value)?;
    }
    for attachment in &opening.attachments {
        connection.execute(
            "insert into attachment (name, media_type, blake3, bytes) values (?, ?, ?, ?)",
            (
                &attachment.name,
                &attachment.media_type,
                attachment.content_hash().to_hex().as_str(),
                &attachment.bytes,
            ),
        )?;
    }
    connection.execute_batch("commit")
}

fn store_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let sql =
        "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value";
    connection.prepare_cached(sql)?.execute((key, value))?;
    Ok(())
}

fn store_batch(
    connection: &Connection,
    batch: &OpenBatch,
    hash: &blake3::Hash,
    outdated: &[&str],
) -> rusqlite::Result<()> {
    for key in outdated {
        connection.execute("delete from meta where key = ?", [key])?;
    }
    let sql = "insert into batch (first_seq, last_seq, first_utc_ns, last_utc_ns, first_elapsed_ns, last_elapsed_ns, \
               hash) values (?, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(sql)?.execute((
        batch.first_seq.cast_signed(),
        batch.last_seq.cast_signed(),
        batch.first.utc_ns,
        batch.last.utc_ns,
        batch.first.elapsed_ns,
        batch.latest_elapsed_ns,
        hash.as_bytes(),
    ))?;
    connection.prepare_cached("commit")?.execute([])?;
    Ok(())
}
