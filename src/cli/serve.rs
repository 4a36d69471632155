//! `interphase replay FILE --serve`: a recorded session's instrument on a pseudo terminal.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

use super::output;
use super::serving::{self, Serving};
use crate::recording::Reader;
use crate::session::runtime::SimulatorInfo;
use crate::simulator::{Conversation, FaultyLine, RecordedDevice, Server, ServerSettings};

/// How much slower or faster an instrument may live than its clients.
const TIME_SCALES: std::ops::RangeInclusive<f64> = 1e-3..=1e5;

/// What is to be served, and how.
pub(super) struct Request<'a> {
    pub recording: &'a Path,
    pub link: Option<&'a Path>,
    /// How much faster than it happened on the line.
    pub speed: f64,
    pub json: bool,
}

pub(super) fn run(request: &Request<'_>) -> anyhow::Result<ExitCode> {
    let conversation = Conversation::of(&mut Reader::open(request.recording)?)?;
    let time_scale = conversation.time_scale * request.speed;
    if !TIME_SCALES.contains(&time_scale) {
        bail!(
            "--speed {}: this session ran {} times faster than the wall clock, so the speed must be between {} and {}",
            request.speed,
            conversation.time_scale,
            TIME_SCALES.start() / conversation.time_scale,
            TIME_SCALES.end() / conversation.time_scale
        );
    }
    let (instrument, cell) = (conversation.instrument.clone(), conversation.cell.clone());
    let device = RecordedDevice::new(conversation, time_scale, |text: &str| output::message(text));
    let settings = ServerSettings {
        link: request.link.map(Path::to_owned),
        time_scale,
        truth: None,
        switched: None,
    };
    let server = Server::open(device, settings)?;
    let info = SimulatorInfo {
        pid: std::process::id(),
        instrument,
        cell,
        // Its noise is what was measured.
        seed: 0,
        time_scale,
        link: server.link().and_then(|link| std::path::absolute(link).ok()),
    };
    serving::serve(Serving {
        server,
        info,
        line: FaultyLine::new(&[], 0),
        log: None,
        until_stdin_closes: false,
        json: request.json,
    })
}
