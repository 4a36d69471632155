//! Where the events of a session go: stamped, numbered, folded, and on disk before anyone sees them.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::clock::SessionClock;
use crate::event::EventBody;
use crate::recording::{
    Closed, META_STATE_DIGEST, META_STATE_VERSION, Recorder, RecorderHooks, WriteError, Writer,
};
use crate::state::{STATE_VERSION, State};

/// The events of a running session.
pub struct Journal {
    clock: SessionClock,
    recorder: Recorder,
    state: Arc<Mutex<State>>,
    failed: watch::Receiver<bool>,
    failure_told: bool,
}

impl Journal {
    /// Begins to record; what is on disk is told through `committed`.
    ///
    /// # Errors
    /// Where the recording thread cannot be started.
    pub fn begin(
        clock: SessionClock,
        writer: Writer,
        committed: watch::Sender<u64>,
    ) -> Result<Self, WriteError> {
        let state = Arc::new(Mutex::new(State::new()));
        let (tell_failed, failed) = watch::channel(false);
        let folded = Arc::clone(&state);
        let recorder = Recorder::spawn(
            writer,
            RecorderHooks {
                on_event: Box::new(move |event| {
                    folded.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
                }),
                on_commit: Box::new(move |commit| {
                    committed.send_replace(commit.last_seq);
                }),
                on_error: Box::new(move |error| {
                    tracing::error!("recording: {error}");
                    tell_failed.send_replace(true);
                }),
            },
        )?;
        Ok(Self {
            clock,
            recorder,
            state,
            failed,
            failure_told: false,
        })
    }

    /// Records an event that happens now.
    pub fn record(&self, body: EventBody) {
        let kind = body.kind();
        if self.recorder.record(self.clock.stamp(), body).is_err() {
            tracing::error!("not recorded: {kind}");
        }
    }

    /// Waits until nothing can be recorded any more; told once.
    pub async fn failure(&mut self) {
        if self.failure_told || self.failed.wait_for(|failed| *failed).await.is_err() {
            return pending().await;
        }
        self.failure_told = true;
    }

    /// Waits until everything recorded so far is on disk.
    pub fn flush(&self) {
        if self.recorder.flush().is_err() {
            tracing::error!("the last events are not on disk");
        }
    }

    /// Closes the recording, with the digest of the state in it.
    ///
    /// # Errors
    /// The error that ended the recording.
    pub fn close(self) -> Result<Closed, WriteError> {
        let state = self.state;
        self.recorder.close(move |writer| {
            let digest = state.lock().unwrap_or_else(PoisonError::into_inner).digest();
            writer.set_meta(META_STATE_DIGEST, &digest)?;
            writer.set_meta(META_STATE_VERSION, &STATE_VERSION.to_string())
        })
    }
}
