//! The control socket of a running session: takes requests, and tells what is on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::Mode;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};

use super::control::{Request, Tell, line_of};
use super::journal::Progress;

/// A line longer than this is not a request.
const LONGEST_LINE: usize = 64 * 1024;
/// How often the socket is looked for, in case somebody removed it.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// Binds the socket, readable and writable by its owner alone. What a killed session left is replaced.
///
/// # Errors
/// Where the folder does not allow it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    listener
}

/// Serves screens and commands until the session ends. A socket that vanishes is bound again.
pub async fn serve(
    mut listener: UnixListener,
    path: PathBuf,
    requests: mpsc::Sender<Request>,
    progress: watch::Receiver<Progress>,
) {
    let mut look = tokio::time::interval(LOOK_AFTER);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve_one(stream, requests.clone(), progress.clone()));
                }
                Err(error) => {
                    tracing::warn!("control socket: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = look.tick() => {
                if !path.exists() {
                    match bind(&path) {
                        Ok(bound) => listener = bound,
                        Err(error) => tracing::warn!("control socket {}: {error}", path.display()),
                    }
                }
            }
        }
    }
}

async fn serve_one(
    stream: UnixStream,
    requests: mpsc::Sender<Request>,
    mut progress: watch::Receiver<Progress>,
) {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let mut line = Vec::new();
    let mut told = Progress::default();
    progress.mark_changed();
    loop {
        tokio::select! {
            changed = progress.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *progress.borrow_and_update();
                let mut text = String::new();
                if now.disk != told.disk {
                    text.push_str(&line_of(&Tell::Disk(now.disk)));
                }
                if now.seq != told.seq || text.is_empty() {
                    text.push_str(&line_of(&Tell::Committed { seq: now.seq }));
                }
                told = now;
                if writing.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            // What was read of a line stays in `line` when this branch is cancelled.
            whole = read_line(&mut reading, &mut line) => {
                if !matches!(whole, Ok(true)) {
                    return;
                }
                let answer = match Request::parse(String::from_utf8_lossy(&line).trim()) {
                    Ok(request) => match requests.send(request).await {
                        Ok(()) => Tell::Ok,
                        Err(_) => return,
                    },
                    Err(why) => Tell::Refused { why },
                };
                line.clear();
                if writing.write_all(line_of(&answer).as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads up to a line end; false where the other side has closed, or the line is too long for a request.
async fn read_line(reading: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let available = reading.fill_buf().await?;
        if available.is_empty() {
            return Ok(false);
        }
        let end = available.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        line.extend_from_slice(&available[..taken]);
        reading.consume(taken);
        if line.len() > LONGEST_LINE {
            return Ok(false);
        }
        if end.is_some() {
            return Ok(true);
        }
    }
}
