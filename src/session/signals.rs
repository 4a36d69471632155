//! Signals as calls: for processes that do not run an event loop of their own.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Calls back, from a thread of its own, each time the process is interrupted or asked to terminate.
///
/// # Errors
/// Where the handlers cannot be installed.
pub fn on_stop(mut call: impl FnMut() + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => call(),
                        _ = terminate.recv() => call(),
                    }
                }
            });
        })?;
    Ok(())
}
