//! The file of a recording and what SQLite keeps beside it: creating it, and leaving it in one piece.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::error::WriteError;
use super::schema;

/// The file that SQLite keeps beside a database in use.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Creates the empty file for its owner alone, before SQLite sees it, and makes its name last.
pub(super) fn create_file(path: &Path) -> Result<(), WriteError> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match created {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(WriteError::Exists {
                path: path.to_path_buf(),
            });
        }
        Err(source) => {
            return Err(WriteError::Create {
                path: path.to_path_buf(),
                source,
            });
        }
    }
    // Some file systems cannot sync a folder; the file is there all the same.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A connection that writes durably: every commit is on disk before it returns.
pub(super) fn open_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(schema::STATEMENT_CACHE);
    connection.execute_batch("pragma synchronous = full; pragma trusted_schema = off;")?;
    Ok(connection)
}

/// Moves the write-ahead log into the database file; leaves out what readers still need.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
}

/// Leaves the write-ahead mode, which also removes the files beside the recording; false while somebody else
/// has it open.
fn settle_now(connection: &Connection) -> rusqlite::Result<bool> {
    let mode = connection.query_row("pragma journal_mode = delete", [], |row| row.get::<_, String>(0));
    match mode {
        Ok(mode) => Ok(mode == "delete"),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn settle_patiently(connection: &Connection, patience: Duration) -> rusqlite::Result<bool> {
    connection.flush_prepared_statement_cache();
    let begun = Instant::now();
    loop {
        if settle_now(connection)? {
            return Ok(true);
        }
        if begun.elapsed() >= patience {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Makes one file that stands alone out of a recording that nobody writes any more: one whose session was killed,
/// or whose readers were slow to let go. False while somebody has it open.
///
/// # Errors
/// The file cannot be opened to write, or SQLite's.
pub fn settle(path: &Path) -> Result<bool, WriteError> {
    let wrong = |source| WriteError::Sqlite {
        path: path.to_path_buf(),
        committed: 0,
        source,
    };
    let connection = open_to_write(path).map_err(wrong)?;
    settle_patiently(&connection, Duration::ZERO).map_err(wrong)
}
