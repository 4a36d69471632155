//! What the disk is like: how it does while it is recorded on, and whether it is one that may be recorded on.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::WriteError;

/// A commit that takes longer than this says that the disk is slow.
pub(super) const SLOW_COMMIT: Duration = Duration::from_millis(250);
/// So many quick commits, one after the other, and the disk is no longer called slow.
const QUICK_COMMITS: u32 = 10;

/// How the disk does, as the thread that writes sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "disk", rename_all = "snake_case")]
pub enum DiskCondition {
    /// What is recorded is on disk in good time.
    #[default]
    Fine,
    /// It takes long to put things on disk; nothing is lost, but all is seen later.
    Slow {
        /// How long the last slow commit took.
        commit_ms: u32,
    },
    /// There is no space left: nothing is recorded until there is.
    Full,
    /// The disk reports errors: nothing is recorded until it does not.
    Failing,
}

impl DiskCondition {
    /// What an error says about the disk.
    pub(super) fn of(error: &WriteError) -> Self {
        match error {
            WriteError::Sqlite { source, .. }
                if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) =>
            {
                Self::Full
            }
            _ => Self::Failing,
        }
    }

    /// Whether events reach the disk.
    #[must_use]
    pub fn is_recording(self) -> bool {
        matches!(self, Self::Fine | Self::Slow { .. })
    }
}

/// Whether the disk is slow, by the time that its commits take.
#[derive(Debug, Default)]
pub(super) struct Latency {
    slow: bool,
    quick: u32,
}

impl Latency {
    /// Takes note of a commit; the condition where it has changed.
    pub(super) fn took(&mut self, time: Duration) -> Option<DiskCondition> {
        if time > SLOW_COMMIT {
            self.slow = true;
            self.quick = 0;
            let commit_ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            return Some(DiskCondition::Slow { commit_ms });
        }
        self.quick += 1;
        if self.slow && self.quick >= QUICK_COMMITS {
            self.slow = false;
            return Some(DiskCondition::Fine);
        }
        None
    }
}

/// File systems on which the disk is another machine's, or another program's, by the numbers of statfs(2).
/// Write-ahead logging needs all programs that look at a file to be on one machine, and a flush to be one.
#[cfg(target_os = "linux")]
const NETWORK: [(u32, &str); 12] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x5346_414F, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x564C, "NCP"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
];

/// The kind of file system in which a file is or will be, where it is none of a local disk.
#[must_use]
#[cfg(target_os = "linux")]
pub fn network_file_system(path: &Path) -> Option<&'static str> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let found = rustix::fs::statfs(path).or_else(|_| rustix::fs::statfs(folder.unwrap_or(Path::new("."))));
    // The kernel's number has 32 bits, whatever the width and the sign of the field.
    let kind = found.ok()?.f_type as u32;
    name_of(kind)
}

/// The kind of file system in which a file is or will be; not known on this system.
#[must_use]
#[cfg(not(target_os = "linux"))]
pub fn network_file_system(_path: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn name_of(kind: u32) -> Option<&'static str> {
    NETWORK
        .iter()
        .find(|(number, _)| *number == kind)
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_slow_from_one_slow_commit_until_ten_quick_ones() {
        let mut latency = Latency::default();
        assert_eq!(latency.took(Duration::from_millis(3)), None);
        let slow = latency.took(Duration::from_millis(1_200));
        assert_eq!(slow, Some(DiskCondition::Slow { commit_ms: 1_200 }));
        for _ in 1..QUICK_COMMITS {
            assert_eq!(latency.took(Duration::from_millis(3)), None);
        }
        assert_eq!(latency.took(Duration::from_millis(3)), Some(DiskCondition::Fine));
        assert_eq!(latency.took(Duration::from_millis(3)), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn network_file_systems_are_known_by_their_numbers_and_a_local_folder_is_none() {
        assert_eq!(name_of(0x6969), Some("NFS"));
        assert_eq!(name_of(0xFF53_4D42), Some("CIFS"));
        // ext4, tmpfs, xfs, btrfs, overlay.
        for local in [0xEF53, 0x0102_1994, 0x5846_5342, 0x9123_683E, 0x794C_7630] {
            assert_eq!(name_of(local), None);
        }
        assert_eq!(network_file_system(Path::new("/dev/shm/none.interphase")), None);
    }
}
