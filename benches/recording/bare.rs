//! What SQLite itself takes for the same session: five typed tables under one number, a row a commit with a BLAKE3
//! hash over a compact form of the events, and nothing else. Figures of the recording are read against it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result, Row, params};

use super::mix::{PARAMETERS, SWEEP_EVENTS, Said, stamp};
use interphase::event::Stamp;

const SCHEMA: &str = "
    create table line (seq integer primary key, elapsed_ns integer not null, utc_ns integer not null, bytes blob not null);
    create table point (seq integer primary key, elapsed_ns integer not null, utc_ns integer not null,
        sweep integer not null, frequency_hz real, z_real_ohm real, z_imag_ohm real, status integer);
    create table reading (seq integer primary key, elapsed_ns integer not null, utc_ns integer not null,
        potential_v real, current_a real, temperature_k real);
    create table sweep (seq integer primary key, elapsed_ns integer not null, utc_ns integer not null,
        sweep integer not null, what integer not null);
    create table fit (seq integer primary key, elapsed_ns integer not null, utc_ns integer not null,
        sweep integer not null, parameters blob, errors blob, chi_squared real);
    create table batch (id integer primary key, first_seq integer not null, last_seq integer not null,
        first_ns integer not null, last_ns integer not null, hash blob not null);
    create index batch_last on batch (last_ns);
    create index sweep_number on sweep (sweep);
";

const SELECTS: [&str; 5] = [
    "select seq, elapsed_ns, utc_ns, bytes from line where seq between ? and ? order by seq",
    "select seq, elapsed_ns, utc_ns, sweep, frequency_hz, z_real_ohm, z_imag_ohm, status from point \
     where seq between ? and ? order by seq",
    "select seq, elapsed_ns, utc_ns, potential_v, current_a, temperature_k from reading \
     where seq between ? and ? order by seq",
    "select seq, elapsed_ns, utc_ns, sweep, what from sweep where seq between ? and ? order by seq",
    "select seq, elapsed_ns, utc_ns, sweep, parameters, errors, chi_squared from fit \
     where seq between ? and ? order by seq",
];

/// Batches that are read at once when all is checked.
const BATCHES_AT_ONCE: usize = 512;

fn bytes_of(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn push_values(buffer: &mut Vec<u8>, values: &[f64]) {
    for value in values {
        buffer.extend_from_slice(&(value + 0.0).to_le_bytes());
    }
}

/// Adds an event in its compact form to a hash.
fn add(hasher: &mut blake3::Hasher, buffer: &mut Vec<u8>, seq: i64, stamp: Stamp, said: &Said) {
    buffer.clear();
    for word in [seq, stamp.elapsed_ns, stamp.utc_ns] {
        buffer.extend_from_slice(&word.to_le_bytes());
    }
    match said {
        Said::Line(bytes) => {
            buffer.push(0);
            buffer.extend_from_slice(bytes);
        }
        Said::Point { sweep, values, .. } => {
            buffer.push(1);
            buffer.extend_from_slice(&sweep.to_le_bytes());
            push_values(buffer, values);
        }
        Said::Reading(values) => {
            buffer.push(2);
            push_values(buffer, values);
        }
        Said::Begin(sweep) | Said::End(sweep) => {
            buffer.push(if matches!(said, Said::Begin(_)) { 3 } else { 4 });
            buffer.extend_from_slice(&sweep.to_le_bytes());
        }
        Said::Fit {
            sweep,
            values,
            errors,
            chi_squared,
        } => {
            buffer.push(5);
            buffer.extend_from_slice(&sweep.to_le_bytes());
            push_values(buffer, values);
            push_values(buffer, errors);
            push_values(buffer, &[*chi_squared]);
        }
    }
    hasher.update(buffer);
}

/// Writes the session.
pub struct BareWriter {
    connection: Connection,
    open: Option<(i64, i64)>,
    last: (i64, i64),
    hasher: blake3::Hasher,
    chain: [u8; 32],
    buffer: Vec<u8>,
}

impl BareWriter {
    pub fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch(SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            connection,
            open: None,
            last: (0, 0),
            hasher: blake3::Hasher::new(),
            chain: [0; 32],
            buffer: Vec::new(),
        })
    }

    pub fn append(&mut self, number: u64, said: &Said) -> Result<()> {
        if self.open.is_none() {
            self.connection.execute_batch("begin immediate")?;
        }
        let (seq, at) = (number.cast_signed(), stamp(number));
        let sql = |sql: &str| self.connection.prepare_cached(sql);
        match said {
            Said::Line(bytes) => sql("insert into line values (?, ?, ?, ?)")?.execute(params![
                seq,
                at.elapsed_ns,
                at.utc_ns,
                bytes
            ])?,
            Said::Point {
                sweep,
                values: [frequency, real, imaginary],
                ..
            } => sql("insert into point values (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
                seq,
                at.elapsed_ns,
                at.utc_ns,
                sweep,
                frequency,
                real,
                imaginary,
                0
            ])?,
            Said::Reading([potential, current, temperature]) => {
                sql("insert into reading values (?, ?, ?, ?, ?, ?)")?.execute(params![
                    seq,
                    at.elapsed_ns,
                    at.utc_ns,
                    potential,
                    current,
                    temperature
                ])?
            }
            Said::Begin(sweep) | Said::End(sweep) => sql("insert into sweep values (?, ?, ?, ?, ?)")?
                .execute(params![
                    seq,
                    at.elapsed_ns,
                    at.utc_ns,
                    sweep,
                    matches!(said, Said::End(_))
                ])?,
            Said::Fit {
                sweep,
                values,
                errors,
                chi_squared,
            } => sql("insert into fit values (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
                seq,
                at.elapsed_ns,
                at.utc_ns,
                sweep,
                bytes_of(values),
                bytes_of(errors),
                chi_squared
            ])?,
        };
        add(&mut self.hasher, &mut self.buffer, seq, at, said);
        self.open.get_or_insert((seq, at.elapsed_ns));
        self.last = (seq, at.elapsed_ns);
        Ok(())
    }

    pub fn commit(&mut self) -> Result<()> {
        let Some((first, first_ns)) = self.open.take() else {
            return Ok(());
        };
        let mut hasher = std::mem::take(&mut self.hasher);
        hasher.update(&self.chain);
        self.chain = *hasher.finalize().as_bytes();
        self.connection
            .prepare_cached(
                "insert into batch (first_seq, last_seq, first_ns, last_ns, hash) values (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                first,
                self.last.0,
                first_ns,
                self.last.1,
                &self.chain[..]
            ])?;
        self.connection.execute_batch("commit")
    }

    pub fn close(self) -> Result<()> {
        self.connection.execute_batch("pragma wal_checkpoint(truncate)")
    }
}

fn row_of(table: usize, row: &Row<'_>) -> Result<(i64, Stamp, Said)> {
    let array = |at: usize| -> Result<[f64; PARAMETERS]> {
        let (words, _) = row.get_ref(at)?.as_blob()?.as_chunks::<8>();
        let mut values = [0.0; PARAMETERS];
        for (value, word) in values.iter_mut().zip(words) {
            *value = f64::from_le_bytes(*word);
        }
        Ok(values)
    };
    let seq: i64 = row.get(0)?;
    let stamp = Stamp {
        elapsed_ns: row.get(1)?,
        utc_ns: row.get(2)?,
    };
    let said = match table {
        0 => Said::Line(row.get_ref(3)?.as_blob()?.to_vec()),
        1 => Said::Point {
            sweep: row.get(3)?,
            index: (seq % SWEEP_EVENTS.cast_signed() / 2) as u32,
            values: [row.get(4)?, row.get(5)?, row.get(6)?],
        },
        2 => Said::Reading([row.get(3)?, row.get(4)?, row.get(5)?]),
        3 if row.get(4)? => Said::End(row.get(3)?),
        3 => Said::Begin(row.get(3)?),
        _ => Said::Fit {
            sweep: row.get(3)?,
            values: array(4)?,
            errors: array(5)?,
            chi_squared: row.get(6)?,
        },
    };
    Ok((seq, stamp, said))
}

/// The events in a span of numbers, in order: five runs, merged.
fn events(
    connection: &Connection,
    first: i64,
    last: i64,
    mut each: impl FnMut(i64, Stamp, Said),
) -> Result<()> {
    let mut statements: Vec<_> = SELECTS
        .iter()
        .map(|sql| connection.prepare_cached(sql))
        .collect::<Result<_>>()?;
    let mut runs = Vec::new();
    for statement in &mut statements {
        runs.push(statement.query([first, last])?);
    }
    let mut next = Vec::new();
    for (table, run) in runs.iter_mut().enumerate() {
        next.push(run.next()?.map(|row| row_of(table, row)).transpose()?);
    }
    loop {
        let waiting = next
            .iter()
            .enumerate()
            .filter_map(|(table, row)| Some((row.as_ref()?.0, table)));
        let Some((_, table)) = waiting.min() else {
            return Ok(());
        };
        if let Some((seq, stamp, said)) = next[table].take() {
            each(seq, stamp, said);
        }
        next[table] = runs[table].next()?.map(|row| row_of(table, row)).transpose()?;
    }
}

/// Opens the file and hands over the events from one time to another.
pub fn window(path: &Path, from_ns: i64, to_ns: i64, mut each: impl FnMut(Said)) -> Result<()> {
    let connection = open(path)?;
    let sql = "select first_seq, last_seq from batch where last_ns >= ? order by last_ns limit 1";
    let batch_at = |at: i64| connection.query_row(sql, [at], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let first = batch_at(from_ns)?.0;
    let last = batch_at(to_ns).map_or(i64::MAX, |(_, last)| last);
    events(&connection, first, last, |_, stamp, said| {
        if (from_ns..to_ns).contains(&stamp.elapsed_ns) {
            each(said);
        }
    })
}

/// Hands over all events of a file, a batch at a time once its hash is found right; false where one is not.
pub fn scan(path: &Path, mut each: impl FnMut(Said)) -> Result<bool> {
    let connection = open(path)?;
    let mut chain = [0; 32];
    let mut buffer = Vec::new();
    let mut statement = connection.prepare("select first_seq, last_seq, hash from batch order by id")?;
    let mut batches = statement.query_map([], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, [u8; 32]>(2)?,
        ))
    })?;
    loop {
        let group: Vec<_> = batches.by_ref().take(BATCHES_AT_ONCE).collect::<Result<_>>()?;
        let (Some((first, ..)), Some((_, last, _))) = (group.first(), group.last()) else {
            return Ok(true);
        };
        let mut read = Vec::new();
        events(&connection, *first, *last, |seq, stamp, said| {
            read.push((seq, stamp, said))
        })?;
        let mut read = read.into_iter().peekable();
        for (_, last, hash) in group {
            let mut hasher = blake3::Hasher::new();
            let mut batch = Vec::new();
            while let Some((seq, stamp, said)) = read.next_if(|(seq, ..)| *seq <= last) {
                add(&mut hasher, &mut buffer, seq, stamp, &said);
                batch.push(said);
            }
            hasher.update(&chain);
            chain = *hasher.finalize().as_bytes();
            if chain != hash {
                return Ok(false);
            }
            batch.into_iter().for_each(&mut each);
        }
    }
}

fn open(path: &Path) -> Result<Connection> {
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}
