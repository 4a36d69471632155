//! Finding places in a recording without reading it: a few index probes each, however long it is.

use rusqlite::{OptionalExtension, Transaction};

use super::clock::Position;
use super::error::ReadError;
use super::reader::{Reader, last_seq};
use super::table::EVENT_TABLES;
use crate::event::Stamp;

/// One sweep, as far as its beginning and end tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepSpan {
    /// Number of the sweep.
    pub sweep: u32,
    /// Number of the event that began it.
    pub started_seq: u64,
    /// Elapsed nanoseconds when it began.
    pub started_elapsed_ns: i64,
    /// Number of the event that ended it; none where it runs or was cut off.
    pub ended_seq: Option<u64>,
}

/// All events in a span of numbers, `?1` to `?2`, whichever table of this version of the format they are in.
fn events_between(format: i64, columns: &str) -> String {
    let selects: Vec<String> = EVENT_TABLES
        .iter()
        .filter(|table| table.is_in(format))
        .map(|table| format!("select {columns} from {} where seq between ?1 and ?2", table.name))
        .collect();
    selects.join(" union all ")
}

/// The last event that has happened when that much time has passed: all up to it have, the next has not.
fn seq_at_elapsed(transaction: &Transaction<'_>, format: i64, elapsed_ns: i64) -> rusqlite::Result<u64> {
    // `last_elapsed_ns` never falls, so the first batch over the time holds the first event over it.
    let batch: Option<(i64, i64)> = transaction
        .prepare_cached(
            "select first_seq, last_seq from batch where last_elapsed_ns > ? order by last_elapsed_ns, id limit 1",
        )?
        .query_row([elapsed_ns], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((first, last)) = batch else {
        return last_seq(transaction);
    };
    let sql = format!(
        "select min(seq) from ({}) where elapsed_ns > ?3",
        events_between(format, "seq, elapsed_ns")
    );
    let next: Option<i64> = transaction
        .prepare_cached(&sql)?
        .query_row([first, last, elapsed_ns], |row| row.get(0))?;
    Ok(next.unwrap_or(first).saturating_sub(1).cast_unsigned())
}

fn stamp_of(transaction: &Transaction<'_>, format: i64, seq: u64) -> rusqlite::Result<Option<Stamp>> {
    if seq > last_seq(transaction)? {
        return Ok(None);
    }
    let seq = seq.cast_signed();
    transaction
        .prepare_cached(&events_between(format, "utc_ns, elapsed_ns"))?
        .query_row([seq, seq], |row| {
            Ok(Stamp {
                utc_ns: row.get(0)?,
                elapsed_ns: row.get(1)?,
            })
        })
        .optional()
}

impl Reader {
    /// Number of the last event that has happened `elapsed_ns` after the beginning; 0 before the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn seq_at_elapsed(&mut self, elapsed_ns: i64) -> Result<u64, ReadError> {
        let format = self.format();
        self.in_transaction(|transaction| seq_at_elapsed(transaction, format, elapsed_ns))
    }

    /// Number of the last event to be shown at a position of the replay clock.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn seq_at(&mut self, position: Position) -> Result<u64, ReadError> {
        match position.seq {
            Some(seq) => Ok(seq),
            None => self.seq_at_elapsed(position.elapsed_ns),
        }
    }

    /// When an event happened; none where there is no such event.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stamp_of(&mut self, seq: u64) -> Result<Option<Stamp>, ReadError> {
        let format = self.format();
        self.in_transaction(|transaction| stamp_of(transaction, format, seq))
    }

    /// Number of the event with which a sweep began; none where it did not.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn seq_of_sweep(&mut self, sweep: u32) -> Result<Option<u64>, ReadError> {
        let seq: Option<i64> = self.with_connection(|connection| {
            connection
                .prepare_cached("select min(seq) from sweep where sweep = ? and what = 'started'")?
                .query_row([sweep], |row| row.get(0))
        })?;
        Ok(seq.map(i64::cast_unsigned))
    }

    /// Number and time of the first event and of the last; none where there are no events.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn span(&mut self) -> Result<Option<[(u64, Stamp); 2]>, ReadError> {
        let format = self.format();
        self.in_transaction(|transaction| {
            let last = last_seq(transaction)?;
            let first = stamp_of(transaction, format, 1)?;
            let end = stamp_of(transaction, format, last)?;
            Ok(first.zip(end).map(|(first, end)| [(1, first), (last, end)]))
        })
    }

    /// The sweeps, in the order in which they began.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn sweeps(&mut self) -> Result<Vec<SweepSpan>, ReadError> {
        self.with_connection(|connection| {
            let mut statement = connection.prepare_cached(
                "select s.sweep, s.seq, s.elapsed_ns, (select min(e.seq) from sweep e where e.sweep = s.sweep \
                 and e.what = 'ended' and e.seq > s.seq) from sweep s where s.what = 'started' order by s.seq",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SweepSpan {
                    sweep: row.get(0)?,
                    started_seq: row.get::<_, i64>(1)?.cast_unsigned(),
                    started_elapsed_ns: row.get(2)?,
                    ended_seq: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                })
            })?;
            rows.collect()
        })
    }
}
