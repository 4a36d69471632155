//! The lifeline: a pipe whose closing ends a process that would otherwise go on by itself. Tests hold
//! the other end, so that nothing outlives them.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

/// The environment variable that names the pipe.
pub const VARIABLE: &str = "INTERPHASE_LIFELINE";

/// Calls back, from a thread of its own, when the pipe named in [`VARIABLE`] has no writer any more.
/// Does nothing where the variable is not set; a pipe that cannot be opened counts as closed.
pub fn on_cut(call: impl FnOnce() + Send + 'static) {
    let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        return;
    };
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    let spawned = std::thread::Builder::new()
        .name("lifeline".to_owned())
        .spawn(move || {
            if let Ok(mut pipe) = opened {
                let mut byte = [0];
                loop {
                    let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
                    if poll(&mut fds, None).is_err() {
                        continue;
                    }
                    if matches!(pipe.read(&mut byte), Ok(0)) {
                        break;
                    }
                }
            }
            call();
        });
    if let Err(error) = spawned {
        tracing::error!("lifeline: {error}");
    }
}
