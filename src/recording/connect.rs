//! Opening a recording to read it, and refusing what is none.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::ReadError;
use super::file::beside;
use super::schema::{APPLICATION_ID, BUSY_TIMEOUT, FORMAT_VERSION, STATEMENT_CACHE};

/// Opens the file read-only and makes sure of what it is.
pub(super) fn connect(path: &Path) -> Result<Connection, ReadError> {
    let refused = |reason: &str| ReadError::Open {
        path: path.to_path_buf(),
        reason: reason.into(),
    };
    match path.metadata() {
        Err(error) => return Err(refused(&format!("{error}; check the name"))),
        Ok(metadata) if metadata.is_dir() => {
            return Err(refused("it is a folder; name the recording in it"));
        }
        Ok(metadata) if metadata.len() == 0 && !beside(path, "-wal").exists() => {
            return Err(ReadError::Foreign {
                path: path.to_path_buf(),
                reason: "the file is empty".into(),
            });
        }
        Ok(_) => {}
    }
    let has_log = beside(path, "-wal").exists();
    let is_shared = beside(path, "-shm").exists();
    match connect_with(path, Beside::Writable) {
        Err(error) if cannot_write_beside(&error) && !has_log => {
            // A file left in write-ahead mode on a medium where nothing can be written beside it: without a log,
            // the file is all there is, and nobody can be changing it.
            connect_with(path, Beside::Nothing).map_err(|source| ReadError::from_sqlite(path, source))
        }
        // What a session that was cut off left there: nobody who writes is without a -shm file.
        Err(error) if cannot_write_beside(&error) && has_log && !is_shared => {
            connect_with(path, Beside::LogAlone).map_err(|_| {
                refused(
                    "its session did not end cleanly and left a -wal file, which cannot be read in this folder \
                     without write permission; copy the recording together with its -wal file to a folder of your \
                     own",
                )
            })
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            Err(refused("no permission to read it, or the disk fails"))
        }
        other => other.map_err(|source| ReadError::from_sqlite(path, source)),
    }
    .and_then(|connection| checked(path, connection))
}

/// Whether SQLite could not make the files that it needs beside the recording.
fn cannot_write_beside(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
    )
}

/// What can be made of the files beside a recording.
enum Beside {
    /// SQLite makes what it needs.
    Writable,
    /// There is nothing, and nothing can be made.
    Nothing,
    /// There is a log that nobody writes, and nothing can be made: its index is kept in memory, for which SQLite
    /// wants the file for itself, and there is nobody to lock it against.
    LogAlone,
}

fn connect_with(path: &Path, beside: Beside) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match beside {
        Beside::Writable => Connection::open_with_flags(path, flags)?,
        Beside::Nothing => {
            let uri = format!("file:{}?immutable=1", percent_encoded(path));
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        Beside::LogAlone => {
            let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none")?;
            connection.execute_batch("pragma locking_mode = exclusive")?;
            connection
        }
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // The first look into the file, which fails where a file beside it would be needed and cannot be made.
    connection.execute_batch("pragma trusted_schema = off")?;
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// A path as it stands in a URI.
fn percent_encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The connection, if the file is a recording that this program understands.
fn checked(path: &Path, connection: Connection) -> Result<Connection, ReadError> {
    let number = |pragma: &str| -> Result<i64, ReadError> {
        connection
            .query_row(&format!("pragma {pragma}"), [], |row| row.get(0))
            .map_err(|source| ReadError::from_sqlite(path, source))
    };
    let application_id = number("application_id")?;
    if application_id != i64::from(APPLICATION_ID) {
        return Err(ReadError::Foreign {
            path: path.to_path_buf(),
            reason: "it is an SQLite file of another program".into(),
        });
    }
    let found = number("user_version")?;
    if found > FORMAT_VERSION {
        return Err(ReadError::Newer {
            path: path.to_path_buf(),
            found,
            supported: FORMAT_VERSION,
        });
    }
    Ok(connection)
}
