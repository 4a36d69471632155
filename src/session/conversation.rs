//! One instrument on one port, job after job, without a recording: for looking before measuring.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::runtime::RuntimeDirectory;
use crate::instrument::port::Port;
use crate::instrument::{Done, Instrument, InstrumentIdentity, Job, Output, PortError, driver_for};
use crate::profile;
use crate::spectrum::Point;

/// An instrument that is spoken to.
pub(super) struct Conversation {
    port: Port,
    driver: Box<dyn Instrument>,
    began: Instant,
    time_scale: f64,
    interrupts: Signal,
    terminations: Signal,
    /// Whether somebody has asked to end it.
    pub interrupted: bool,
    /// Who it is, once it has said so.
    pub identity: Option<InstrumentIdentity>,
    /// The points that it has measured.
    pub points: Vec<Point>,
    /// What the driver found worth saying.
    pub remarks: Vec<String>,
    /// Why the port is gone.
    pub lost: Option<PortError>,
}

impl Conversation {
    /// Opens the port. Within a tokio runtime.
    pub fn open(
        path: &Path,
        instrument: &profile::Instrument,
        channel: u32,
        time_scale: f64,
        runtime: &RuntimeDirectory,
    ) -> Result<Self, PortError> {
        let handler = |kind| {
            signal(kind).map_err(|error| PortError::Open {
                path: path.to_owned(),
                reason: error.to_string(),
            })
        };
        Ok(Self {
            interrupts: handler(SignalKind::interrupt())?,
            terminations: handler(SignalKind::terminate())?,
            port: Port::open(path, &instrument.link, runtime.path())
                .map_err(|error| runtime.name_session(error))?,
            driver: driver_for(instrument, channel, time_scale),
            began: Instant::now(),
            time_scale,
            interrupted: false,
            identity: None,
            points: Vec::new(),
            remarks: Vec::new(),
            lost: None,
        })
    }

    fn now_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * self.time_scale
    }

    /// Does a job to its end. Being interrupted ends it, cell off.
    pub async fn job(&mut self, job: Job) -> Done {
        self.driver.start(job, self.now_s());
        let mut buffer = [0; 4096];
        loop {
            while let Some(output) = self.driver.take_output() {
                match output {
                    Output::Send(bytes) => {
                        if let Err(error) = self.port.write_all(&bytes).await {
                            self.lose(error);
                        }
                    }
                    Output::Identity(identity) => self.identity = Some(identity),
                    Output::Point(point) => self.points.push(point),
                    Output::Remark(text) => self.remarks.push(text),
                    Output::Done(done) => return done,
                    Output::Sample(_) | Output::SweepBegan => {}
                }
            }
            let now_s = self.now_s();
            let wait_s = self
                .driver
                .deadline_s()
                .map_or(1.0, |at_s| ((at_s - now_s) / self.time_scale).clamp(0.0, 60.0));
            tokio::select! {
                _ = self.interrupts.recv() => self.interrupt(),
                _ = self.terminations.recv() => self.interrupt(),
                read = self.port.read(&mut buffer) => match read {
                    Ok(count) => {
                        let now_s = self.now_s();
                        self.driver.receive(&buffer[..count], now_s);
                    }
                    Err(error) => self.lose(error),
                },
                () = tokio::time::sleep(Duration::from_secs_f64(wait_s)) => {
                    let now_s = self.now_s();
                    self.driver.tick(now_s);
                }
            }
        }
    }

    fn interrupt(&mut self) {
        self.interrupted = true;
        let now_s = self.now_s();
        self.driver.abort(now_s);
    }

    fn lose(&mut self, error: PortError) {
        self.lost = Some(error);
        self.driver.link_lost();
    }
}
