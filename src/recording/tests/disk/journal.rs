//! What a session did to its disk, operation by operation, and what a power cut leaves of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The unit in which a disk writes whole or not at all.
const SECTOR: usize = 512;
/// Number of the file of promises.
const PROMISES: u8 = 255;

/// What becomes of what was written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survival {
    /// Nothing of it reaches the disk.
    Nothing,
    /// Each sector of it does by chance, and each truncation.
    Sectors,
    /// All of it does.
    Everything,
}

impl Survival {
    pub(super) const ALL: [Self; 3] = [Self::Nothing, Self::Sectors, Self::Everything];
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Open { file: u8, path: PathBuf },
    Write { file: u8, offset: usize, bytes: Vec<u8> },
    Truncate { file: u8, length: usize },
    Sync { file: u8 },
    Remove { path: PathBuf },
}

/// Reads a journal as `tests/preload/disk.c` writes it.
pub(super) fn read(path: &Path) -> Vec<Operation> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut operations = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let file = header[1];
        let length = u32::from_ne_bytes(header[4..8].try_into().unwrap()) as usize;
        let offset = u64::from_ne_bytes(header[8..].try_into().unwrap()) as usize;
        let (body, after) = after.split_at(length);
        rest = after;
        let path = || PathBuf::from(std::str::from_utf8(body).unwrap());
        operations.push(match header[0] {
            b'O' => Operation::Open { file, path: path() },
            b'W' => Operation::Write {
                file,
                offset,
                bytes: body.to_vec(),
            },
            b'T' => Operation::Truncate { file, length: offset },
            b'S' => Operation::Sync { file },
            b'U' => Operation::Remove { path: path() },
            other => panic!("the journal has an operation {other}"),
        });
    }
    operations
}

/// A change of a file that is not yet on disk.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl Content {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Write(offset, bytes) => write(&mut self.durable, offset, &bytes),
                Change::Truncate(length) => self.durable.resize(length, 0),
            }
        }
    }

    fn after_power_cut(&self, survival: Survival, chance: &mut ChaCha8Rng) -> Vec<u8> {
        let mut left = self.durable.clone();
        let mut survives = || match survival {
            Survival::Nothing => false,
            Survival::Sectors => chance.random(),
            Survival::Everything => true,
        };
        for change in &self.pending {
            match change {
                Change::Truncate(length) if survives() => left.resize(*length, 0),
                Change::Truncate(_) => {}
                Change::Write(offset, bytes) => {
                    let (mut at, mut rest) = (*offset, bytes.as_slice());
                    while !rest.is_empty() {
                        let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                        if survives() {
                            write(&mut left, at, sector);
                        }
                        at += sector.len();
                        rest = after;
                    }
                }
            }
        }
        left
    }
}

/// The files of a session as operation after operation is done. Names appear and vanish at once, as on file systems
/// that keep a journal of them.
#[derive(Debug, Default)]
pub(super) struct Disk {
    names: BTreeMap<u8, PathBuf>,
    files: BTreeMap<PathBuf, Content>,
    promises: Vec<u8>,
}

impl Disk {
    pub(super) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Open { file: PROMISES, .. } => {}
            Operation::Write {
                file: PROMISES,
                bytes,
                ..
            } => self.promises.extend(bytes),
            Operation::Open { file, path } => {
                self.names.insert(*file, path.clone());
                self.files.entry(path.clone()).or_default();
            }
            Operation::Write { file, offset, bytes } => {
                let change = Change::Write(*offset, bytes.clone());
                self.changed(*file, |content| content.pending.push(change));
            }
            Operation::Truncate { file, length } => {
                self.changed(*file, |content| content.pending.push(Change::Truncate(*length)));
            }
            Operation::Sync { file } => self.changed(*file, Content::sync),
            Operation::Remove { path } => {
                self.files.remove(path);
            }
        }
    }

    fn changed(&mut self, file: u8, change: impl FnOnce(&mut Content)) {
        if let Some(content) = self.names.get(&file).and_then(|path| self.files.get_mut(path)) {
            change(content);
        }
    }

    /// Number of the last event that was promised.
    pub(super) fn promised(&self) -> u64 {
        let text = String::from_utf8_lossy(&self.promises);
        super::lines_beginning(&text, "committed")
            .last()
            .copied()
            .unwrap_or(0)
    }

    /// Writes into a folder what a power cut leaves of the files now.
    pub(super) fn power_cut(&self, survival: Survival, chance: &mut ChaCha8Rng, folder: &Path) {
        for (path, content) in &self.files {
            let left = content.after_power_cut(survival, chance);
            std::fs::write(folder.join(path.file_name().unwrap()), left).unwrap();
        }
    }
}
