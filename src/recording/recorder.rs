//! The thread that owns the writer, so that measuring never waits for the disk.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use super::commit_policy::CommitPolicy;
use super::error::WriteError;
use super::writer::{Closed, Committed, Writer};
use crate::event::{Event, EventBody, Stamp};

/// Events that may wait for the disk: minutes of a busy session. When the queue is full, recording an event waits;
/// nothing is ever dropped.
const QUEUE: usize = 16_384;

/// Who is told what, always on the recording thread.
pub struct RecorderHooks {
    /// Every event in order, exactly as a replay will see it, just before it is appended.
    pub on_event: Box<dyn FnMut(&Event) + Send>,
    /// Every commit: what is up to its last number may be shown.
    pub on_commit: Box<dyn FnMut(Committed) + Send>,
    /// The error that ends the recording, once.
    pub on_error: Box<dyn FnMut(&WriteError) + Send>,
}

impl Default for RecorderHooks {
    fn default() -> Self {
        Self {
            on_event: Box::new(|_| {}),
            on_commit: Box::new(|_| {}),
            on_error: Box::new(|_| {}),
        }
    }
}

/// What is left to do with the writer before the recording is closed, such as keeping the digest of the state.
type Finish = Box<dyn FnOnce(&mut Writer) -> Result<(), WriteError> + Send>;

enum Message {
    Event(Stamp, Box<EventBody>),
    Flush(SyncSender<()>),
    Close(Finish),
}

/// The recording has ended, by an error or because it was closed: the event was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording has ended; the event was not recorded")]
pub struct RecordingEnded;

/// Hands events to the recording thread; may be cloned and used from several threads.
#[derive(Clone)]
pub struct RecorderHandle {
    sender: SyncSender<Message>,
}

impl RecorderHandle {
    /// Hands over an event, which gets the next number. Returns at once unless the disk is minutes behind.
    ///
    /// # Errors
    /// The recording has ended.
    pub fn record(&self, stamp: Stamp, body: EventBody) -> Result<(), RecordingEnded> {
        let sent = self.sender.send(Message::Event(stamp, Box::new(body)));
        sent.map_err(|_| RecordingEnded)
    }

    /// Waits until everything handed over before is safely on disk.
    ///
    /// # Errors
    /// The recording has ended.
    pub fn flush(&self) -> Result<(), RecordingEnded> {
        let (done, wait) = sync_channel(1);
        let sent = self.sender.send(Message::Flush(done));
        sent.map_err(|_| RecordingEnded)?;
        wait.recv().map_err(|_| RecordingEnded)
    }
}

/// A recording in progress. Dropping it without [`Recorder::close`] commits and closes too, but tells nobody how
/// that went except the error hook.
pub struct Recorder {
    handle: RecorderHandle,
    thread: JoinHandle<Result<Closed, WriteError>>,
}

impl Recorder {
    /// Starts the recording thread.
    ///
    /// # Errors
    /// The system starts no more threads.
    pub fn spawn(writer: Writer, hooks: RecorderHooks) -> Result<Self, WriteError> {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || run(writer, hooks, &receiver))
            .map_err(|error| WriteError::Thread {
                what: format!("could not be started: {error}"),
            })?;
        Ok(Self {
            handle: RecorderHandle { sender },
            thread,
        })
    }

    /// Something to record with.
    #[must_use]
    pub fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// As [`RecorderHandle::record`].
    ///
    /// # Errors
    /// The recording has ended.
    pub fn record(&self, stamp: Stamp, body: EventBody) -> Result<(), RecordingEnded> {
        self.handle.record(stamp, body)
    }

    /// As [`RecorderHandle::flush`].
    ///
    /// # Errors
    /// The recording has ended.
    pub fn flush(&self) -> Result<(), RecordingEnded> {
        self.handle.flush()
    }

    /// Whether the recording goes on.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Commits everything handed over, lets `finish` see to what is left (all events are committed then), and closes
    /// the file. Events handed over later are refused.
    ///
    /// # Errors
    /// The error that ended the recording, now or before.
    pub fn close(
        self,
        finish: impl FnOnce(&mut Writer) -> Result<(), WriteError> + Send + 'static,
    ) -> Result<Closed, WriteError> {
        // Where the thread has ended already, its result says why.
        let _ = self.handle.sender.send(Message::Close(Box::new(finish)));
        self.thread.join().unwrap_or_else(|_| {
            Err(WriteError::Thread {
                what: "ended by a fault in the program".into(),
            })
        })
    }
}

fn run(
    mut writer: Writer,
    mut hooks: RecorderHooks,
    receiver: &Receiver<Message>,
) -> Result<Closed, WriteError> {
    let recorded = record_until_close(&mut writer, &mut hooks, receiver);
    let closed = recorded.and_then(|finish| {
        finish(&mut writer)?;
        writer.close()
    });
    if let Err(error) = &closed {
        (hooks.on_error)(error);
    }
    closed
}

/// Records what comes, and commits by the policy, until told to close or until nobody is left to tell.
fn record_until_close(
    writer: &mut Writer,
    hooks: &mut RecorderHooks,
    receiver: &Receiver<Message>,
) -> Result<Finish, WriteError> {
    let mut policy = CommitPolicy::default();
    loop {
        if policy.is_due(Instant::now()) {
            commit(writer, hooks, &mut policy)?;
        }
        let message = match policy.deadline() {
            Some(deadline) => receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(Message::Event(stamp, body)) => {
                let event = writer.prepare(stamp, *body)?;
                (hooks.on_event)(&event);
                writer.append_event(&event)?;
                policy.appended(Instant::now());
            }
            Ok(Message::Flush(done)) => {
                commit(writer, hooks, &mut policy)?;
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Ok(Message::Close(finish)) => {
                commit(writer, hooks, &mut policy)?;
                return Ok(finish);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                commit(writer, hooks, &mut policy)?;
                return Ok(Box::new(|_| Ok(())));
            }
        }
    }
}

fn commit(
    writer: &mut Writer,
    hooks: &mut RecorderHooks,
    policy: &mut CommitPolicy,
) -> Result<(), WriteError> {
    if let Some(committed) = writer.commit()? {
        (hooks.on_commit)(committed);
    }
    policy.committed();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::super::sample::session_of;
    use super::super::{Opening, Reader};
    use super::*;

    #[test]
    fn hooks_see_every_event_in_order_and_only_committed_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
        let (events, commits) = (Arc::clone(&seen), Arc::clone(&seen));
        let reader_path = path.clone();
        let hooks = RecorderHooks {
            on_event: Box::new(move |event| events.lock().unwrap().0.push(event.clone())),
            on_commit: Box::new(move |committed| {
                let on_disk = Reader::open(&reader_path).unwrap().last_seq().unwrap();
                commits.lock().unwrap().1.push((committed.last_seq, on_disk));
            }),
            ..RecorderHooks::default()
        };
        let writer = Writer::create(&path, &Opening::default()).unwrap();
        let recorder = Recorder::spawn(writer, hooks).unwrap();
        for (number, (stamp, body)) in session_of(2, 20).into_iter().enumerate() {
            recorder.record(stamp, body).unwrap();
            if number == 10 {
                recorder.flush().unwrap();
                assert_eq!(Reader::open(&path).unwrap().last_seq().unwrap(), 11);
            }
        }
        let closed = recorder
            .close(|writer| writer.set_meta("state_digest", "abc"))
            .unwrap();
        let (events, commits) = seen.lock().unwrap().clone();
        let mut reader = Reader::open(&path).unwrap();
        let read: Vec<Event> = reader.events(0).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, events);
        assert_eq!(closed.last_seq, events.len() as u64);
        assert!(closed.settled);
        assert!(
            commits.iter().all(|(told, on_disk)| told == on_disk),
            "{commits:?}"
        );
        assert_eq!(reader.meta("state_digest").unwrap().as_deref(), Some("abc"));
    }

    #[test]
    fn what_was_recorded_is_on_disk_soon_without_asking() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let (told, commits) = sync_channel(100);
        let hooks = RecorderHooks {
            on_commit: Box::new(move |committed| told.send(committed.last_seq).unwrap()),
            ..RecorderHooks::default()
        };
        let recorder = Recorder::spawn(Writer::create(&path, &Opening::default()).unwrap(), hooks).unwrap();
        for (stamp, body) in session_of(1, 1).into_iter().take(3) {
            recorder.record(stamp, body).unwrap();
        }
        assert_eq!(commits.recv_timeout(Duration::from_secs(20)), Ok(3));
        recorder.close(|_| Ok(())).unwrap();
    }

    #[test]
    fn after_an_error_the_hook_and_close_say_so_and_no_event_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let (told, errors) = sync_channel(10);
        let hooks = RecorderHooks {
            on_error: Box::new(move |error| told.send(error.to_string()).unwrap()),
            ..RecorderHooks::default()
        };
        let mut writer = Writer::create(&path, &Opening::default()).unwrap();
        let mut session = session_of(1, 1).into_iter();
        let (stamp, body) = session.next().unwrap();
        writer.append(stamp, body).unwrap();
        writer.commit().unwrap();
        writer.fill_disk();
        let recorder = Recorder::spawn(writer, hooks).unwrap();
        let blob = EventBody::Wire(crate::event::Wire {
            direction: crate::event::Direction::Rx,
            bytes: vec![7; 1 << 20],
        });
        recorder.record(stamp, blob).unwrap();
        let said = errors.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(said.contains("up to number 1 are safe"), "{said}");
        let handle = recorder.handle();
        assert!(recorder.close(|_| Ok(())).is_err());
        let (stamp, body) = session.next().unwrap();
        assert_eq!(handle.record(stamp, body), Err(RecordingEnded));
        assert_eq!(Reader::open(&path).unwrap().last_seq().unwrap(), 1);
    }
}
