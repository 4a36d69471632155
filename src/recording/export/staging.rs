//! Files of an export while they are written: beside their places, and all of them put there at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ExportError;

/// A file that an export has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Where it stands.
    pub path: PathBuf,
    /// What its rows are: `points`, `samples`, `events`.
    pub what: &'static str,
    /// How many of them there are.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Files that are being written into a folder. What is not put in place is removed when this is dropped.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    may_replace: bool,
    made_folder: bool,
    /// Every file begun, whole or not.
    parts: Vec<PathBuf>,
    whole: Vec<Whole>,
}

#[derive(Debug)]
struct Whole {
    part: PathBuf,
    exported: Exported,
}

/// A file that is being written.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
    rows: u64,
}

impl Part {
    /// Writes text.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn write(&mut self, text: &[u8]) -> Result<(), ExportError> {
        self.out
            .write_all(text)
            .map_err(|source| ExportError::write(&self.path, source))
    }

    /// Writes text that is one row of the file.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn row(&mut self, text: &[u8]) -> Result<(), ExportError> {
        self.rows += 1;
        self.write(text)
    }

    /// Says how many rows were written, where they were not written one by one.
    pub fn count(&mut self, rows: usize) {
        self.rows = rows as u64;
    }
}

impl Staging {
    /// Files for a folder, which is made where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or is no folder.
    pub fn new(folder: &Path, may_replace: bool) -> Result<Self, ExportError> {
        let made_folder = match fs::create_dir(folder) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => false,
            Err(source) => {
                return Err(ExportError::Folder {
                    path: folder.to_path_buf(),
                    source,
                });
            }
        };
        Ok(Self {
            folder: folder.to_path_buf(),
            may_replace,
            made_folder,
            parts: Vec::new(),
            whole: Vec::new(),
        })
    }

    /// Begins a file.
    ///
    /// # Errors
    /// A file of this name is there and must not be replaced, or the disk takes no file.
    pub fn begin(&mut self, name: &str) -> Result<Part, ExportError> {
        let path = self.folder.join(name);
        self.check(&path)?;
        let part = self.folder.join(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&part)
            .map_err(|source| ExportError::write(&path, source))?;
        self.parts.push(part.clone());
        Ok(Part {
            path,
            part,
            out: BufWriter::with_capacity(1 << 16, file),
            rows: 0,
        })
    }

    /// Ends a file: it is whole and on disk.
    ///
    /// # Errors
    /// The disk does not take the rest of it.
    pub fn finish(&mut self, part: Part, what: &'static str) -> Result<(), ExportError> {
        let wrong = |source| ExportError::write(&part.path, source);
        let file = part.out.into_inner().map_err(|error| wrong(error.into_error()))?;
        file.sync_all().map_err(wrong)?;
        let bytes = file.metadata().map_err(wrong)?.len();
        self.whole.push(Whole {
            part: part.part,
            exported: Exported {
                path: part.path,
                what,
                rows: part.rows,
                bytes,
            },
        });
        Ok(())
    }

    /// Writes a file that is there as a whole.
    ///
    /// # Errors
    /// As [`Staging::begin`] and [`Staging::finish`].
    pub fn put(
        &mut self,
        name: &str,
        what: &'static str,
        rows: usize,
        bytes: &[u8],
    ) -> Result<(), ExportError> {
        let mut part = self.begin(name)?;
        part.write(bytes)?;
        part.count(rows);
        self.finish(part, what)
    }

    /// Whether no file is whole yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Puts all whole files in their places.
    ///
    /// # Errors
    /// One of them cannot be put there. New files that were put there before are taken away again; files that were
    /// replaced stay replaced, each whole.
    pub fn place(mut self) -> Result<Vec<Exported>, ExportError> {
        let mut placed: Vec<Exported> = Vec::new();
        for whole in std::mem::take(&mut self.whole) {
            if let Err(error) = self.place_one(&whole) {
                if !self.may_replace {
                    for exported in &placed {
                        let _ = fs::remove_file(&exported.path);
                    }
                }
                return Err(error);
            }
            placed.push(whole.exported);
        }
        // Some file systems cannot sync a folder; the files are there all the same.
        if let Ok(folder) = File::open(&self.folder) {
            let _ = folder.sync_all();
        }
        Ok(placed)
    }

    fn place_one(&self, whole: &Whole) -> Result<(), ExportError> {
        let to = &whole.exported.path;
        if !self.may_replace {
            // Unlike a renaming, a link never replaces a file that has appeared meanwhile.
            match fs::hard_link(&whole.part, to) {
                Ok(()) => {
                    let _ = fs::remove_file(&whole.part);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(ExportError::Exists { path: to.clone() });
                }
                // Not every file system has links.
                Err(_) => {}
            }
        }
        self.check(to)?;
        fs::rename(&whole.part, to).map_err(|source| ExportError::write(to, source))
    }

    fn check(&self, path: &Path) -> Result<(), ExportError> {
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => Err(ExportError::write(path, io::ErrorKind::IsADirectory.into())),
            Ok(_) if !self.may_replace => Err(ExportError::Exists {
                path: path.to_path_buf(),
            }),
            _ => Ok(()),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        for part in &self.parts {
            let _ = fs::remove_file(part);
        }
        if self.made_folder {
            // Only an empty one goes.
            let _ = fs::remove_dir(&self.folder);
        }
    }
}
