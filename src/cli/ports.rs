//! `interphase ports`: which serial ports there are, and what may stand behind them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output;
use crate::instrument::port::list::{ListedPort, Roots, ports};
use crate::instrument::port::{DeviceNumber, is_locked, lock_holder};
use crate::profile::{Instrument, Kind, find, list};
use crate::session::probe;
use crate::session::runtime::{RuntimeDirectory, SimulatorInfo};

/// List the serial ports: path, stable name, USB ids, likely instrument, and who measures through it. Nothing is
/// opened and nothing written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  interphase ports\n  interphase ports --probe /dev/ttyACM0\n  \
                  interphase ports --probe /dev/ttyUSB0 --instrument bt4560"
)]
pub(super) struct PortsArgs {
    /// Ask this one port who is there: identity queries, nothing else
    #[arg(long, value_name = "PATH")]
    probe: Option<PathBuf>,
    /// Ask in the language of this profile; the likely instrument where not given, else es4_hr
    #[arg(long, value_name = "PROFILE", requires = "probe")]
    instrument: Option<String>,
    /// JSON on standard output, one object a port
    #[arg(long)]
    json: bool,
}

/// The profile by which a port is asked of which nothing is known.
const USUAL: &str = "es4_hr";

/// A port and what is known of it without opening it.
pub(super) struct Known {
    port: ListedPort,
    likely: Option<String>,
    simulator: Option<SimulatorInfo>,
    session: Option<String>,
    is_locked: bool,
}

/// All ports: those of the system and those of running simulators.
pub(super) fn known(runtime: &RuntimeDirectory) -> Vec<Known> {
    let profiles = instruments();
    let sessions = runtime.sessions();
    let mut found = ports(&Roots::system());
    for (device, _) in runtime.simulators() {
        // Pseudo terminals: 256 to a major number from 136 on.
        let number = device.0.saturating_sub(136) * 256 + device.1;
        found.push(ListedPort {
            path: PathBuf::from(format!("/dev/pts/{number}")),
            by_id: None,
            usb: None,
            device: Some(device),
        });
    }
    found
        .into_iter()
        .map(|port| {
            let device = DeviceNumber::of(&port.path).ok();
            let simulator = port.device.and_then(|device| runtime.simulator(device));
            let holder = device.and_then(|device| lock_holder(device, runtime.path()));
            let session = sessions.iter().find(|info| holder == Some(info.pid));
            Known {
                likely: likely(&port, &profiles)
                    .or_else(|| simulator.as_ref().map(|info| info.instrument.clone())),
                is_locked: device.is_some_and(|device| is_locked(device, runtime.path())),
                session: session.map(|info| info.name.clone()),
                simulator,
                port,
            }
        })
        .collect()
}

fn instruments() -> Vec<Instrument> {
    list(Kind::Instrument)
        .into_iter()
        .filter_map(|listed| {
            let loaded = find(Kind::Instrument, &listed.name).ok()?;
            Instrument::parse(&loaded.origin, &loaded.text).ok()
        })
        .collect()
}

/// The first instrument whose profile names this USB device.
fn likely(port: &ListedPort, profiles: &[Instrument]) -> Option<String> {
    let usb = port.usb.as_ref()?;
    profiles
        .iter()
        .find(|profile| {
            let mut named = profile.usb.iter();
            named.any(|named| named.matches(&usb.vendor, &usb.product, &usb.description))
        })
        .map(|profile| profile.name.clone())
}

impl Known {
    /// On a line.
    pub(super) fn text(&self) -> String {
        let mut words = vec![self.port.path.display().to_string()];
        if let Some(usb) = &self.port.usb {
            words.push(format!("{}:{}", usb.vendor, usb.product));
            words.extend(
                [usb.description.clone()]
                    .into_iter()
                    .filter(|text| !text.is_empty()),
            );
            words.extend(usb.serial.iter().map(|serial| format!("serial {serial}")));
        }
        if let Some(simulator) = &self.simulator {
            let link = simulator
                .link
                .as_ref()
                .map(|link| format!(" by {}", link.display()));
            words.push(format!(
                "simulated {} with cell {}{}",
                simulator.instrument,
                simulator.cell,
                link.unwrap_or_default()
            ));
        } else if let Some(likely) = &self.likely {
            words.push(format!("likely {likely}"));
        }
        words.extend(self.port.by_id.iter().map(|path| path.display().to_string()));
        match (&self.session, self.is_locked) {
            (Some(session), _) => words.push(format!("in use by session {session}")),
            (None, true) => words.push("in use by interphase".to_owned()),
            (None, false) => {}
        }
        words.join("  ")
    }

    fn json(&self) -> serde_json::Value {
        let usb = self.port.usb.as_ref();
        json!({
            "path": self.port.path,
            "by_id": self.port.by_id,
            "usb_vendor": usb.map(|usb| &usb.vendor),
            "usb_product": usb.map(|usb| &usb.product),
            "usb_serial": usb.and_then(|usb| usb.serial.as_ref()),
            "usb_description": usb.map(|usb| &usb.description),
            "likely_instrument": self.likely,
            "simulated": self.simulator.is_some(),
            "link": self.simulator.as_ref().and_then(|simulator| simulator.link.as_ref()),
            "in_use": self.is_locked,
            "session": self.session,
        })
    }
}

pub(super) fn run(args: &PortsArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    let known = known(&runtime);
    if let Some(path) = &args.probe {
        return probe_one(path, args, &known, &runtime);
    }
    for port in &known {
        if args.json {
            output::line(port.json().to_string())?;
        } else {
            output::line(port.text())?;
        }
    }
    if known.is_empty() && !args.json {
        output::message(
            "no serial port is there: check the cable and the instrument's power; `interphase demo` needs none",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn probe_one(
    path: &Path,
    args: &PortsArgs,
    known: &[Known],
    runtime: &RuntimeDirectory,
) -> anyhow::Result<ExitCode> {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let likely = known
        .iter()
        .find(|known| known.port.path == real)
        .and_then(|known| known.likely.clone());
    let name = args
        .instrument
        .clone()
        .or(likely)
        .unwrap_or_else(|| USUAL.to_owned());
    let loaded = find(Kind::Instrument, &name)?;
    let instrument = Instrument::parse(&loaded.origin, &loaded.text)?;
    let identity = probe::identity(path, &instrument, runtime)?;
    if args.json {
        output::line(
            json!({
                "path": path, "profile": instrument.name, "instrument": identity.device,
                "firmware": identity.firmware, "serial": identity.serial,
            })
            .to_string(),
        )?;
    } else {
        output::line(format!(
            "{}  {}  firmware {}  serial {}  (asked as {})",
            path.display(),
            identity.device,
            identity.firmware,
            identity.serial,
            instrument.name
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::port::list::Usb;

    #[test]
    fn the_likely_instrument_is_the_one_whose_profile_names_the_usb_device() {
        let port = |vendor: &str, product: &str, description: &str| ListedPort {
            path: PathBuf::from("/dev/ttyACM0"),
            by_id: None,
            usb: Some(Usb {
                vendor: vendor.to_owned(),
                product: product.to_owned(),
                serial: None,
                description: description.to_owned(),
            }),
            device: None,
        };
        let profiles = instruments();
        let found = |port: &ListedPort| likely(port, &profiles);
        assert_eq!(
            found(&port("ffff", "0001", "PalmSens EmStat4")).as_deref(),
            Some("es4_hr")
        );
        assert_eq!(
            found(&port("0403", "6001", "FTDI FT232R")),
            None,
            "a converter may lead anywhere"
        );
    }
}
