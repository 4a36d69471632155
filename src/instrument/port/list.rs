//! What serial ports there are, read from the system's own description of them: nothing is opened, nothing
//! written.

use std::path::{Path, PathBuf};

/// Where the system describes its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The folder of devices.
    pub dev: PathBuf,
    /// The folder of terminals that the kernel knows.
    pub sys: PathBuf,
}

impl Roots {
    /// Those of this system.
    #[must_use]
    pub fn system() -> Self {
        Self {
            dev: PathBuf::from("/dev"),
            sys: PathBuf::from("/sys/class/tty"),
        }
    }
}

/// What a device on the USB says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usb {
    /// Vendor, four hexadecimal digits.
    pub vendor: String,
    /// Product, four hexadecimal digits.
    pub product: String,
    /// Serial number of the USB device.
    pub serial: Option<String>,
    /// Who made it, and what it is, in its own words.
    pub description: String,
}

/// A serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPort {
    /// Its path.
    pub path: PathBuf,
    /// Its name under `serial/by-id`, the same whatever its number.
    pub by_id: Option<PathBuf>,
    /// What stands behind it on the USB.
    pub usb: Option<Usb>,
    /// Major and minor number of the device.
    pub device: Option<(u32, u32)>,
}

/// The serial ports that have a device behind them, by name. Virtual consoles and pseudo terminals have none.
#[must_use]
pub fn ports(roots: &Roots) -> Vec<ListedPort> {
    let by_id = links(&roots.dev.join("serial").join("by-id"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&roots.sys).into_iter().flatten().flatten() {
        let (name, folder) = (entry.file_name(), entry.path());
        let Ok(device) = std::fs::canonicalize(folder.join("device")) else {
            continue;
        };
        // A line of the chip set at which nothing was found.
        if read(&folder, "type").as_deref() == Some("0") {
            continue;
        }
        let path = roots.dev.join(name);
        let real = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let number = read(&folder, "dev").and_then(|text| {
            let (major, minor) = text.split_once(':')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        found.push(ListedPort {
            by_id: by_id
                .iter()
                .find(|(_, target)| *target == real)
                .map(|(link, _)| link.clone()),
            usb: usb_of(&device),
            device: number,
            path,
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The USB device that a port belongs to: the next folder upwards that has a vendor.
fn usb_of(device: &Path) -> Option<Usb> {
    let folder = device
        .ancestors()
        .find(|folder| folder.join("idVendor").is_file())?;
    let words: Vec<String> = ["manufacturer", "product"]
        .into_iter()
        .filter_map(|name| read(folder, name))
        .collect();
    Some(Usb {
        vendor: read(folder, "idVendor")?,
        product: read(folder, "idProduct")?,
        serial: read(folder, "serial"),
        description: words.join(" "),
    })
}

fn read(folder: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The links of a folder and where they lead.
fn links(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let link = entry.path();
            Some((link.clone(), std::fs::canonicalize(&link).ok()?))
        })
        .collect()
}

/// Who holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Number of the process.
    pub pid: u32,
    /// What its program is called.
    pub command: String,
    /// The session that it runs, where it is one of ours.
    pub session: Option<String>,
}

impl Holder {
    /// A process by its number.
    #[must_use]
    pub fn of_process(pid: u32) -> Self {
        let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Self {
            pid,
            command: command.trim().to_owned(),
            session: None,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            pid,
            command,
            session,
        } = self;
        match session {
            Some(session) => write!(formatter, "the session {session} (process {pid})"),
            None => write!(formatter, "{command} (process {pid})"),
        }
    }
}

/// Who has a device open, as far as this user may know.
#[must_use]
pub fn holder_of(path: &Path) -> Option<Holder> {
    let real = std::fs::canonicalize(path).ok()?;
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid == std::process::id() {
            continue;
        }
        let files = std::fs::read_dir(process.path().join("fd"));
        let mut files = files.into_iter().flatten().flatten();
        if files.any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == real)) {
            return Some(Holder::of_process(pid));
        }
    }
    None
}

/// A system's description of its ports, made by hand.
#[cfg(test)]
pub(crate) struct Fabricated {
    folder: tempfile::TempDir,
}

#[cfg(test)]
pub(crate) fn fabricated() -> Fabricated {
    let folder = tempfile::tempdir().unwrap();
    for name in ["dev/serial/by-id", "sys", "devices"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    Fabricated { folder }
}

#[cfg(test)]
impl Fabricated {
    pub(crate) fn roots(&self) -> Roots {
        // Without links in the way, as the real folders are.
        let root = std::fs::canonicalize(self.folder.path()).unwrap();
        Roots {
            dev: root.join("dev"),
            sys: root.join("sys"),
        }
    }

    pub(crate) fn usb_port(
        &self,
        name: &str,
        vendor: &str,
        product: &str,
        serial: Option<&str>,
        words: &str,
    ) {
        let roots = self.roots();
        let device = self.folder.path().join("devices").join(format!("usb-{name}"));
        let tty = device.join("interface").join(name);
        std::fs::create_dir_all(&tty).unwrap();
        std::fs::write(device.join("idVendor"), format!("{vendor}\n")).unwrap();
        std::fs::write(device.join("idProduct"), format!("{product}\n")).unwrap();
        std::fs::write(device.join("product"), format!("{words}\n")).unwrap();
        if let Some(serial) = serial {
            std::fs::write(device.join("serial"), format!("{serial}\n")).unwrap();
        }
        let class = roots.sys.join(name);
        std::fs::create_dir_all(&class).unwrap();
        std::os::unix::fs::symlink(&tty, class.join("device")).unwrap();
        std::fs::write(class.join("dev"), "188:0\n").unwrap();
        std::fs::write(roots.dev.join(name), "").unwrap();
        if let Some(serial) = serial {
            let link = roots
                .dev
                .join("serial/by-id")
                .join(format!("usb-{words}_{serial}"));
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(roots.dev.join(name), link).unwrap();
        }
    }

    pub(crate) fn unplug(&self, name: &str) {
        let roots = self.roots();
        std::fs::remove_dir_all(roots.sys.join(name)).unwrap();
        std::fs::remove_file(roots.dev.join(name)).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usb_port_is_listed_with_its_ids_serial_number_and_stable_name() {
        let tree = fabricated();
        tree.usb_port("ttyACM0", "16d0", "0abc", Some("ES4HR1"), "EmStat4");
        tree.usb_port("ttyUSB3", "0403", "6015", None, "FT231X");
        let listed = ports(&tree.roots());
        assert_eq!(listed.len(), 2);
        let first = &listed[0];
        assert!(first.path.ends_with("dev/ttyACM0"));
        assert!(first.by_id.as_ref().unwrap().ends_with("usb-EmStat4_ES4HR1"));
        assert_eq!(first.device, Some((188, 0)));
        let usb = first.usb.as_ref().unwrap();
        assert_eq!((usb.vendor.as_str(), usb.product.as_str()), ("16d0", "0abc"));
        assert_eq!(
            (usb.serial.as_deref(), usb.description.as_str()),
            (Some("ES4HR1"), "EmStat4")
        );
        assert_eq!(listed[1].by_id, None);
    }

    #[test]
    fn consoles_and_lines_without_hardware_are_no_ports() {
        let tree = fabricated();
        let roots = tree.roots();
        std::fs::create_dir_all(roots.sys.join("tty1")).unwrap();
        let empty = roots.sys.join("ttyS3");
        std::fs::create_dir_all(&empty).unwrap();
        std::os::unix::fs::symlink(&roots.dev, empty.join("device")).unwrap();
        std::fs::write(empty.join("type"), "0\n").unwrap();
        assert!(ports(&roots).is_empty());
        let missing = Roots {
            dev: roots.dev.join("none"),
            sys: roots.sys.join("none"),
        };
        assert!(ports(&missing).is_empty());
    }

    #[test]
    fn whoever_holds_a_port_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port");
        std::fs::write(&path, "").unwrap();
        assert_eq!(holder_of(&path), None);
        let file = std::fs::File::open(&path).unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(file)
            .spawn()
            .unwrap();
        let holder = holder_of(&path);
        child.kill().unwrap();
        child.wait().unwrap();
        let holder = holder.unwrap();
        assert_eq!((holder.pid, holder.command.as_str()), (child.id(), "sleep"));
        assert_eq!(holder.to_string(), format!("sleep (process {})", child.id()));
    }
}
