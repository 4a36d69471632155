//! `interphase simulate`: a simulated instrument on a pseudo-terminal.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::serving::{self, Serving};
use crate::profile::{Cell, Instrument, Kind, find};
use crate::session::runtime::SimulatorInfo;
use crate::simulator::{
    CellModel, Device, DeviceSettings, Fault, FaultKind, FaultyLine, LineDevice, LineDeviceSettings, Persona,
    Server, ServerSettings, read_faults,
};

/// Serve a simulated instrument on a pseudo-terminal until it is interrupted. The first line of standard
/// output is the path of the port.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct SimulateArgs {
    /// Instrument to be: a profile's name or file
    #[arg(long, value_name = "PROFILE")]
    instrument: String,
    /// Cell to measure: a profile's name or file
    #[arg(long, value_name = "PROFILE")]
    cell: String,
    /// Make a symbolic link to the port, removed at the end
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// How much faster than the wall clock the instrument and its cell live
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Seed of the noise: the same measurement with the same seed gives the same values
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Serial number of the instrument; made from the seed where not given
    #[arg(long, value_name = "TEXT", value_parser = serial)]
    serial: Option<String>,
    /// Write what the cell really was in each sweep, as JSON lines
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Write when the cell was switched on and off, with its potential, as JSON lines
    #[arg(long, value_name = "FILE")]
    cell_log: Option<PathBuf>,
    /// Make something go wrong: KIND[=RATE][@WHEN][+DURATION], or a TOML file of faults; see below
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// Write the points that were sent, the faults, and when the cell was switched, as JSON lines
    #[arg(long, value_name = "FILE")]
    line_log: Option<PathBuf>,
    /// Announce the port as a JSON object
    #[arg(long)]
    json: bool,
    /// End when standard input closes
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

/// The example, and the faults that there are.
fn after_help() -> String {
    let kinds = FaultKind::ALL.map(|kind| format!("  {:<10} {}", kind.word(), kind.text()));
    format!(
        "Example:\n  interphase simulate --instrument es4_hr --cell li_lpscl_li --link /tmp/es4 --time-scale 100\n\n\
         Faults, --fault KIND[=RATE][@WHEN][+DURATION], as often as wanted:\n{}\n\
         @30s is 30 s of the instrument's time after its start, @2.5 is after point 5 of the second impedance loop; \
         +10s is how long it lasts (10 s where not given).\n  \
         --fault unplug@2.5+20s        pulled in the second sweep, back 20 s later\n  \
         --fault drop=0.001            one byte of a thousand is lost\n  \
         --fault pieces --fault nan@1.3\n  \
         --fault bad_day.toml          [[fault]] with kind, at_s or sweep and point, rate, for_s",
        kinds.join("\n")
    )
}

/// The faults of the command line: each written out, or a file of them.
fn faults_of(arguments: &[String]) -> anyhow::Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if path.extension().is_some_and(|extension| extension == "toml") {
            faults.extend(read_faults(path)?);
        } else {
            faults.push(argument.parse()?);
        }
    }
    Ok(faults)
}

/// A file for JSON lines.
fn sink(path: Option<PathBuf>) -> anyhow::Result<Option<Box<dyn Write + Send>>> {
    let Some(path) = path else { return Ok(None) };
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&path);
    let file = file.with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(Some(Box::new(file)))
}

/// A serial number as the protocol can carry it.
fn serial(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain {
        Ok(text.to_owned())
    } else {
        Err("a serial number is 1 to 32 letters and digits".to_owned())
    }
}

pub(super) fn run(args: SimulateArgs) -> anyhow::Result<ExitCode> {
    if !(1e-3..=1e5).contains(&args.time_scale) {
        bail!(
            "--time-scale {}: must be between 0.001 and 100000",
            args.time_scale
        );
    }
    let instrument = find(Kind::Instrument, &args.instrument)?;
    let instrument = Instrument::parse(&instrument.origin, &instrument.text)?;
    let cell = find(Kind::Cell, &args.cell)?;
    let cell = Cell::parse(&cell.origin, &cell.text)?;
    let model = CellModel::from_profile(&cell)?;
    let faults = faults_of(&args.faults)?;
    let (truth, switched) = (sink(args.truth)?, sink(args.cell_log)?);
    let line_log = sink(args.line_log)?;
    let server_settings = ServerSettings {
        link: args.link,
        time_scale: args.time_scale,
        truth,
        switched,
    };
    let line = LineDeviceSettings::new(&instrument, args.serial.clone(), model.clone(), args.seed);
    let server = if let Some(settings) = line {
        Server::open(LineDevice::new(settings), server_settings)?
    } else {
        let persona = Persona::of_device(&instrument.device)?;
        let settings = DeviceSettings {
            serial: args.serial.unwrap_or_else(|| persona.serial(args.seed)),
            persona,
            cell: model,
            seed: args.seed,
        };
        Server::open(Device::new(settings), server_settings)?
    };
    let info = SimulatorInfo {
        pid: std::process::id(),
        instrument: instrument.name,
        cell: cell.name,
        seed: args.seed,
        time_scale: args.time_scale,
        link: server.link().and_then(|link| std::path::absolute(link).ok()),
    };
    serving::serve(Serving {
        server,
        info,
        line: FaultyLine::new(&faults, args.seed),
        log: line_log,
        until_stdin_closes: args.until_stdin_closes,
        json: args.json,
    })
}
