//! Heads of the state at intervals, so that a moment in a long recording is reached without folding all before it.
//!
//! A row names the few events that the head at its number is made of, and the sums over all traffic before. Rows are
//! derived from the events: they are not covered by the hash chain, `verify` compares them with the events, and a
//! recording may be without any.

use rusqlite::{Connection, OptionalExtension};

use super::error::ReadError;
use super::reader::{Order, Reader};
use super::table::{POINT, SAMPLE, WIRE};
use crate::event::{Event, EventBody, Stamp};
use crate::state::{HEAD_WIRE_LINES, Head, HeadSource, PointRow, Rows, STATE_VERSION, SampleRecord};

/// Events from one head to the next.
pub(super) const HEAD_EVENTS: u64 = 10_000;

/// Rows that are asked for at once.
const CHUNK: usize = 4096;
/// More heads than any recording has: one in some thousand events.
const MOST_HEADS: i64 = 10_000_000;

/// A head as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHead {
    /// Number of the event after which it stands.
    pub seq: u64,
    /// Bytes sent so far.
    pub tx_bytes: u64,
    /// Bytes received so far.
    pub rx_bytes: u64,
    /// Numbers of the events that it is made of, in order.
    pub events: Vec<u64>,
}

impl StoredHead {
    /// The head after that event.
    pub(super) fn of(seq: u64, source: &HeadSource) -> Self {
        Self {
            seq,
            tx_bytes: source.tx_bytes,
            rx_bytes: source.rx_bytes,
            events: source.events(),
        }
    }

    /// Puts the head into the open transaction.
    pub(super) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        let events = serde_json::Value::from(self.events.clone()).to_string();
        connection
            .prepare_cached("insert or replace into head values (?, ?, ?, ?, ?)")?
            .execute((
                self.seq.cast_signed(),
                STATE_VERSION,
                self.tx_bytes.cast_signed(),
                self.rx_bytes.cast_signed(),
                events,
            ))?;
        Ok(())
    }
}

impl Reader {
    /// The last stored head up to a number; none where there is none that today's state is made of.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stored_head(&mut self, until: u64) -> Result<Option<StoredHead>, ReadError> {
        let last = self.last_seq()?;
        let until = until.min(last).min(i64::MAX as u64).cast_signed();
        let row = self.with_connection(|connection| {
            let there = "select 1 from sqlite_schema where type = 'table' and name = 'head'";
            if !connection.prepare_cached(there)?.exists([])? {
                return Ok(None);
            }
            let sql = "select after_seq, tx_bytes, rx_bytes, events from head where after_seq <= ?1 and \
                       state_version = ?2 order by after_seq desc limit 1";
            connection
                .prepare_cached(sql)?
                .query_row((until, STATE_VERSION), |row| {
                    let [seq, tx_bytes, rx_bytes]: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                    Ok((seq, tx_bytes, rx_bytes, row.get::<_, String>(3)?))
                })
                .optional()
        })?;
        Ok(row.and_then(|(seq, tx_bytes, rx_bytes, events)| {
            Some(StoredHead {
                seq: u64::try_from(seq).ok().filter(|seq| *seq > 0)?,
                tx_bytes: u64::try_from(tx_bytes).ok()?,
                rx_bytes: u64::try_from(rx_bytes).ok()?,
                events: serde_json::from_str(&events).ok()?,
            })
        }))
    }

    /// All stored heads that today's state is made of, in order, and the number of the first that cannot be read.
    pub(super) fn stored_heads(&mut self) -> Result<(Vec<StoredHead>, Option<u64>), ReadError> {
        let mut heads = Vec::new();
        let mut unreadable = None;
        let numbers: Vec<i64> = self.with_connection(|connection| {
            let there = "select 1 from sqlite_schema where type = 'table' and name = 'head'";
            if !connection.prepare_cached(there)?.exists([])? {
                return Ok(Vec::new());
            }
            let sql = "select after_seq from head where state_version = ?1 order by after_seq limit ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let numbers = statement.query_map((STATE_VERSION, MOST_HEADS), |row| row.get(0))?;
            numbers.collect()
        })?;
        let last = self.last_seq()?;
        for number in numbers {
            let seq = u64::try_from(number).unwrap_or(0);
            if seq > last {
                continue;
            }
            match self.stored_head(seq) {
                Ok(Some(head)) if head.seq == seq => heads.push(head),
                _ => unreadable = unreadable.or(Some(seq)),
            }
        }
        Ok((heads, unreadable))
    }

    /// The events that a stored head is made of; none where one of them is not there.
    fn events_of(&mut self, stored: &StoredHead) -> Result<Option<Vec<Event>>, ReadError> {
        let mut events = Vec::new();
        for seq in &stored.events {
            match self.read(seq.saturating_sub(1), 1)?.pop() {
                Some(event) if event.seq == *seq && *seq <= stored.seq => events.push(event),
                _ => return Ok(None),
            }
        }
        Ok(Some(events))
    }

    /// The head of the state after the event of that number or one of the last before it: what is left to be folded
    /// is at most a few thousand events. The head before the first event where the recording has none stored.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn head_before(&mut self, until: u64) -> Result<Head, ReadError> {
        let Some(stored) = self.stored_head(until)? else {
            return Ok(Head::default());
        };
        let stamp: Option<Stamp> = self.stamp_of(stored.seq)?;
        let (Some(events), Some(stamp)) = (self.events_of(&stored)?, stamp) else {
            return Ok(Head::default());
        };
        let wire = self.last_wire(stored.seq)?;
        Ok(HeadSource::head(
            &events,
            &wire,
            (stored.seq, stamp),
            (stored.tx_bytes, stored.rx_bytes),
        ))
    }

    /// What the head after the last event is made of.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn head_source(&mut self) -> Result<HeadSource, ReadError> {
        let last = self.last_seq()?;
        let mut after = 0;
        let mut source = HeadSource::default();
        if let Some(stored) = self.stored_head(last)?
            && let Some(events) = self.events_of(&stored)?
        {
            source = HeadSource::again(&events, stored.tx_bytes, stored.rx_bytes);
            after = stored.seq;
        }
        for event in self.events(after).until(last) {
            source.apply(&event?);
        }
        Ok(source)
    }

    /// The last lines of traffic up to a number.
    fn last_wire(&mut self, until: u64) -> Result<Vec<Event>, ReadError> {
        let sql = format!(
            "{} where seq <= ?1 order by seq desc limit ?2",
            WIRE.select_all_sql(self.format())
        );
        let span = [until.cast_signed(), HEAD_WIRE_LINES as i64];
        let mut lines = self.rows(&WIRE, Order::Asked, &sql, span)?;
        lines.reverse();
        Ok(lines)
    }
}

impl Rows for Reader {
    type Error = ReadError;

    fn count_samples(&mut self, until: u64) -> Result<u64, ReadError> {
        let count: i64 = self.with_connection(|connection| {
            connection
                .prepare_cached("select count(*) from sample where seq <= ?")?
                .query_row([until.cast_signed()], |row| row.get(0))
        })?;
        Ok(count.cast_unsigned())
    }

    fn samples(&mut self, after: u64, until: u64) -> Result<Vec<SampleRecord>, ReadError> {
        let sql = format!(
            "{} where seq > ?1 and seq <= ?2 order by seq limit {CHUNK}",
            SAMPLE.select_all_sql(self.format())
        );
        let events = self.rows(
            &SAMPLE,
            Order::Events,
            &sql,
            [after.cast_signed(), until.cast_signed()],
        )?;
        let records = events.into_iter().filter_map(|event| match event.body {
            EventBody::Sample(taken) => Some(SampleRecord {
                seq: event.seq,
                stamp: event.stamp,
                sample: taken.sample,
            }),
            _ => None,
        });
        Ok(records.collect())
    }

    fn points(&mut self, sweep: u32, after: u64, until: u64) -> Result<Vec<PointRow>, ReadError> {
        let sql = format!(
            "{} where sweep = ?1 and seq > ?2 and seq <= ?3 order by seq",
            POINT.select_all_sql(self.format())
        );
        let span = [i64::from(sweep), after.cast_signed(), until.cast_signed()];
        let events = self.rows(&POINT, Order::Events, &sql, span)?;
        let points = events.into_iter().filter_map(|event| match event.body {
            EventBody::Point(measured) => Some((event.seq, event.stamp, measured.point)),
            _ => None,
        });
        Ok(points.collect())
    }
}
