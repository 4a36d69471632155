//! Whether a recording is whole and unchanged: every number there, every batch's hash as it was.

use std::path::Path;

use super::chain::{BatchHash, chain_beginning};
use super::error::ReadError;
use super::heads::StoredHead;
use super::reader::Reader;
use super::table::EVENT_TABLES;
use super::writer::{META_CHAIN_HASH, META_STATE_DIGEST, META_STATE_VERSION};
use crate::event::{Event, EventBody, Stamp};
use crate::state::HeadSource;

/// Events that are read at once; a batch may have more.
const CHUNK: u64 = 4096;
/// Batches whose rows are read at once.
const BATCHES: i64 = 512;

/// What is wrong with a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// SQLite's own check complains.
    #[error("the database is damaged: {0}")]
    Database(String),
    /// A batch of events is not what was written.
    #[error("events {first_seq} to {last_seq} (batch {batch}): {what}")]
    Batch {
        /// Number of the batch.
        batch: i64,
        /// Number of its first event.
        first_seq: u64,
        /// Number of its last event.
        last_seq: u64,
        /// When the batch began.
        from: Stamp,
        /// When the batch ended.
        to: Stamp,
        /// What does not match.
        what: String,
    },
    /// An attached file is not what was attached.
    #[error("the attached file {0} has been changed")]
    Attachment(String),
    /// There are events that no commit accounts for.
    #[error("there are {0} events beyond those that were committed")]
    Uncommitted(u64),
    /// A stored head is not what the events say.
    #[error("the head stored at event {0} is not what the events before it say")]
    Head(u64),
    /// The hash noted at closing is not that of the last batch.
    #[error(
        "the hash noted when the recording was closed is not that of its last batch: batches are missing at the end"
    )]
    End,
}

/// What a check of a recording found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Batches seen.
    pub batches: u64,
    /// Events seen.
    pub events: u64,
    /// Time of the first event and of the last.
    pub span: Option<[Stamp; 2]>,
    /// The last hash of the chain, as hexadecimal digits: to be compared with one kept elsewhere.
    pub chain_hash: String,
    /// Whether the recording was closed; one of a running or killed session was not.
    pub closed: bool,
    /// Whether the session said that it ended, and nobody has resumed it since.
    pub session_ended: bool,
    /// The digest of the state that was noted at closing, and the version of what it covers.
    pub noted_digest: Option<(String, String)>,
    /// What is wrong; nothing where the recording is sound.
    pub problems: Vec<Problem>,
}

impl Verified {
    /// Whether everything that was committed is there and unchanged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Where a recording that may be written on stood at one moment; all that is checked is what it held then.
struct Moment {
    /// Number of the last batch; none where there is none.
    batch: Option<i64>,
    /// Number of the last event.
    seq: u64,
    /// What was noted at closing.
    chain_hash: Option<String>,
    digest: Option<(String, String)>,
}

impl Moment {
    fn of(reader: &mut Reader) -> Result<Self, ReadError> {
        reader.with_connection(|connection| {
            let noted = |key| format!("(select value from meta where key = '{key}')");
            let sql = format!(
                "select (select id from batch order by id desc limit 1), (select last_seq from batch order by id desc \
                 limit 1), {}, {}, {}",
                noted(META_CHAIN_HASH),
                noted(META_STATE_VERSION),
                noted(META_STATE_DIGEST)
            );
            connection.query_row(&sql, [], |row| {
                let version: Option<String> = row.get(3)?;
                Ok(Self {
                    batch: row.get(0)?,
                    seq: row.get::<_, Option<i64>>(1)?.map_or(0, i64::cast_unsigned),
                    chain_hash: row.get(2)?,
                    digest: version.zip(row.get(4)?),
                })
            })
        })
    }
}

/// One row of the batch table.
struct Batch {
    id: i64,
    first_seq: u64,
    last_seq: u64,
    from: Stamp,
    to: Stamp,
    hash: Vec<u8>,
}

impl Batch {
    fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::Batch {
            batch: self.id,
            first_seq: self.first_seq,
            last_seq: self.last_seq,
            from: self.from,
            to: self.to,
            what: what.into(),
        }
    }
}

/// Checks a recording, finished or running, from its first event to its last.
///
/// # Errors
/// The file cannot be opened or is no recording. Damage inside it is reported, not an error.
pub fn verify(path: &Path) -> Result<Verified, ReadError> {
    verify_each(path, |_| {})
}

/// As [`verify`], and hands over the events in order as they are found to be what was written.
///
/// # Errors
/// As [`verify`].
pub fn verify_each(path: &Path, each: impl FnMut(&Event)) -> Result<Verified, ReadError> {
    let mut reader = Reader::open(path)?;
    let problems = database_problems(&mut reader);
    Ok(checked(&mut reader, problems, each))
}

/// As [`verify_each`], but without SQLite's own look at the file: its events and the hashes over them alone.
///
/// # Errors
/// As [`verify`].
pub fn checked_events(path: &Path, each: impl FnMut(&Event)) -> Result<Verified, ReadError> {
    Ok(checked(&mut Reader::open(path)?, Vec::new(), each))
}

fn checked(reader: &mut Reader, problems: Vec<Problem>, mut each: impl FnMut(&Event)) -> Verified {
    let mut verified = Verified {
        problems,
        ..Verified::default()
    };
    // Where the table cannot be read, SQLite's own look tells.
    let (stored, mut wrong_head) = reader.stored_heads().unwrap_or_default();
    let mut stored = stored.into_iter().peekable();
    let mut source = HeadSource::default();
    let mut take = |event: &Event| {
        source.apply(event);
        if let Some(head) = stored.next_if(|head| head.seq <= event.seq)
            && head != StoredHead::of(event.seq, &source)
        {
            wrong_head.get_or_insert(head.seq);
        }
        each(event);
    };
    if let Err(error) = check_contents(reader, &mut verified, &mut take) {
        verified.problems.push(Problem::Database(error.to_string()));
    }
    // After an event that is not what was written, a head need not be.
    if verified.is_sound() {
        verified.problems.extend(wrong_head.map(Problem::Head));
    }
    verified
}

fn database_problems(reader: &mut Reader) -> Vec<Problem> {
    let said: Result<Vec<String>, ReadError> = reader.with_connection(|connection| {
        let mut statement = connection.prepare("pragma integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get(0))?;
        lines.collect()
    });
    match said {
        Ok(lines) => lines
            .into_iter()
            .filter(|line| line != "ok")
            .map(Problem::Database)
            .collect(),
        Err(error) => vec![Problem::Database(error.to_string())],
    }
}

fn check_contents(
    reader: &mut Reader,
    verified: &mut Verified,
    each: &mut impl FnMut(&Event),
) -> Result<(), ReadError> {
    let attachments = reader.attachments()?;
    let noted = noted_attachment_hashes(reader)?;
    for (attachment, noted) in attachments.iter().zip(noted) {
        if attachment.content_hash().to_hex().as_str() != noted {
            verified
                .problems
                .push(Problem::Attachment(attachment.name.clone()));
        }
    }
    let moment = Moment::of(reader)?;
    let mut ahead = Ahead {
        last: moment.seq,
        ..Ahead::default()
    };
    let mut latest_elapsed_ns = i64::MIN;
    let mut previous = chain_beginning(&attachments);
    let mut next_seq = 1;
    let mut after_batch = i64::MIN;
    loop {
        let mut batches = batches_after(reader, after_batch)?;
        batches.retain(|batch| moment.batch.is_some_and(|last| batch.id <= last));
        if batches.is_empty() {
            break;
        }
        for batch in &batches {
            // Numbers that fall would be read again and again.
            if batch.id <= after_batch {
                let what = format!("it stands after commit {after_batch}");
                verified.problems.push(batch.problem(what));
                return Ok(());
            }
            after_batch = batch.id;
            verified.batches += 1;
            if batch.first_seq != next_seq || batch.last_seq < batch.first_seq {
                let what = format!("it should begin with event {next_seq}");
                verified.problems.push(batch.problem(what));
            }
            let chained = Chained {
                hash: previous,
                elapsed_ns: latest_elapsed_ns,
            };
            if let Err(what) = check_batch(reader, &mut ahead, batch, &chained, verified, each) {
                verified.problems.push(batch.problem(what));
            }
            latest_elapsed_ns = batch.to.elapsed_ns;
            next_seq = batch.last_seq.saturating_add(1);
            // Going on from the hash that stands there, a changed event spoils its own batch alone.
            if let Ok(hash) = <[u8; 32]>::try_from(batch.hash.as_slice()) {
                previous = blake3::Hash::from_bytes(hash);
            }
        }
    }
    verified.chain_hash = previous.to_hex().to_string();
    verified.closed = moment.chain_hash.is_some();
    if moment
        .chain_hash
        .is_some_and(|noted| noted != verified.chain_hash)
    {
        verified.problems.push(Problem::End);
    }
    verified.noted_digest = moment.digest;
    let beyond = rows_beyond(reader)?;
    if beyond > 0 {
        verified.problems.push(Problem::Uncommitted(beyond));
    }
    Ok(())
}

fn noted_attachment_hashes(reader: &mut Reader) -> Result<Vec<String>, ReadError> {
    reader.with_connection(|connection| {
        let mut statement = connection.prepare("select blake3 from attachment order by id")?;
        let hashes = statement.query_map([], |row| row.get(0))?;
        hashes.collect()
    })
}

/// The next rows of the batch table.
fn batches_after(reader: &mut Reader, id: i64) -> Result<Vec<Batch>, ReadError> {
    reader.with_connection(|connection| {
        let mut statement = connection.prepare_cached(
            "select id, first_seq, last_seq, first_utc_ns, last_utc_ns, first_elapsed_ns, last_elapsed_ns, hash \
             from batch where id > ?1 order by id limit ?2",
        )?;
        let rows = statement.query_map((id, BATCHES), |row| {
            Ok(Batch {
                id: row.get(0)?,
                first_seq: row.get::<_, i64>(1)?.cast_unsigned(),
                last_seq: row.get::<_, i64>(2)?.cast_unsigned(),
                from: Stamp {
                    utc_ns: row.get(3)?,
                    elapsed_ns: row.get(5)?,
                },
                to: Stamp {
                    utc_ns: row.get(4)?,
                    elapsed_ns: row.get(6)?,
                },
                hash: row.get(7)?,
            })
        })?;
        rows.collect()
    })
}

/// Events read ahead of the batch that is checked: small batches are not worth a look at every table each.
#[derive(Default)]
struct Ahead {
    events: Vec<Event>,
    /// The events are all those that stand in the file after this number,
    after: u64,
    /// and up to this one.
    until: u64,
    /// No event after this one is looked at: it may come while we read.
    last: u64,
}

impl Ahead {
    /// The events after one number and up to another.
    fn between(&mut self, reader: &mut Reader, after: u64, until: u64) -> Result<&[Event], ReadError> {
        if after < self.after || until > self.until {
            let limit = (until - after).max(CHUNK);
            let read =
                |limit: u64, reader: &mut Reader| reader.read(after, usize::try_from(limit).unwrap_or(1));
            let (events, until) = match read(limit, reader) {
                Ok(events) => (events, after.saturating_add(limit).min(self.last.max(until))),
                // Damage in a later batch must not be laid to this one.
                Err(_) => (read(until - after, reader)?, until),
            };
            *self = Self {
                events,
                after,
                until,
                last: self.last,
            };
        }
        let begin = self.events.partition_point(|event| event.seq <= after);
        let end = self.events.partition_point(|event| event.seq <= until);
        Ok(self.events.get(begin..end).unwrap_or_default())
    }
}

/// What a batch follows.
struct Chained {
    hash: blake3::Hash,
    /// The greatest time of any event before, since the session began.
    elapsed_ns: i64,
}

/// Checks one batch, and hands over its events where it is what was written; else what does not match.
fn check_batch(
    reader: &mut Reader,
    ahead: &mut Ahead,
    batch: &Batch,
    before: &Chained,
    verified: &mut Verified,
    each: &mut impl FnMut(&Event),
) -> Result<(), String> {
    let mut hash = BatchHash::after(&before.hash);
    let first = batch.first_seq.saturating_sub(1);
    let mut after = first;
    let mut latest_elapsed_ns = before.elapsed_ns;
    let mut stamps: Option<[Stamp; 2]> = None;
    while after < batch.last_seq {
        let until = batch.last_seq.min(after.saturating_add(CHUNK));
        let events = ahead.between(reader, after, until);
        let events = events.map_err(|error| error.to_string())?;
        let missing = (after + 1..=until)
            .zip(events.iter().map(|event| event.seq).chain(std::iter::repeat(0)))
            .find(|(wanted, found)| wanted != found);
        if let Some((seq, _)) = missing {
            return Err(format!("event {seq} is missing"));
        }
        for event in events {
            hash.add(event);
            // An amendment may come after the end.
            match event.body {
                EventBody::SessionEnded(_) => verified.session_ended = true,
                EventBody::Resumed(_) => verified.session_ended = false,
                _ => {}
            }
            latest_elapsed_ns = latest_elapsed_ns.max(event.stamp.elapsed_ns);
            let first = verified.span.map_or(event.stamp, |span| span[0]);
            verified.span = Some([first, event.stamp]);
            stamps = Some([stamps.map_or(event.stamp, |stamps| stamps[0]), event.stamp]);
        }
        verified.events += events.len() as u64;
        after = until;
    }
    if hash.finish().as_bytes().as_slice() != batch.hash {
        return Err("its values are not those that were written (the hash differs)".to_owned());
    }
    // By these times a moment is found, and no hash covers them.
    let same = stamps.is_some_and(|[first, last]| first == batch.from && last.utc_ns == batch.to.utc_ns);
    if !same || latest_elapsed_ns != batch.to.elapsed_ns {
        return Err("its times are not those of its events".to_owned());
    }
    // They are there still, unless the batch is larger than what is read at once.
    let mut after = first;
    while after < batch.last_seq {
        let until = batch.last_seq.min(after.saturating_add(CHUNK));
        let events = ahead.between(reader, after, until);
        events
            .map_err(|error| error.to_string())?
            .iter()
            .for_each(&mut *each);
        after = until;
    }
    Ok(())
}

/// Rows of a table beyond the last commit that are counted at most: pages of a damaged file may lead in a circle.
const MOST_BEYOND: u32 = 1_000_000;

/// Events with other numbers than the commits account for, at one moment.
pub(super) fn rows_beyond(reader: &mut Reader) -> Result<u64, ReadError> {
    let format = reader.format();
    let counts: Vec<String> = EVENT_TABLES
        .iter()
        .filter(|table| table.is_in(format))
        .map(|table| {
            format!(
                "(select count(*) from (select 1 from {0}, last where {0}.seq > last.seq limit {MOST_BEYOND})) + \
                 (select count(*) from {0} where seq < 1)",
                table.name
            )
        })
        .collect();
    let sql = format!(
        "with last(seq) as (select coalesce((select last_seq from batch order by id desc limit 1), 0)) select {}",
        counts.join(" + ")
    );
    let rows: i64 = reader.with_connection(|connection| connection.query_row(&sql, [], |row| row.get(0)))?;
    Ok(rows.cast_unsigned())
}
