//! Reading a recording, finished or still growing.

use std::path::{Path, PathBuf};

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Rows, Transaction, params_from_iter};

use super::chain::Attachment;
use super::connect::connect;
use super::decode::{attach, decode, decode_part};
use super::error::ReadError;
use super::fields::BadValue;
use super::table::{EVENT_TABLES, MAX_COLUMNS, PART_TABLES, POINT, SAMPLE, Table, WIRE};
use crate::event::{Event, EventBody};

/// Events that [`Events`] fetches at once.
const CHUNK: usize = 4096;

/// A recording that is read. It never holds a transaction open between calls, so that the file of a running session
/// does not grow for its sake, and lets go of the file after the event that ends the session, so that the session
/// can leave it in one piece; the next call opens it again.
pub struct Reader {
    path: PathBuf,
    connection: Option<Connection>,
    format: i64,
    selects: Vec<(&'static Table, String)>,
    /// Whether the event that ends the session was the last one read.
    at_end: bool,
}

impl Reader {
    /// Opens a recording. It may be of a running session, and may stand where nothing can be written.
    ///
    /// # Errors
    /// The file is not there, is something else, is damaged, or was written by a newer program.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let connection = connect(path)?;
        let format = connection
            .query_row("pragma user_version", [], |row| row.get(0))
            .map_err(|source| ReadError::from_sqlite(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            connection: Some(connection),
            format,
            selects: EVENT_TABLES
                .into_iter()
                .chain(PART_TABLES)
                .filter(|table| table.is_in(format))
                .map(|table| (table, table.select_sql(format)))
                .collect(),
            at_end: false,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of its format.
    pub(super) fn format(&self) -> i64 {
        self.format
    }

    /// Lets go of the file until the next call.
    pub fn release(&mut self) {
        self.connection = None;
    }

    /// Number of the last event that is safely on disk; 0 where there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_seq(&mut self) -> Result<u64, ReadError> {
        self.in_transaction(last_seq)
    }

    /// A number that changes when somebody else has committed something: polling it is cheap.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn data_version(&mut self) -> Result<i64, ReadError> {
        self.with_connection(|connection| {
            connection
                .prepare_cached("pragma data_version")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Events after the one with the number `after_seq`, in order, at most `limit`; fewer where there are no more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self, after_seq: u64, limit: usize) -> Result<Vec<Event>, ReadError> {
        self.connection()?;
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let events = fetch(&self.path, connection, &self.selects, after_seq, limit)?;
        if let Some(last) = events.last() {
            self.at_end = matches!(last.body, EventBody::SessionEnded(_));
        }
        self.release_at_end();
        Ok(events)
    }

    /// The same without lines of traffic, readings and points, which are nearly all of a recording: what is left
    /// makes the outline of the state. Of the numbers `after_seq + 1` to `until_seq`, which the caller has made sure
    /// are on disk.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_outline(&mut self, after_seq: u64, until_seq: u64) -> Result<Vec<Event>, ReadError> {
        self.connection()?;
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let many = [&WIRE, &SAMPLE, &POINT];
        let few: Vec<_> = self
            .selects
            .iter()
            .filter(|(table, _)| !many.iter().any(|other| std::ptr::eq(*other, *table)))
            .cloned()
            .collect();
        let limit = usize::try_from(until_seq.saturating_sub(after_seq)).unwrap_or(usize::MAX);
        fetch(&self.path, connection, &few, after_seq, limit)
    }

    /// The events of rows of one table that a query with whole numbers as parameters gives, in this order.
    pub(super) fn rows<const N: usize>(
        &mut self,
        table: &'static Table,
        order: Order,
        sql: &str,
        parameters: [i64; N],
    ) -> Result<Vec<Event>, ReadError> {
        self.connection()?;
        let Some(connection) = &self.connection else {
            return Ok(Vec::new());
        };
        let path = &self.path;
        let wrong = |source| ReadError::from_sqlite(path, source);
        let mut statement = connection.prepare_cached(sql).map_err(wrong)?;
        let rows = statement.query(params_from_iter(parameters)).map_err(wrong)?;
        let mut run = Run::begin(table, rows, order).map_err(wrong)?;
        let mut events = Vec::new();
        while let Some(event) = decoded(path, &run, decode)? {
            events.push(event);
            run.advance().map_err(wrong)?;
        }
        Ok(events)
    }

    /// All events after the one with the number `after_seq` that are on disk when the iteration comes to them.
    pub fn events(&mut self, after_seq: u64) -> Events<'_> {
        Events {
            reader: self,
            fetched: Vec::new().into_iter(),
            after_seq,
            until_seq: u64::MAX,
            ended: false,
        }
    }

    /// A fact about the session that is not an event.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn meta(&mut self, key: &str) -> Result<Option<String>, ReadError> {
        self.with_connection(|connection| {
            connection
                .query_row("select value from meta where key = ?", [key], |row| row.get(0))
                .optional()
        })
    }

    /// All facts about the session that are not events, ordered by key.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all_meta(&mut self) -> Result<Vec<(String, String)>, ReadError> {
        self.with_connection(|connection| {
            let mut statement = connection.prepare("select key, value from meta order by key")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// The files that belong to the session, in the order in which they were attached.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn attachments(&mut self) -> Result<Vec<Attachment>, ReadError> {
        self.with_connection(|connection| {
            let mut statement =
                connection.prepare("select name, media_type, bytes from attachment order by id")?;
            let rows = statement.query_map([], |row| {
                Ok(Attachment {
                    name: row.get(0)?,
                    media_type: row.get(1)?,
                    bytes: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The connection, opened where it was let go.
    fn connection(&mut self) -> Result<&mut Connection, ReadError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// A session that has ended is about to leave its file in one piece, which it cannot while we have it open.
    fn release_at_end(&mut self) {
        if self.at_end {
            self.release();
        }
    }

    pub(super) fn with_connection<T>(
        &mut self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let answer = ask(self.connection()?);
        self.release_at_end();
        answer.map_err(|source| ReadError::from_sqlite(&self.path, source))
    }

    pub(super) fn in_transaction<T>(
        &mut self,
        ask: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let answer = self
            .connection()?
            .transaction()
            .and_then(|transaction| ask(&transaction));
        self.release_at_end();
        answer.map_err(|source| ReadError::from_sqlite(&self.path, source))
    }
}

/// Events in order, fetched in chunks, each in a short transaction of its own.
pub struct Events<'r> {
    reader: &'r mut Reader,
    fetched: std::vec::IntoIter<Event>,
    after_seq: u64,
    until_seq: u64,
    ended: bool,
}

impl Events<'_> {
    /// Ends after the event with that number.
    #[must_use]
    pub fn until(mut self, seq: u64) -> Self {
        self.until_seq = seq;
        self
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fetched.len() == 0 && !self.ended {
            let wanted = self.until_seq.saturating_sub(self.after_seq);
            let limit = usize::try_from(wanted).unwrap_or(CHUNK).min(CHUNK);
            match self.reader.read(self.after_seq, limit) {
                Ok(events) => {
                    self.after_seq = events.last().map_or(self.after_seq, |event| event.seq);
                    self.ended = events.is_empty();
                    self.fetched = events.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        self.fetched.next().map(Ok)
    }
}

pub(super) fn last_seq(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let last: Option<i64> = transaction
        .prepare_cached("select last_seq from batch order by id desc limit 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// The values of a row, borrowed from it.
fn values_of<'r>(row: &'r Row<'_>, table: &Table) -> rusqlite::Result<[ValueRef<'r>; MAX_COLUMNS]> {
    let mut values = [ValueRef::Null; MAX_COLUMNS];
    for (index, value) in values.iter_mut().take(table.width()).enumerate() {
        *value = row.get_ref(index)?;
    }
    Ok(values)
}

/// Rows of a fit more than which no fit has.
const MOST_PARTS: u32 = 10_000;

/// The order in which rows of a table must come.
///
/// Where a page of a damaged file leads back to an earlier one, SQLite gives the same rows again and again without end;
/// rows out of their order tell.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// Each event once.
    Events,
    /// Several rows an event.
    Parts,
    /// As a query asks for it that says how many.
    Asked,
}

/// The rows of one table.
struct Run<'s> {
    table: &'static Table,
    rows: Rows<'s>,
    order: Order,
    /// Number of the event of the row that stands before us; none at the end.
    seq: Option<i64>,
    /// Rows of the same number so far.
    same: u32,
}

impl<'s> Run<'s> {
    /// At its first row.
    fn begin(table: &'static Table, rows: Rows<'s>, order: Order) -> rusqlite::Result<Self> {
        let mut run = Self {
            table,
            rows,
            order,
            seq: None,
            same: 0,
        };
        run.advance()?;
        Ok(run)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        let before = self.seq;
        self.seq = match self.rows.next()? {
            // Damage may have put anything there; it is told when the row is read.
            Some(row) => Some(row.get_ref(0)?.as_i64().unwrap_or(-1)),
            None => None,
        };
        self.same = if self.seq == before { self.same + 1 } else { 0 };
        let in_order = match (self.order, before, self.seq) {
            (Order::Events, Some(before), Some(seq)) => before < seq,
            (Order::Parts, Some(before), Some(seq)) => before <= seq && self.same < MOST_PARTS,
            _ => true,
        };
        if in_order {
            return Ok(());
        }
        let text = format!("rows of table {} come more than once", self.table.name);
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(corrupt, Some(text)))
    }
}

/// The next events: each table gives its rows in order, and these runs are merged by number.
///
/// Nothing here is sized by a number from the file, which may be damaged.
fn fetch(
    path: &Path,
    connection: &mut Connection,
    selects: &[(&'static Table, String)],
    after_seq: u64,
    limit: usize,
) -> Result<Vec<Event>, ReadError> {
    let wrong = |source| ReadError::from_sqlite(path, source);
    let transaction = connection.transaction().map_err(wrong)?;
    let last = last_seq(&transaction).map_err(wrong)?;
    let until = last.min(after_seq.saturating_add(limit as u64));
    if until <= after_seq {
        return Ok(Vec::new());
    }
    let span = (after_seq.cast_signed(), until.cast_signed());
    let mut statements = selects
        .iter()
        .map(|(table, sql)| Ok((*table, transaction.prepare_cached(sql)?)))
        .collect::<rusqlite::Result<Vec<_>>>()
        .map_err(wrong)?;
    let (mut runs, mut part_runs) = (Vec::new(), Vec::new());
    for (table, statement) in &mut statements {
        let of_parts = PART_TABLES.iter().any(|part| std::ptr::eq(*part, *table));
        let order = if of_parts { Order::Parts } else { Order::Events };
        let rows = statement.query(span).map_err(wrong)?;
        let run = Run::begin(table, rows, order).map_err(wrong)?;
        match (run.seq, order) {
            (None, _) => {}
            (Some(_), Order::Parts) => part_runs.push(run),
            (Some(_), _) => runs.push(run),
        }
    }
    let mut events: Vec<Event> = Vec::new();
    loop {
        let next = runs.iter_mut().filter(|run| run.seq.is_some());
        let Some(run) = next.min_by_key(|run| run.seq) else {
            break;
        };
        events.extend(decoded(path, run, decode)?);
        run.advance().map_err(wrong)?;
    }
    for run in &mut part_runs {
        while let Some((fit_seq, part)) = decoded(path, run, decode_part)? {
            if let Ok(place) = events.binary_search_by_key(&fit_seq, |event| event.seq) {
                attach(&mut events[place], part);
            }
            run.advance().map_err(wrong)?;
        }
    }
    Ok(events)
}

/// What the row that stands before us says; none at the end.
fn decoded<T>(
    path: &Path,
    run: &Run<'_>,
    decode: impl FnOnce(&'static Table, &[ValueRef<'_>]) -> Result<T, BadValue>,
) -> Result<Option<T>, ReadError> {
    let (Some(seq), Some(row)) = (run.seq, run.rows.get()) else {
        return Ok(None);
    };
    let values = values_of(row, run.table).map_err(|source| ReadError::from_sqlite(path, source))?;
    let said = decode(run.table, &values[..run.table.width()]);
    said.map(Some).map_err(|source| ReadError::Row {
        path: path.to_path_buf(),
        table: run.table.name,
        seq,
        source,
    })
}
