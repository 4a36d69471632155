//! A consistent copy of a recording, also of one that is being written.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::backup::{Backup, StepResult};

use super::connect::connect;
use super::error::{ReadError, WriteError};
use super::file::{beside, create_file, open_to_write, settle_patiently};
use super::schema::BUSY_TIMEOUT;
use super::verify::{Verified, verify};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The copy could not be put in its place.
    #[error("cannot write {}: {source}; check that the folder exists, may be written to and has space", path.display())]
    Place {
        /// The copy.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Copies everything that is committed at one moment into a new file that stands alone, and checks the copy. The
/// session that writes the recording is not held up.
///
/// The copy appears under its name only when it is whole and on disk. One of a damaged recording has the same damage,
/// which the check tells.
///
/// # Errors
/// The recording cannot be read, a file of the new name exists, or the copy cannot be written.
pub fn backup(from: &Path, to: &Path) -> Result<Verified, BackupError> {
    let source = connect(from)?;
    if to.symlink_metadata().is_ok() {
        return Err(WriteError::Exists {
            path: to.to_path_buf(),
        }
        .into());
    }
    let part = part_of(to);
    create_file(&part)?;
    let copied = copy(&source, from, &part).and_then(|()| {
        let found = verify(&part)?;
        put_in_place(&part, to).map_err(|source| BackupError::Place {
            path: to.to_path_buf(),
            source,
        })?;
        Ok(found)
    });
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(&part, ending));
    }
    copied
}

/// The name of a file that is not whole yet, beside its place.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn copy(source: &rusqlite::Connection, from: &Path, part: &Path) -> Result<(), BackupError> {
    let unwritten = |source| WriteError::Sqlite {
        path: part.to_path_buf(),
        committed: 0,
        source,
    };
    let mut copy = open_to_write(part).map_err(unwritten)?;
    {
        let backup = Backup::new(source, &mut copy).map_err(unwritten)?;
        let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::ReadOnly) => BackupError::from(unwritten(error)),
            _ => ReadError::from_sqlite(from, error).into(),
        };
        // All pages in one step are those of one moment; in several, every commit in between would begin it anew.
        let begun = std::time::Instant::now();
        loop {
            match backup.step(-1).map_err(failed)? {
                StepResult::Done => break,
                _ if begun.elapsed() > BUSY_TIMEOUT => {
                    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                    return Err(failed(rusqlite::Error::SqliteFailure(error, None)));
                }
                _ => std::thread::sleep(std::time::Duration::from_millis(10)),
            }
        }
    }
    settle_patiently(&copy, BUSY_TIMEOUT).map_err(unwritten)?;
    Ok(())
}

/// The name appears when everything under it is on disk.
pub(super) fn put_in_place(part: &Path, to: &Path) -> std::io::Result<()> {
    File::open(part)?.sync_all()?;
    // Unlike a renaming, a link never replaces a file that has appeared meanwhile.
    match std::fs::hard_link(part, to) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => std::fs::rename(part, to)?,
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}
