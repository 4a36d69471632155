//! Files that commands write: whole or not at all, and never over another without being told to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Where a command puts its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutFile {
    path: PathBuf,
    may_replace: bool,
}

impl OutFile {
    /// A place for a result; `-` is standard output. Refused before any work is done where the place is taken, or
    /// where nothing can be put there.
    pub(super) fn new(path: &Path, may_replace: bool) -> anyhow::Result<Self> {
        let out = Self {
            path: path.to_owned(),
            may_replace,
        };
        out.check()?;
        Ok(out)
    }

    /// Whether the result goes to standard output.
    pub(super) fn is_standard_output(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Whether this is the same file as another one; of standard input (`-`), the file that it comes from.
    pub(super) fn is(&self, other: &Path) -> bool {
        let other = match other.as_os_str() == "-" {
            true => rustix::fs::fstat(io::stdin()).ok(),
            false => rustix::fs::stat(other).ok(),
        };
        match (rustix::fs::stat(&self.path), other) {
            (Ok(one), Some(other)) if !self.is_standard_output() => {
                let is_file = rustix::fs::FileType::from_raw_mode(one.st_mode).is_file();
                is_file && one.st_dev == other.st_dev && one.st_ino == other.st_ino
            }
            _ => false,
        }
    }

    /// Writes the result: beside its place first, so that nobody ever sees half of it.
    pub(super) fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.is_standard_output() {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            return Ok(stdout.flush()?);
        }
        let name = || self.path.display().to_string();
        match fs::metadata(&self.path) {
            // A pipe or a device is written to; to put a file in its place would be no help to anybody.
            Ok(found) if !found.is_file() && !found.is_dir() => OpenOptions::new()
                .write(true)
                .open(&self.path)
                .and_then(|mut file| file.write_all(bytes))
                .with_context(name),
            found => {
                self.check()?;
                // A link keeps pointing where it points.
                let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
                let mode = found.ok().map(|found| found.permissions());
                let beside = beside(&path);
                let written = write_new(&beside, bytes, mode).and_then(|()| fs::rename(&beside, &path));
                if written.is_err() {
                    let _ = fs::remove_file(&beside);
                }
                written.with_context(|| {
                    format!("{}; check that the folder exists and may be written to", name())
                })
            }
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.is_standard_output() {
            return Ok(());
        }
        let Ok(found) = fs::metadata(&self.path) else {
            return self.check_folder();
        };
        if found.is_dir() {
            bail!(
                "{}: is a folder; give the name of a file in it",
                self.path.display()
            );
        }
        if found.is_file() && !self.may_replace {
            bail!(
                "{}: exists already; choose another name, or replace it with --force",
                self.path.display()
            );
        }
        if found.is_file() {
            return self.check_folder();
        }
        Ok(())
    }

    /// A file is put beside its place first, for which its folder must be there and writable.
    fn check_folder(&self) -> anyhow::Result<()> {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) => Path::new("."),
            None => bail!("{}: is no name of a file", self.path.display()),
        };
        let refused = |reason: io::Error| {
            let path = self.path.display();
            Err(reason).with_context(|| format!("{path}; check that the folder exists and may be written to"))
        };
        match fs::metadata(folder) {
            Ok(found) if !found.is_dir() => refused(io::ErrorKind::NotADirectory.into()),
            Ok(_) => rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
                .or_else(|reason| refused(reason.into())),
            Err(reason) => refused(reason),
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn write_new(path: &Path, bytes: &[u8], mode: Option<fs::Permissions>) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_existing_file_is_kept_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.svg");
        OutFile::new(&path, false).unwrap().write(b"one").unwrap();
        let refusal = OutFile::new(&path, false).unwrap_err().to_string();
        assert!(
            refusal.contains("exists already") && refusal.contains("--force"),
            "{refusal}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"one");
        OutFile::new(&path, true).unwrap().write(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.svg"], "nothing is left beside it");
    }

    #[test]
    fn a_file_that_came_while_the_work_was_done_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.svg");
        let out = OutFile::new(&path, false).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(out.write(b"mine").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn a_link_is_followed_and_a_device_stays_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        OutFile::new(&link, true).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        OutFile::new(Path::new("/dev/null"), true)
            .unwrap()
            .write(b"x")
            .unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("a.svg");
        let refusal = format!("{:#}", OutFile::new(&path, false).unwrap_err());
        assert!(
            refusal.contains("none/a.svg") && refusal.contains("folder exists"),
            "{refusal}"
        );
        fs::write(folder.path().join("none"), "a file").unwrap();
        let refusal = format!("{:#}", OutFile::new(&path, false).unwrap_err());
        assert!(refusal.contains("none/a.svg"), "{refusal}");
    }

    #[test]
    fn a_folder_that_goes_while_the_work_is_done_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone").join("a.svg");
        fs::create_dir(folder.path().join("gone")).unwrap();
        let out = OutFile::new(&path, false).unwrap();
        fs::remove_dir(folder.path().join("gone")).unwrap();
        let refusal = format!("{:#}", out.write(b"x").unwrap_err());
        assert!(refusal.contains("gone/a.svg"), "{refusal}");
    }

    #[test]
    fn a_file_is_known_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.csv", "hard.csv", "soft.csv"].map(|name| folder.path().join(name));
        fs::write(&names[0], "1,2,3").unwrap();
        fs::hard_link(&names[0], &names[1]).unwrap();
        std::os::unix::fs::symlink(&names[0], &names[2]).unwrap();
        for name in &names {
            assert!(OutFile::new(name, true).unwrap().is(&names[0]), "{name:?}");
        }
        fs::write(folder.path().join("b.csv"), "1,2,3").unwrap();
        assert!(
            !OutFile::new(&folder.path().join("b.csv"), true)
                .unwrap()
                .is(&names[0])
        );
    }
}
