//! Where the events of a session go: stamped, numbered, folded, and on disk before anyone sees them.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::clock::SessionClock;
use crate::event::EventBody;
use crate::recording::{
    Closed, DiskCondition, META_STATE_DIGEST, META_STATE_VERSION, Recorder, RecorderHooks, WriteError, Writer,
};
use crate::state::{STATE_VERSION, State};

/// What others are told about the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// All events up to this seq are on disk.
    pub seq: u64,
    /// How the disk does.
    pub disk: DiskCondition,
}

/// What the session itself is told about the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The disk does better or worse; in the words of the error, where there was one.
    Disk(DiskCondition, String),
    /// Nothing will be recorded any more.
    Ended,
}

/// The events of a running session.
pub struct Journal {
    clock: SessionClock,
    recorder: Recorder,
    state: Arc<Mutex<State>>,
    news: mpsc::UnboundedReceiver<News>,
}

impl Journal {
    /// Begins to record, after the events that `state` has seen already; what is on disk, and how the disk does,
    /// is told through `progress`.
    ///
    /// # Errors
    /// Where the recording thread cannot be started.
    pub fn begin(
        clock: SessionClock,
        writer: Writer,
        state: State,
        progress: watch::Sender<Progress>,
    ) -> Result<Self, WriteError> {
        let state = Arc::new(Mutex::new(state));
        let progress = Arc::new(progress);
        let (tell, news) = mpsc::unbounded_channel();
        let folded = Arc::clone(&state);
        let (committed, tell_disk) = (Arc::clone(&progress), tell.clone());
        let recorder = Recorder::spawn(
            writer,
            RecorderHooks {
                on_event: Box::new(move |event| {
                    folded.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
                }),
                on_commit: Box::new(move |commit| {
                    committed.send_modify(|progress| progress.seq = commit.last_seq);
                }),
                on_disk: Box::new(move |disk, error| {
                    let words = error.map(ToString::to_string).unwrap_or_default();
                    tracing::warn!("disk: {disk:?} {words}");
                    progress.send_modify(|progress| progress.disk = disk);
                    let _ = tell_disk.send(News::Disk(disk, words));
                }),
                on_error: Box::new(move |error| {
                    tracing::error!("recording: {error}");
                    let _ = tell.send(News::Ended);
                }),
            },
        )?;
        Ok(Self {
            clock,
            recorder,
            state,
            news,
        })
    }

    /// Records an event that happens now.
    pub fn record(&self, body: EventBody) {
        let kind = body.kind();
        if self.recorder.record(self.clock.stamp(), body).is_err() {
            tracing::error!("not recorded: {kind}");
        }
    }

    /// Waits until there is something to know about the recording itself.
    pub async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => pending().await,
        }
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
            let digest = writer.digest_of(&state.lock().unwrap_or_else(PoisonError::into_inner))?;
            writer.set_meta(META_STATE_DIGEST, &digest)?;
            writer.set_meta(META_STATE_VERSION, &STATE_VERSION.to_string())
        })
    }
}
