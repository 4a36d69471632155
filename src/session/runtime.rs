//! The runtime directory: where running sessions and simulators are found by others of the same user.
//!
//! A file stands for a process as long as that process holds a lock on it, so that what a killed
//! process left behind is recognised whatever has become of its process number.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustix::fs::FlockOperation;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::instrument::PortError;

/// Names of sockets may have 108 bytes on Linux and 104 elsewhere; what is added to the directory's
/// own path is the name of a session.
const LONGEST_DIRECTORY: usize = 60;

/// Why the runtime directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A file or folder of it cannot be made or read.
    #[error("{path}: {source}; set INTERPHASE_RUNTIME_DIR to a folder of your own on a local disk")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It belongs to somebody else.
    #[error("{path} belongs to another user; set INTERPHASE_RUNTIME_DIR to a folder of your own")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A session or simulator of this name runs already.
    #[error("{name} runs already; choose another name with --out, or stop it first")]
    Taken {
        /// The name.
        name: String,
    },
}

/// The runtime directory of this user on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeDirectory {
    path: PathBuf,
}

/// What a running session tells others about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Its name.
    pub name: String,
    /// Its process number.
    pub pid: u32,
    /// Its recording.
    pub recording: PathBuf,
    /// The port it measures through.
    pub port: String,
    /// The cell it measures.
    pub cell: String,
    /// The plan it follows.
    pub plan: String,
    /// When it began, UTC.
    pub started: String,
}

/// What a running simulator tells others about itself, under the number of its device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulatorInfo {
    /// Its process number.
    pub pid: u32,
    /// The instrument it plays.
    pub instrument: String,
    /// The cell it measures.
    pub cell: String,
    /// The seed of its noise.
    pub seed: u64,
    /// How much faster than the wall clock it runs.
    pub time_scale: f64,
    /// The symbolic link to its port, the same whatever the port's number.
    #[serde(default)]
    pub link: Option<PathBuf>,
}

/// An instrument that a session holds, and the names of its port.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    serial: String,
    ports: Vec<PathBuf>,
}

/// The names of a port: as given, and where its links lead.
fn spellings_of(port: &Path) -> Vec<PathBuf> {
    let mut spellings = vec![port.to_owned()];
    spellings.extend(std::fs::canonicalize(port).ok().filter(|real| real != port));
    spellings
}

/// A file that stands for this process while it is held; removed when dropped.
#[derive(Debug)]
pub struct Registration {
    file: File,
    path: PathBuf,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Removed before the lock is let go, so that nobody finds it unlocked and believes it stale.
        let _ = std::fs::remove_file(&self.path);
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

impl RuntimeDirectory {
    /// The directory, made where it is missing, with mode 0700.
    ///
    /// `$INTERPHASE_RUNTIME_DIR`, else `interphase/run/<host>` under the state home; where that path is
    /// too long for a socket, a short one in the folder for temporary files, checked for its owner.
    ///
    /// # Errors
    /// Where it cannot be made, or belongs to somebody else.
    pub fn open() -> Result<Self, RuntimeError> {
        let given = std::env::var_os("INTERPHASE_RUNTIME_DIR").filter(|value| !value.is_empty());
        let wanted = match given {
            Some(path) => PathBuf::from(path),
            None => default_path(),
        };
        Self::at(&wanted)
    }

    /// As [`RuntimeDirectory::open`], for a directory that the caller names.
    ///
    /// # Errors
    /// Where it cannot be made, or belongs to somebody else.
    pub fn at(wanted: &Path) -> Result<Self, RuntimeError> {
        let path = if wanted.as_os_str().len() > LONGEST_DIRECTORY {
            short_path(wanted)
        } else {
            wanted.to_owned()
        };
        make_private(&path)?;
        Ok(Self { path })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The control socket of a session.
    #[must_use]
    pub fn socket(&self, session: &str) -> PathBuf {
        self.path.join(format!("{session}.sock"))
    }

    /// The log file of a session.
    #[must_use]
    pub fn log_file(&self, session: &str) -> PathBuf {
        self.path.join(format!("{session}.log"))
    }

    /// Registers a session of this process.
    ///
    /// # Errors
    /// Where one of this name runs, or the file cannot be written.
    pub fn register_session(&self, info: &SessionInfo) -> Result<Registration, RuntimeError> {
        register(
            &self.path.join(format!("{}.session", info.name)),
            &info.name,
            info,
        )
    }

    /// Registers a simulator of this process under the number of its device.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn register_simulator(
        &self,
        device: (u32, u32),
        info: &SimulatorInfo,
    ) -> Result<Registration, RuntimeError> {
        register(&self.simulator_file(device), "a simulator on this device", info)
    }

    /// The simulator that serves a device, if one does.
    #[must_use]
    pub fn simulator(&self, device: (u32, u32)) -> Option<SimulatorInfo> {
        running(&self.simulator_file(device))
    }

    /// The running simulators by the numbers of their devices.
    #[must_use]
    pub fn simulators(&self) -> Vec<((u32, u32), SimulatorInfo)> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (major, minor) = name.strip_suffix(".simulator")?.split_once('-')?;
                let device = (major.parse().ok()?, minor.parse().ok()?);
                Some((device, self.simulator(device)?))
            })
            .collect();
        found.sort_by_key(|(device, _)| *device);
        found
    }

    /// The running sessions, by name. What ended ones left behind is removed.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "session")
                && let Some(info) = running::<SessionInfo>(&path)
            {
                found.push(info);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The same refusal of a port, with the session named that holds it.
    #[must_use]
    pub fn name_session(&self, mut error: PortError) -> PortError {
        if let PortError::Busy { by: Some(holder), .. } = &mut error {
            let session = self.sessions().into_iter().find(|info| info.pid == holder.pid);
            holder.session = session.map(|info| info.name);
        }
        error
    }

    /// Whether the session that writes this recording runs.
    #[must_use]
    pub fn session_of(&self, recording: &Path) -> Option<SessionInfo> {
        let wanted = std::fs::canonicalize(recording).ok()?;
        self.sessions()
            .into_iter()
            .find(|info| std::fs::canonicalize(&info.recording).is_ok_and(|path| path == wanted))
    }

    /// Remembers that a session holds this instrument, so that one that is killed is known to have left a
    /// script, and with it the cell, running there.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn hold(&self, serial: &str, port: &Path) -> Result<(), RuntimeError> {
        if serial.is_empty() {
            // An instrument that cannot say who it is cannot be known again.
            return Ok(());
        }
        let path = self.held_file(serial);
        let failed = |source| RuntimeError::Io {
            path: path.clone(),
            source,
        };
        let folder = path.parent().unwrap_or(&self.path);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let held = Held {
            serial: serial.to_owned(),
            ports: spellings_of(port),
        };
        let text = serde_json::to_vec(&held).map_err(|error| failed(error.into()))?;
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(&text))
            .map_err(failed)
    }

    /// Forgets that a session holds this instrument: its cell is known to be off.
    pub fn release(&self, serial: &str) {
        let _ = std::fs::remove_file(self.held_file(serial));
    }

    /// Serial numbers of the instruments that sessions held on this port, under whatever name, and did not
    /// let go of: they did not end cleanly.
    #[must_use]
    pub fn held_on(&self, port: &Path) -> Vec<String> {
        let wanted = spellings_of(port);
        let entries = std::fs::read_dir(self.path.join("held"));
        let held = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| serde_json::from_slice::<Held>(&std::fs::read(entry.path()).ok()?).ok());
        held.filter(|held| held.ports.iter().any(|port| wanted.contains(port)))
            .map(|held| held.serial)
            .collect()
    }

    fn held_file(&self, serial: &str) -> PathBuf {
        let name: String = serial
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        self.path.join("held").join(name)
    }

    fn simulator_file(&self, (major, minor): (u32, u32)) -> PathBuf {
        self.path.join(format!("{major}-{minor}.simulator"))
    }
}

/// Major and minor number of the device at a path.
#[must_use]
pub fn device_number(path: &Path) -> Option<(u32, u32)> {
    let device = std::fs::metadata(path).ok()?.rdev();
    Some((rustix::fs::major(device), rustix::fs::minor(device)))
}

fn default_path() -> PathBuf {
    let home = etcetera::choose_base_strategy()
        .ok()
        .and_then(|strategy| strategy.state_dir());
    let uname = rustix::system::uname();
    let host = uname.nodename().to_string_lossy().replace('/', "_");
    match home {
        Some(home) => home.join("interphase").join("run").join(host),
        None => short_path(Path::new(&host)),
    }
}

fn short_path(wanted: &Path) -> PathBuf {
    let hash = blake3::hash(wanted.as_os_str().as_encoded_bytes()).to_hex();
    let user = rustix::process::getuid().as_raw();
    PathBuf::from(format!("/tmp/interphase-{user}-{}", &hash[..8]))
}

fn make_private(path: &Path) -> Result<(), RuntimeError> {
    let failed = |source| RuntimeError::Io {
        path: path.to_owned(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    if metadata.uid() != rustix::process::getuid().as_raw() || !metadata.is_dir() {
        return Err(RuntimeError::Foreign {
            path: path.to_owned(),
        });
    }
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

fn register(path: &Path, name: &str, info: &impl Serialize) -> Result<Registration, RuntimeError> {
    let failed = |source| RuntimeError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Err(RuntimeError::Taken {
            name: name.to_owned(),
        });
    }
    file.set_len(0).map_err(failed)?;
    let text = serde_json::to_vec(info).map_err(|error| failed(error.into()))?;
    file.write_all(&text).map_err(failed)?;
    Ok(Registration {
        file,
        path: path.to_owned(),
    })
}

/// What the process that holds this file says; a file that nobody holds is removed, with the socket of its session.
fn running<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut file = File::open(path).ok()?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        remove_stale(&file, path);
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Removes what a killed process left behind, while its file is locked: nobody registers under this name meanwhile.
/// Where somebody else has removed the file already, what is there now belongs to the next of that name.
fn remove_stale(file: &File, path: &Path) {
    let is_same = |there: &Metadata, ours: &Metadata| (there.dev(), there.ino()) == (ours.dev(), ours.ino());
    match (std::fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) if is_same(&there, &ours) => {}
        _ => return,
    }
    if path.extension().is_some_and(|extension| extension == "session") {
        // Before the registration, which is what keeps others away.
        let _ = std::fs::remove_file(path.with_extension("sock"));
    }
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str) -> SessionInfo {
        SessionInfo {
            name: name.into(),
            pid: 1,
            recording: PathBuf::from("a.interphase"),
            port: "/dev/null".into(),
            cell: "c".into(),
            plan: "p".into(),
            started: "now".into(),
        }
    }

    #[test]
    fn a_session_is_listed_while_it_is_registered_and_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let registration = runtime.register_session(&info("a")).unwrap();
        assert_eq!(runtime.sessions(), [info("a")]);
        drop(registration);
        assert!(runtime.sessions().is_empty());
    }

    #[test]
    fn a_name_is_taken_while_its_session_runs() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let _registration = runtime.register_session(&info("a")).unwrap();
        assert!(matches!(
            runtime.register_session(&info("a")),
            Err(RuntimeError::Taken { .. })
        ));
    }

    #[test]
    fn what_a_killed_session_left_behind_is_removed_and_does_not_hinder_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        std::fs::write(
            runtime.path().join("a.session"),
            serde_json::to_vec(&info("a")).unwrap(),
        )
        .unwrap();
        std::fs::write(runtime.socket("a"), "").unwrap();
        std::fs::write(runtime.log_file("a"), "why").unwrap();
        assert!(runtime.sessions().is_empty());
        assert!(!runtime.socket("a").exists());
        assert!(runtime.log_file("a").exists(), "the log says why it ended");
        assert!(runtime.register_session(&info("a")).is_ok());
    }

    #[test]
    fn the_socket_of_a_running_session_stays_whatever_others_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let _registration = runtime.register_session(&info("136-3")).unwrap();
        std::fs::write(runtime.socket("136-3"), "").unwrap();
        let simulator = runtime.simulator_file((136, 3));
        std::fs::write(&simulator, "").unwrap();
        assert_eq!(runtime.sessions(), [info("136-3")]);
        assert!(runtime.simulator((136, 3)).is_none());
        assert!(!simulator.exists());
        assert!(runtime.socket("136-3").exists());
    }

    #[test]
    fn a_stale_file_that_another_has_replaced_is_left_to_its_new_owner() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let path = runtime.path().join("a.session");
        std::fs::write(&path, "").unwrap();
        let stale = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _registration = runtime.register_session(&info("a")).unwrap();
        std::fs::write(runtime.socket("a"), "").unwrap();
        remove_stale(&stale, &path);
        assert_eq!(runtime.sessions(), [info("a")]);
        assert!(runtime.socket("a").exists());
    }

    #[test]
    fn an_instrument_is_held_on_its_port_by_any_name_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let (port, link) = (folder.path().join("port"), folder.path().join("link"));
        std::fs::write(&port, "").unwrap();
        std::os::unix::fs::symlink(&port, &link).unwrap();
        assert!(runtime.held_on(&port).is_empty());
        runtime.hold("ES4HR/1", &link).unwrap();
        assert_eq!(runtime.held_on(&port), ["ES4HR/1"]);
        assert_eq!(runtime.held_on(&link), ["ES4HR/1"]);
        assert!(runtime.held_on(Path::new("/dev/ttyACM1")).is_empty());
        runtime.release("ES4HR/1");
        assert!(runtime.held_on(&port).is_empty());
    }

    #[test]
    fn the_directory_is_private_and_a_long_path_gets_a_short_one() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(120));
        let runtime = RuntimeDirectory::at(&long).unwrap();
        assert!(runtime.path().as_os_str().len() <= LONGEST_DIRECTORY);
        assert_eq!(std::fs::metadata(runtime.path()).unwrap().mode() & 0o777, 0o700);
        std::fs::remove_dir(runtime.path()).unwrap();
    }
}
