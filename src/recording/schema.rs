//! The file format: an SQLite database with one table a kind of event, a batch a commit, and views for people.

use std::time::Duration;

use rusqlite::Connection;

use super::table::all_tables;
use super::views::VIEWS;

/// SQLite's `application_id` of a recording: `IPHR`.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"IPHR");

/// The version of the format. Migrations only add; a reader refuses a newer one.
///
/// 2 added columns to `validity` (reasons, form, doubtful points, drift) and the table `amendment`.
pub const FORMAT_VERSION: i64 = 2;

/// The oldest SQLite without the bug by which a restarted write-ahead log damages a file that is read while it is
/// written (fixed in 3.51.3).
pub(super) const SQLITE_MINIMUM: i32 = 3_051_003;

/// [`SQLITE_MINIMUM`] for people.
pub(super) const SQLITE_MINIMUM_TEXT: &str = "3.51.3";

/// How long to wait for a lock before giving up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared: more than there are.
pub(super) const STATEMENT_CACHE: usize = 64;

/// What stands in the file beside events.
const HOUSEKEEPING: &str = "
create table meta (key text primary key, value text not null) without rowid;
create table attachment (
    id integer primary key, name text not null unique, media_type text not null, blake3 text not null,
    bytes blob not null
);
create table batch (
    id integer primary key, first_seq integer not null, last_seq integer not null,
    first_utc_ns integer not null, last_utc_ns integer not null,
    first_elapsed_ns integer not null, last_elapsed_ns integer not null, hash blob not null
);
create index batch_last_elapsed on batch (last_elapsed_ns);
";

/// What can be had from the events again at any time, and saves folding all of them. It is no part of the format's
/// number: a recording may be without.
pub(super) const HEADS: &str = "
create table if not exists head (
    after_seq integer primary key, state_version integer not null, tx_bytes integer not null,
    rx_bytes integer not null, events text not null
);
";

/// Ways to what people and the screen ask for first.
const INDEXES: &str = "
create index point_sweep on point (sweep);
create index sweep_sweep on sweep (sweep);
create index fit_final_sweep on fit (sweep) where final = 1;
";

/// Makes an empty database a recording, in one transaction.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mut sql = format!(
        "begin immediate;\npragma application_id = {APPLICATION_ID};\npragma user_version = {FORMAT_VERSION};\n"
    );
    sql.push_str(HOUSEKEEPING);
    sql.extend(all_tables().map(super::table::Table::create_sql));
    sql.push_str(INDEXES);
    sql.push_str(HEADS);
    sql.push_str(VIEWS);
    sql.push_str("commit;\n");
    connection.execute_batch(&sql)
}

/// The tables of a fresh recording of that format, with the pages on which their trees begin. They are always the
/// same, because SQLite gives out pages in order.
pub(super) fn roots(format: i64) -> rusqlite::Result<Vec<(String, u32)>> {
    let connection = Connection::open_in_memory()?;
    let mut sql = HOUSEKEEPING.to_owned();
    sql.extend(
        all_tables()
            .filter(|table| table.is_in(format))
            .map(|table| table.create_sql_of(format)),
    );
    connection.execute_batch(&sql)?;
    let mut statement =
        connection.prepare("select name, rootpage from sqlite_schema where type = 'table'")?;
    let roots = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    roots.collect()
}

/// Makes a recording of format 1 one of this format, in one transaction. What stands in it stays as it is, and so do
/// its hashes.
pub(super) fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    let format: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if format == FORMAT_VERSION {
        return connection.execute_batch(HEADS);
    }
    let mut sql = format!("begin immediate;\npragma user_version = {FORMAT_VERSION};\n");
    sql.extend(all_tables().map(super::table::Table::upgrade_sql));
    let views = connection
        .prepare("select name from sqlite_schema where type = 'view'")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    sql.extend(
        views
            .iter()
            .map(|view| format!("drop view \"{}\";\n", view.replace('"', "\"\""))),
    );
    sql.push_str(HEADS);
    sql.push_str(VIEWS);
    sql.push_str("commit;\n");
    connection.execute_batch(&sql).inspect_err(|_| {
        let _ = connection.execute_batch("rollback");
    })
}
