//! A simulated or recorded instrument on its port, until the process is told to end.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use super::output;
use crate::session::runtime::{RuntimeDirectory, SimulatorInfo};
use crate::session::{lifeline, signals};
use crate::simulator::{FaultSettings, FaultyLine, Server};

/// What is served, and how it is announced.
pub(super) struct Serving {
    pub server: Server,
    /// What others find under the number of its port.
    pub info: SimulatorInfo,
    /// What goes wrong on its line.
    pub line: FaultyLine,
    /// Takes what passes the line as JSON lines.
    pub log: Option<Box<dyn Write + Send>>,
    /// Whether it also ends when standard input closes.
    pub until_stdin_closes: bool,
    /// Whether the port is announced as a JSON object.
    pub json: bool,
}

/// Serves until the process is interrupted, asked to terminate, or cut off.
pub(super) fn serve(serving: Serving) -> anyhow::Result<ExitCode> {
    let Serving {
        server,
        info,
        line,
        log,
        until_stdin_closes,
        json,
    } = serving;
    // Held until the server has ended, so that a session finds the time scale of this port.
    let runtime = RuntimeDirectory::open()?;
    let registration = runtime.register_simulator(server.device_number(), &info)?;
    let mut registered = Some(registration);
    let server = server.with_faults(FaultSettings {
        line,
        log,
        on_port: Box::new(move |device| {
            drop(registered.take());
            registered = runtime.register_simulator(device, &info).ok();
        }),
    });
    let (stop, keep) = std::io::pipe()?;
    let keep = Arc::new(Mutex::new(Some(keep)));
    let end = {
        let keep = Arc::clone(&keep);
        // Closing the pipe ends the server.
        move || drop(keep.lock().unwrap_or_else(PoisonError::into_inner).take())
    };
    signals::on_stop(end.clone())?;
    lifeline::on_cut(end.clone());
    if until_stdin_closes {
        std::thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                let mut bytes = [0; 64];
                while !matches!(std::io::stdin().read(&mut bytes), Ok(0) | Err(_)) {}
                end();
            })?;
    }
    announce(&server, json)?;
    server.run(stop.into())?;
    Ok(ExitCode::SUCCESS)
}

fn announce(server: &Server, json: bool) -> anyhow::Result<()> {
    let port = server.path().display().to_string();
    let link = server.link().map(|link| link.display().to_string());
    if json {
        output::line(serde_json::json!({ "port": port, "link": link }).to_string())?;
    } else {
        output::line(port)?;
    }
    Ok(())
}
