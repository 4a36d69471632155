//! After a lost link: finding the instrument again, under whatever name its port comes back, and making sure
//! of it and of its cell before anything goes on.

use std::path::PathBuf;
use std::time::Duration;

use super::plan_run::{Ending, PlanRun};
use super::preflight;
use super::runner::Runner;
use crate::event::{EventBody, Gap, Link, LinkState, Severity};
use crate::instrument::port::list::{Roots, ports};
use crate::instrument::port::{DeviceNumber, Port};
use crate::instrument::{InstrumentError, InstrumentIdentity, Job, Outcome, PortError};
use crate::session::runtime::RuntimeDirectory;
use crate::units;

/// Shortest and longest pause between attempts to reach an instrument again, in real time. While no port is
/// there it is looked for at the shortest.
pub(super) const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// The alarm that says that the port leads to another instrument than before.
const ANOTHER_INSTRUMENT: &str = "another_instrument";

/// The alarm that says that the cell is not where it may be.
const POTENTIAL_OUT_OF_WINDOW: &str = "potential_out_of_window";

/// By what a port is known again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortMemory {
    /// As it was named.
    given: PathBuf,
    /// Names that lead to it whatever its number: by-id, the link of a simulator.
    stable: Vec<PathBuf>,
    /// Vendor, product and serial number on the USB.
    usb: Option<(String, String, String)>,
}

impl PortMemory {
    /// What is known of a port while it is there.
    #[must_use]
    pub fn of(given: PathBuf, roots: &Roots, runtime: &RuntimeDirectory) -> Self {
        let mut memory = Self {
            given,
            ..Self::default()
        };
        let Ok(real) = std::fs::canonicalize(&memory.given) else {
            return memory;
        };
        if let Some(port) = ports(roots).into_iter().find(|port| port.path == real) {
            memory.stable.extend(port.by_id);
            memory.usb = port
                .usb
                .and_then(|usb| Some((usb.vendor, usb.product, usb.serial?)));
        }
        if let Ok(DeviceNumber { major, minor }) = DeviceNumber::of(&real) {
            let simulator = runtime.simulator((major, minor));
            memory
                .stable
                .extend(simulator.and_then(|simulator| simulator.link));
        }
        memory
    }

    /// Ports that may be the one, the likeliest first. A number alone proves nothing where more is known: it may
    /// belong to another device by now.
    #[must_use]
    pub fn candidates(&self, roots: &Roots) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = Vec::new();
        if let Some((vendor, product, serial)) = &self.usb {
            let same = ports(roots).into_iter().filter(|port| {
                port.usb.as_ref().is_some_and(|usb| {
                    usb.vendor == *vendor && usb.product == *product && usb.serial.as_ref() == Some(serial)
                })
            });
            found.extend(same.map(|port| port.path));
        }
        // A name that leads to a port that was found is not another one.
        for path in self.stable.iter().filter(|path| path.exists()) {
            let target = std::fs::canonicalize(path).ok();
            let is_known = found
                .iter()
                .any(|known| std::fs::canonicalize(known).ok() == target);
            if !is_known {
                found.push(path.clone());
            }
        }
        let is_a_link = std::fs::symlink_metadata(&self.given).is_ok_and(|metadata| metadata.is_symlink());
        let is_all_there_is = self.stable.is_empty() && self.usb.is_none();
        if (is_a_link || is_all_there_is) && self.given.exists() && !found.contains(&self.given) {
            found.push(self.given.clone());
        }
        found
    }
}

impl PlanRun<'_> {
    /// Tries until the same instrument answers again; a session never ends because a plug was pulled.
    pub(super) async fn reach_again(&mut self, why: &str) -> Result<(), Ending> {
        self.runner.port = None;
        self.fresh = None;
        let from_utc_ns = self.runner.clock.stamp().utc_ns;
        self.tell_link(LinkState::Lost, why);
        let reached = self.reach_until_it_answers().await;
        let to_utc_ns = self.runner.clock.stamp().utc_ns;
        let lasted = units::duration((to_utc_ns - from_utc_ns) as f64 * 1e-9);
        let then = match &reached {
            Ok(()) => "the step that was interrupted is measured again",
            Err(_) => "the session ended before the instrument was back",
        };
        self.runner.journal.record(EventBody::Gap(Gap {
            from_utc_ns,
            to_utc_ns,
            reason: format!("nothing known of the cell for {lasted}: {why}; {then}"),
        }));
        reached
    }

    async fn reach_until_it_answers(&mut self) -> Result<(), Ending> {
        let mut pause = BACKOFF.0;
        let mut told = None;
        loop {
            if self.runner.stop.is_some() {
                return Err(Ending::Stopped);
            }
            self.runner.lost_because = None;
            let pause_s = self.runner.clock.stretch_of_real_s(pause.as_secs_f64());
            let until_s = self.runner.clock.now_s() + pause_s;
            self.runner.idle_until(until_s).await;
            let Some(path) = self.reopen(&mut told) else {
                // Nothing there costs nothing: looked for again soon. A refusal is not hurried.
                pause = if told.is_some() {
                    (2 * pause).min(BACKOFF.1)
                } else {
                    BACKOFF.0
                };
                continue;
            };
            let text = if path == self.runner.port_path {
                String::new()
            } else {
                format!("found again as {}", path.display())
            };
            self.runner.port_path = path;
            if told.as_deref() != Some("") {
                told = Some(String::new());
                self.tell_link(LinkState::Reconnecting, &text);
            }
            if self.is_ours_again().await {
                self.tell_link(
                    LinkState::Connected,
                    "the same instrument answers again, its cell is off",
                );
                return Ok(());
            }
            self.runner.port = None;
            pause = (2 * pause).min(BACKOFF.1);
        }
    }

    /// Opens the port that is the likeliest; says once why one that is there cannot be opened.
    fn reopen(&mut self, told: &mut Option<String>) -> Option<PathBuf> {
        for path in self.runner.port_memory.candidates(&Roots::system()) {
            match Port::open(&path, &self.profiles.instrument.link, self.runtime.path()) {
                Ok(port) => {
                    self.runner.port = Some(port);
                    return Some(path);
                }
                Err(PortError::NotFound { .. }) => {}
                Err(error) => {
                    let text = error.to_string();
                    tracing::debug!("still out of reach: {text}");
                    if told.as_ref() != Some(&text) {
                        self.tell_link(LinkState::Reconnecting, &text);
                        *told = Some(text);
                    }
                }
            }
        }
        None
    }

    /// Whether the instrument of this session answers, has switched its cell off, and the cell rests where it
    /// may. Another instrument is left as it is.
    pub(super) async fn is_ours_again(&mut self) -> bool {
        let known = self.runner.identity.clone();
        let mut done = self.runner.job(Job::Connect { take_over: false }).await;
        if done.outcome == Outcome::Failed(InstrumentError::ScriptRunning) {
            // On the port on which our own script was cut off: an instrument in the middle of a script cannot
            // say who it is, and one that was plugged in afresh runs none.
            done = self.runner.job(Job::Connect { take_over: true }).await;
        }
        if done.outcome != Outcome::Connected {
            return false;
        }
        let serial =
            |identity: &Option<InstrumentIdentity>| identity.as_ref().map(|identity| identity.serial.clone());
        if serial(&self.runner.identity) != serial(&known) {
            self.runner.identity = known;
            if !self.runner.alarms.contains_key(ANOTHER_INSTRUMENT) {
                let text = "another instrument answers on this port; connect the one this session began with";
                self.runner
                    .alarm(ANOTHER_INSTRUMENT, Severity::Critical, text.to_owned());
            }
            return false;
        }
        let off = self.runner.job(Job::CellOff).await;
        !Runner::out_of_reach(&off) && self.rests_where_it_may().await
    }

    /// Reads the potential of the resting cell, and keeps it for the step that is measured again.
    async fn rests_where_it_may(&mut self) -> bool {
        if !self.reads_open_circuit {
            return true;
        }
        let Ok(ocp) = self.open_circuit().await else {
            return false;
        };
        match preflight::check_open_circuit(self.profiles, ocp.potential_v) {
            Ok(()) => {
                self.runner.clear_alarm(
                    POTENTIAL_OUT_OF_WINDOW,
                    "session: the resting cell is back where it may be",
                );
                self.fresh = Some(ocp);
                true
            }
            Err(refusal) => {
                if !self.runner.alarms.contains_key(POTENTIAL_OUT_OF_WINDOW) {
                    let text = format!("nothing goes on by itself, the cell is off: {refusal}");
                    self.runner
                        .alarm(POTENTIAL_OUT_OF_WINDOW, Severity::Critical, text);
                }
                false
            }
        }
    }

    fn tell_link(&mut self, state: LinkState, reason: &str) {
        self.runner.journal.record(EventBody::Link(Link {
            state,
            port: self.runner.port_path.display().to_string(),
            reason: reason.to_owned(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_comes_back_under_another_number_and_is_known_by_its_serial_number() {
        let tree = crate::instrument::port::list::fabricated();
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let roots = tree.roots();
        tree.usb_port("ttyUSB0", "0403", "6015", Some("A10"), "ESPicoDev");
        tree.usb_port("ttyUSB1", "0403", "6015", Some("B20"), "ESPicoDev");
        let given = roots.dev.join("ttyUSB0");
        let memory = PortMemory::of(given.clone(), &roots, &runtime);
        assert_eq!(memory.candidates(&roots), std::slice::from_ref(&given));
        tree.unplug("ttyUSB0");
        assert!(memory.candidates(&roots).is_empty());
        tree.usb_port("ttyUSB2", "0403", "6015", Some("A10"), "ESPicoDev");
        assert_eq!(memory.candidates(&roots), [roots.dev.join("ttyUSB2")]);
        // Another device took the old number: that is not the one.
        tree.usb_port("ttyUSB0", "0403", "6015", Some("C30"), "ESPicoDev");
        assert_eq!(memory.candidates(&roots), [roots.dev.join("ttyUSB2")]);
    }

    #[test]
    fn a_port_of_which_nothing_more_is_known_is_looked_for_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = RuntimeDirectory::at(&folder.path().join("run")).unwrap();
        let roots = Roots {
            dev: folder.path().join("dev"),
            sys: folder.path().join("sys"),
        };
        let given = folder.path().join("port");
        std::fs::write(&given, "").unwrap();
        let memory = PortMemory::of(given.clone(), &roots, &runtime);
        assert_eq!(memory.candidates(&roots), std::slice::from_ref(&given));
        std::fs::remove_file(&given).unwrap();
        assert!(memory.candidates(&roots).is_empty());
    }
}
