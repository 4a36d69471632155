//! Why a port cannot be used, in words that say what to do next.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::list::Holder;

/// Why a port cannot be opened, or no longer be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such file.
    #[error("there is no port {}; {}", path.display(), there_are(similar))]
    NotFound {
        /// The path asked for.
        path: PathBuf,
        /// Ports that there are, the most alike first.
        similar: Vec<PathBuf>,
    },
    /// The file is no serial port.
    #[error("{} is not a serial port: give the path of a device such as /dev/ttyACM0", path.display())]
    NotAPort {
        /// The path asked for.
        path: PathBuf,
    },
    /// The user may not open the device.
    #[error("no permission to open {}; {}", path.display(), join_group(group.as_deref()))]
    Permission {
        /// The path asked for.
        path: PathBuf,
        /// The group that owns the device.
        group: Option<String>,
    },
    /// Another program holds the port.
    #[error(
        "{} is held by {}",
        path.display(),
        end_the_holder(by.as_ref())
    )]
    Busy {
        /// Which program, where that can be known.
        by: Option<Holder>,
        /// The path asked for.
        path: PathBuf,
    },
    /// The lock file cannot be made.
    #[error("the lock {} cannot be taken: {error}; check that its folder exists and is writable", file.display())]
    Lock {
        /// The lock file.
        file: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The device refuses for another reason.
    #[error("{} cannot be opened: {reason}", path.display())]
    Open {
        /// The path asked for.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The device does not take what is sent.
    #[error(
        "{} takes no more bytes: check the flow control in the instrument's profile and that the instrument is on",
        path.display()
    )]
    Stuck {
        /// The path it was opened by.
        path: PathBuf,
    },
    /// The device went away.
    #[error("the link over {} was lost: {why}; check the cable and the instrument's power", path.display())]
    Lost {
        /// The path it was opened by.
        path: PathBuf,
        /// What was seen of it.
        why: String,
    },
}

fn there_are(similar: &[PathBuf]) -> String {
    if similar.is_empty() {
        return "no serial port of an instrument is there: check the cable and the instrument's power"
            .to_owned();
    }
    let names: Vec<_> = similar.iter().map(|path| path.display().to_string()).collect();
    format!("there is {}", names.join(", "))
}

fn end_the_holder(by: Option<&Holder>) -> String {
    match by {
        Some(by) => match &by.session {
            Some(session) => format!("{by}: `interphase stop {session}` ends it, or choose another port"),
            None => format!("{by}: end it, or choose another port"),
        },
        None => "another program: end it (`sudo fuser -v` and the path says which it is)".to_owned(),
    }
}

fn join_group(group: Option<&str>) -> String {
    match group {
        Some(group) => {
            format!("it belongs to the group `{group}`: `sudo usermod -aG {group} $USER`, then log in again")
        }
        None => "ask the administrator for access to it".to_owned(),
    }
}

/// How many ports an error names.
const NAMED_PORTS: usize = 4;

/// Serial ports that there are, the most alike first.
pub(super) fn similar_ports(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/dev") else {
        return Vec::new();
    };
    let mut ports: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_serial(name))
        .map(|name| Path::new("/dev").join(name))
        .collect();
    let asked = path.display().to_string();
    ports.sort_by_key(|port| {
        (
            strsim::levenshtein(&asked, &port.display().to_string()),
            port.clone(),
        )
    });
    ports.truncate(NAMED_PORTS);
    ports
}

/// Names of ports that an instrument may stand behind; not the dozens of legacy `ttyS`.
fn is_serial(name: &str) -> bool {
    ["ttyUSB", "ttyACM", "ttyAMA", "rfcomm", "cu.usb", "tty.usb"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The name of the group that owns a file, or its number where it has no name.
pub(super) fn group_of(path: &Path) -> Option<String> {
    let gid = std::fs::metadata(path).ok()?.gid();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    Some(group_name(&groups, gid).unwrap_or_else(|| gid.to_string()))
}

fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_as_the_system_names_it() {
        let groups = "root:x:0:\ndialout:x:20:ann,bob\nbroken\nplugdev:x:46:\n";
        assert_eq!(group_name(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(group_name(groups, 99), None);
    }

    #[test]
    fn errors_say_what_to_do() {
        let path = PathBuf::from("/dev/ttyACM7");
        let denied = PortError::Permission {
            path: path.clone(),
            group: Some("dialout".into()),
        };
        assert!(denied.to_string().contains("usermod -aG dialout"), "{denied}");
        let missing = PortError::NotFound {
            path,
            similar: vec!["/dev/ttyACM0".into(), "/dev/ttyUSB1".into()],
        };
        assert_eq!(
            missing.to_string(),
            "there is no port /dev/ttyACM7; there is /dev/ttyACM0, /dev/ttyUSB1"
        );
    }
}
