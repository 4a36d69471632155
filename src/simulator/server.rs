//! Serves a device on a pseudo-terminal until it is told to stop.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::faults::{Action, FaultyLine};
use super::instrument::SimulatedInstrument;
use super::pty::{Pty, PtyError};

/// With more than this waiting to be read the device stands still, as one behind a full USB pipe does.
const BACK_PRESSURE_BYTES: usize = 64 * 1024;

/// How often a line in pieces lets something through, in real time: the latency timer of USB converters.
const PIECE_INTERVAL: Duration = Duration::from_millis(16);

/// How often it is looked whether a client has come, where the device waits for one; in real time.
const CLIENT_INTERVAL: Duration = Duration::from_millis(20);

/// How a device is served.
pub struct ServerSettings {
    /// A symbolic link to the port.
    pub link: Option<PathBuf>,
    /// How much faster than real time the device and its cell live.
    pub time_scale: f64,
    /// Takes the truth about every sweep as JSON lines.
    pub truth: Option<Box<dyn Write + Send>>,
    /// Takes every switching of the cell as JSON lines.
    pub switched: Option<Box<dyn Write + Send>>,
}

/// What goes wrong on the line, and who is told.
pub struct FaultSettings {
    /// The line.
    pub line: FaultyLine,
    /// Takes every point that was sent, every fault and every switching of the cell as JSON lines.
    pub log: Option<Box<dyn Write + Send>>,
    /// Told major and minor number of a port that comes back under another one.
    pub on_port: Box<dyn FnMut((u32, u32)) + Send>,
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is no pseudo-terminal, or no link to it.
    #[error(transparent)]
    Pty(#[from] PtyError),
    /// The time scale is not a number above zero.
    #[error("the time scale {0} is not a number above zero")]
    TimeScale(f64),
    /// The line broke.
    #[error("the simulated line failed: {0}")]
    Line(#[source] std::io::Error),
    /// The truth could not be written.
    #[error("the truth about a sweep could not be written: {0}")]
    Truth(#[source] std::io::Error),
    /// The log of the line could not be written.
    #[error("the log of the line could not be written: {0}")]
    LineLog(#[source] std::io::Error),
}

/// A device on a pseudo-terminal.
pub struct Server {
    device: Box<dyn SimulatedInstrument>,
    pty: Pty,
    time_scale: f64,
    truth: Option<Box<dyn Write + Send>>,
    switched: Option<Box<dyn Write + Send>>,
    started: Instant,
    pending: Vec<u8>,
    faults: FaultSettings,
    /// When the port comes back, in device time, while the plug is pulled. It is open already, under no name
    /// that anybody knows.
    unplugged: Option<f64>,
    link: Option<PathBuf>,
    next_piece: Instant,
    cell_was_on: Option<bool>,
}

impl Server {
    /// Opens the port. Clients may open it from now on; they are answered while [`Server::run`] runs.
    ///
    /// # Errors
    /// When there is no port or no link to it, or the time scale makes no sense.
    pub fn open(
        device: impl SimulatedInstrument + 'static,
        settings: ServerSettings,
    ) -> Result<Self, ServerError> {
        let ServerSettings {
            link,
            time_scale,
            truth,
            switched,
        } = settings;
        if !(time_scale.is_finite() && time_scale > 0.0) {
            return Err(ServerError::TimeScale(time_scale));
        }
        let mut pty = Pty::open()?;
        if let Some(link) = &link {
            pty.link(link)?;
        }
        Ok(Self {
            device: Box::new(device),
            pty,
            time_scale,
            truth,
            switched,
            started: Instant::now(),
            pending: Vec::new(),
            faults: FaultSettings {
                line: FaultyLine::new(&[], 0),
                log: None,
                on_port: Box::new(|_| {}),
            },
            unplugged: None,
            link,
            next_piece: Instant::now(),
            cell_was_on: None,
        })
    }

    /// Serves over a line with faults.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultSettings) -> Self {
        self.pending.extend_from_slice(faults.line.greeting());
        self.faults = faults;
        self
    }

    /// The path of the port.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.pty.path()
    }

    /// The link to it.
    #[must_use]
    pub fn link(&self) -> Option<&Path> {
        self.pty.link_path()
    }

    /// Major and minor device number of the port, under which its time scale can be registered.
    #[must_use]
    pub fn device_number(&self) -> (u32, u32) {
        self.pty.device_number()
    }

    /// Serves until `stop` becomes readable or its other end closes. Blocks the thread.
    ///
    /// # Errors
    /// When the line breaks or the truth cannot be written.
    pub fn run(mut self, stop: OwnedFd) -> Result<(), ServerError> {
        if self.device.waits_for_client() && !self.await_client(&stop)? {
            return Ok(());
        }
        loop {
            let blocked = self.pending.len() > BACK_PRESSURE_BYTES;
            if !blocked {
                self.advance()?;
                self.write_truths()?;
            }
            self.flush()?;
            let in_pieces = self.faults.line.in_pieces(self.now_s());
            let timeout = if in_pieces && !self.pending.is_empty() {
                Timespec::try_from(self.next_piece.saturating_duration_since(Instant::now())).ok()
            } else if blocked {
                None
            } else {
                self.until_deadline()
            };
            let mut events = PollFlags::empty();
            if !blocked {
                events |= PollFlags::IN;
            }
            if !self.pending.is_empty() && !in_pieces {
                events |= PollFlags::OUT;
            }
            let mut polled = vec![PollFd::new(&stop, PollFlags::IN)];
            if self.unplugged.is_none() {
                polled.push(PollFd::new(&self.pty, events));
            }
            match poll(&mut polled, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(ServerError::Line(errno.into())),
            }
            let stopped = !polled[0].revents().is_empty();
            let asked = polled
                .get(1)
                .is_some_and(|line| line.revents().contains(PollFlags::IN));
            if stopped {
                self.advance()?;
                return Ok(());
            }
            if asked {
                self.read()?;
            }
        }
    }

    /// Lets the device's time begin when a client opens the port; false where it is told to stop before.
    fn await_client(&mut self, stop: &OwnedFd) -> Result<bool, ServerError> {
        self.pty.let_go();
        let interval = Timespec::try_from(CLIENT_INTERVAL).ok();
        while !self.pty.hold_with_client()? {
            let mut polled = [PollFd::new(stop, PollFlags::IN)];
            match poll(&mut polled, interval.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(false),
                Err(errno) => return Err(ServerError::Line(errno.into())),
            }
        }
        self.started = Instant::now();
        Ok(true)
    }

    /// Lets the device live until now, and what it sends pass the line.
    fn advance(&mut self) -> Result<(), ServerError> {
        loop {
            let now_s = self.now_s();
            if self.unplugged.is_some_and(|until_s| until_s <= now_s) {
                self.plug_in()?;
            }
            let sent = self.device.advance(now_s);
            let hang_up = self.device.take_hang_up();
            self.log_cell(now_s)?;
            if self.faults.line.is_sound() && self.faults.log.is_none() {
                if self.unplugged.is_none() {
                    self.pending.extend_from_slice(&sent);
                }
                if let Some(for_s) = hang_up {
                    self.unplug(now_s + for_s)?;
                }
                return Ok(());
            }
            let garbled = self.is_garbled(now_s);
            let passed = self.faults.line.from_device(&sent, now_s, garbled);
            let is_plugged = self.unplugged.is_none();
            for point in &passed.points {
                let text = String::from_utf8_lossy(&point.text);
                let entry = serde_json::json!({
                    "t_s": now_s, "sent": text.trim_end_matches('\n'), "intact": point.is_intact && is_plugged,
                });
                self.log(&entry)?;
            }
            if is_plugged {
                self.pending.extend_from_slice(&passed.bytes);
            }
            let hang_up = hang_up.map(|for_s| Action::Unplug { for_s });
            let Some(action) = passed.action.or(hang_up) else {
                return Ok(());
            };
            self.log(&serde_json::json!({ "t_s": now_s, "fault": format!("{action:?}") }))?;
            match action {
                Action::Unplug { for_s } => self.unplug(now_s + for_s)?,
                Action::Fail => self.device.fail(now_s),
                Action::Restart => self.device.restart(now_s),
            }
        }
    }

    /// Takes the port away. The one that comes back is opened before, so that its number is another.
    fn unplug(&mut self, until_s: f64) -> Result<(), ServerError> {
        if self.unplugged.is_none() {
            self.flush()?;
            self.pty = Pty::open()?;
            self.unplugged = Some(until_s);
            self.pending.clear();
        }
        Ok(())
    }

    fn plug_in(&mut self) -> Result<(), ServerError> {
        if self.unplugged.take().is_some() {
            // Known under its number before anybody can find it.
            (self.faults.on_port)(self.pty.device_number());
            if let Some(link) = &self.link {
                self.pty.link(link)?;
            }
            self.pending.extend_from_slice(self.faults.line.greeting());
            let port = self.pty.path().display().to_string();
            self.log(&serde_json::json!({ "t_s": self.now_s(), "port": port }))?;
        }
        Ok(())
    }

    /// Whether the computer's end of the line has another rate than the device's.
    fn is_garbled(&self, now_s: f64) -> bool {
        let rates = self.faults.line.baud_rate(now_s).zip(self.pty.baud_rate());
        rates.is_some_and(|(own, theirs)| f64::from(theirs) != own)
    }

    fn log_cell(&mut self, now_s: f64) -> Result<(), ServerError> {
        let is_on = self.device.cell_is_on();
        if is_on != self.cell_was_on {
            self.cell_was_on = is_on;
            self.log(&serde_json::json!({ "t_s": now_s, "cell_on": is_on }))?;
        }
        Ok(())
    }

    fn log(&mut self, entry: &serde_json::Value) -> Result<(), ServerError> {
        let Some(log) = &mut self.faults.log else {
            return Ok(());
        };
        writeln!(log, "{entry}")
            .and_then(|()| log.flush())
            .map_err(ServerError::LineLog)
    }

    fn now_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * self.time_scale
    }

    /// Real time until the device does something of itself.
    fn until_deadline(&self) -> Option<Timespec> {
        let deadline_s = [
            self.device.deadline_s(),
            self.faults.line.deadline_s(),
            self.unplugged,
        ];
        let deadline_s = deadline_s.into_iter().flatten().min_by(f64::total_cmp)?;
        let wait_s = (deadline_s - self.now_s()).max(0.0) / self.time_scale;
        // A nanosecond more, so that rounding does not wake the loop just before its time; a day at most.
        let wait = Duration::from_secs_f64(wait_s.min(86_400.0)) + Duration::from_nanos(1);
        Timespec::try_from(wait).ok()
    }

    fn read(&mut self) -> Result<(), ServerError> {
        let mut bytes = [0; 4096];
        match rustix::io::read(&self.pty, &mut bytes) {
            Ok(count) => {
                let now_s = self.now_s();
                let garbled = self.is_garbled(now_s);
                let arrived = self.faults.line.to_device(&bytes[..count], now_s, garbled);
                self.device.receive(&arrived, now_s);
                Ok(())
            }
            // EIO: all clients are gone; the own end of the line keeps it up, so this passes.
            Err(Errno::AGAIN | Errno::INTR | Errno::IO) => Ok(()),
            Err(errno) => Err(ServerError::Line(errno.into())),
        }
    }

    fn flush(&mut self) -> Result<(), ServerError> {
        let in_pieces = self.faults.line.in_pieces(self.now_s());
        if self.unplugged.is_some() || (in_pieces && Instant::now() < self.next_piece) {
            return Ok(());
        }
        let mut keep = 0;
        if in_pieces && !self.pending.is_empty() {
            self.next_piece = Instant::now() + PIECE_INTERVAL;
            keep = self.pending.len() - self.faults.line.piece(self.pending.len());
        }
        while self.pending.len() > keep {
            match rustix::io::write(&self.pty, &self.pending[..self.pending.len() - keep]) {
                Ok(count) => {
                    self.pending.drain(..count);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(ServerError::Line(errno.into())),
            }
        }
        Ok(())
    }

    fn write_truths(&mut self) -> Result<(), ServerError> {
        for truth in self.device.take_truths() {
            write_line(self.truth.as_mut(), &truth)?;
        }
        for switched in self.device.take_switched() {
            write_line(self.switched.as_mut(), &switched)?;
        }
        Ok(())
    }
}

fn write_line(
    sink: Option<&mut Box<dyn Write + Send>>,
    value: &impl serde::Serialize,
) -> Result<(), ServerError> {
    let Some(sink) = sink else { return Ok(()) };
    let mut line = serde_json::to_vec(value).map_err(|error| ServerError::Truth(error.into()))?;
    line.push(b'\n');
    sink.write_all(&line)
        .and_then(|()| sink.flush())
        .map_err(ServerError::Truth)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    use super::super::tests::{EIS, device};
    use super::*;

    #[test]
    fn a_client_of_the_port_gets_a_sweep_and_the_truth_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (link, truth) = (folder.path().join("port"), folder.path().join("truth.jsonl"));
        let settings = ServerSettings {
            link: Some(link.clone()),
            time_scale: 1000.0,
            truth: Some(Box::new(std::fs::File::create(&truth).unwrap())),
            switched: None,
        };
        let server = Server::open(device(), settings).unwrap();
        let (stop, keep) = std::io::pipe().unwrap();
        let thread = std::thread::spawn(move || server.run(stop.into()));
        let flags = (OFlags::NOCTTY | OFlags::CLOEXEC).bits() as i32;
        let mut port = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&link)
            .unwrap();
        port.write_all(EIS.as_bytes()).unwrap();
        let lines: Vec<_> = BufReader::new(&port)
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
            .collect();
        assert_eq!(lines.iter().map(|line| &line[..1]).collect::<String>(), "eMPPP*");
        drop(keep);
        thread.join().unwrap().unwrap();
        assert!(link.symlink_metadata().is_err());
        let truth = std::fs::read_to_string(&truth).unwrap();
        let value: serde_json::Value = serde_json::from_str(&truth).unwrap();
        assert_eq!(value["true"]["R1"]["mean"], 1000.0);
    }

    #[test]
    fn a_client_that_reads_late_gets_everything_and_a_flood_does_not_pile_up() {
        const COUNT: usize = 30_000;
        let settings = ServerSettings {
            link: None,
            time_scale: 1000.0,
            truth: None,
            switched: None,
        };
        let mut server = Server::open(device(), settings).unwrap();
        let script = format!(
            "e\nvar a\nstore_var a 0i ja\nloop a < {COUNT}i\nadd_var a 1i\npck_start\npck_add a\npck_end\nendloop\n\n"
        );
        server.device.receive(script.as_bytes(), 0.0);
        // A long time without a reader: what the device would send by then is more than is held.
        server.pending = server.device.advance(1e9);
        assert!(server.pending.len() < BACK_PRESSURE_BYTES);
        let path = server.path().to_owned();
        let (stop, keep) = std::io::pipe().unwrap();
        let thread = std::thread::spawn(move || server.run(stop.into()));
        let flags = (OFlags::NOCTTY | OFlags::CLOEXEC).bits() as i32;
        let port = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&path)
            .unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let mut packages = 0;
        for line in BufReader::new(&port)
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
        {
            if line.starts_with('P') {
                packages += 1;
                assert_eq!(line, format!("Pja{:07X}i", (1 << 27) + packages));
            }
        }
        assert_eq!(packages, COUNT);
        drop(keep);
        thread.join().unwrap().unwrap();
    }

    #[test]
    fn serving_ends_at_once_while_nobody_reads() {
        let settings = ServerSettings {
            link: None,
            time_scale: 1000.0,
            truth: None,
            switched: None,
        };
        let mut server = Server::open(device(), settings).unwrap();
        server
            .device
            .receive(b"e\nloop 1i == 1i\nsend_string \"flood\"\nendloop\n\n", 0.0);
        let (stop, keep) = std::io::pipe().unwrap();
        let thread = std::thread::spawn(move || server.run(stop.into()));
        std::thread::sleep(Duration::from_millis(50));
        drop(keep);
        thread.join().unwrap().unwrap();
    }

    #[test]
    fn a_time_scale_that_is_not_above_zero_is_refused() {
        for time_scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let settings = ServerSettings {
                link: None,
                time_scale,
                truth: None,
                switched: None,
            };
            assert!(matches!(
                Server::open(device(), settings),
                Err(ServerError::TimeScale(_))
            ));
        }
    }
}
