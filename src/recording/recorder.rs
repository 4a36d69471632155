//! The thread that owns the writer, so that measuring never waits for the disk.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::chain::BatchHash;
use super::commit_policy::CommitPolicy;
use super::disk::{DiskCondition, Latency};
use super::error::WriteError;
use super::reader::Reader;
use super::writer::{Closed, Committed, Writer, prepared};
use crate::event::{Event, EventBody, Stamp};

/// Events that may wait for the disk: minutes of a busy session. When the queue is full, recording an event waits;
/// nothing is ever dropped.
const QUEUE: usize = 16_384;
/// How long to wait before a disk that was full or failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Is told how the disk does, and the error that it began with where there was one.
pub type OnDisk = Box<dyn FnMut(DiskCondition, Option<&WriteError>) + Send>;

/// Who is told what, always on the recording thread.
pub struct RecorderHooks {
    /// Every event in order, exactly as a replay will see it, just before it is appended.
    pub on_event: Box<dyn FnMut(&Event) + Send>,
    /// Every commit: what is up to its last number may be shown.
    pub on_commit: Box<dyn FnMut(Committed) + Send>,
    /// How the disk does, when that changes. While it takes nothing, events wait in memory and the file is opened
    /// afresh once a second; the error is the one that began it.
    pub on_disk: OnDisk,
    /// The error that ends the recording, once.
    pub on_error: Box<dyn FnMut(&WriteError) + Send>,
}

impl Default for RecorderHooks {
    fn default() -> Self {
        Self {
            on_event: Box::new(|_| {}),
            on_commit: Box::new(|_| {}),
            on_disk: Box::new(|_, _| {}),
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
    /// The recording has ended, or the disk takes nothing for the time being.
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

fn run(writer: Writer, hooks: RecorderHooks, receiver: &Receiver<Message>) -> Result<Closed, WriteError> {
    let mut keeper = Keeper::new(writer, hooks);
    let closed = keeper
        .record_until_close(receiver)
        .and_then(|(mut writer, finish)| {
            finish(&mut writer)?;
            writer.close()
        });
    if let Err(error) = &closed {
        (keeper.hooks.on_error)(error);
    }
    closed
}

/// The writer and every event since the last commit: what it takes to go on in the same file after an error.
struct Keeper {
    path: PathBuf,
    /// None while the disk does not take anything.
    writer: Option<Writer>,
    hooks: RecorderHooks,
    policy: CommitPolicy,
    latency: Latency,
    /// Number of the last event that is on disk.
    committed: u64,
    /// The events after it, in order.
    pending: Vec<Event>,
    /// Why nothing is taken, and when to try again.
    trouble: Option<(WriteError, Instant)>,
}

impl Keeper {
    fn new(writer: Writer, hooks: RecorderHooks) -> Self {
        Self {
            path: writer.path().to_path_buf(),
            committed: writer.committed(),
            writer: Some(writer),
            hooks,
            policy: CommitPolicy::default(),
            latency: Latency::default(),
            pending: Vec::new(),
            trouble: None,
        }
    }

    /// Records what comes, and commits by the policy, until told to close or until nobody is left to tell.
    fn record_until_close(&mut self, receiver: &Receiver<Message>) -> Result<(Writer, Finish), WriteError> {
        loop {
            let now = Instant::now();
            match &self.trouble {
                Some((_, again_at)) if *again_at <= now => self.try_again()?,
                None if self.policy.is_due(now) => self.commit()?,
                _ => {}
            }
            let deadline = match &self.trouble {
                Some((_, again_at)) => Some(*again_at),
                None => self.policy.deadline(),
            };
            let message = match deadline {
                Some(deadline) => receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Event(stamp, body)) => self.take(stamp, *body)?,
                Ok(Message::Flush(done)) => {
                    self.commit()?;
                    if self.trouble.is_none() {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                    }
                }
                Ok(Message::Close(finish)) => return Ok((self.last_commit()?, finish)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok((self.last_commit()?, Box::new(|_| Ok(()))));
                }
            }
        }
    }

    fn take(&mut self, stamp: Stamp, body: EventBody) -> Result<(), WriteError> {
        let last_seq = self.pending.last().map_or(self.committed, |event| event.seq);
        let event = prepared(last_seq + 1, stamp, body)?;
        (self.hooks.on_event)(&event);
        let appended = self.writer.as_mut().map(|writer| writer.append_event(&event));
        self.pending.push(event);
        self.policy.appended(Instant::now());
        if let Some(Err(error)) = appended {
            self.in_trouble(error);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), WriteError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let began = Instant::now();
        match writer.commit() {
            Ok(Some(committed)) => {
                self.on_disk(committed);
                if let Some(condition) = self.latency.took(began.elapsed()) {
                    (self.hooks.on_disk)(condition, None);
                }
            }
            Ok(None) => self.policy.committed(),
            Err(error) => self.in_trouble(error),
        }
        Ok(())
    }

    fn on_disk(&mut self, committed: Committed) {
        self.committed = committed.last_seq;
        self.pending.retain(|event| event.seq > committed.last_seq);
        self.policy.committed();
        (self.hooks.on_commit)(committed);
    }

    /// The last commit before closing. There is no waiting for a disk here: it is tried once more.
    fn last_commit(&mut self) -> Result<Writer, WriteError> {
        self.commit()?;
        if self.trouble.is_some() {
            self.try_again()?;
        }
        match (self.writer.take(), self.trouble.take()) {
            (Some(writer), None) => Ok(writer),
            (_, Some((error, _))) => Err(error),
            (None, None) => Err(WriteError::Failed {
                path: self.path.clone(),
                committed: self.committed,
            }),
        }
    }

    /// Lets go of the file after an error. What failed is not tried again on the same handles, because after a
    /// failed sync nobody knows what the disk holds.
    fn in_trouble(&mut self, error: WriteError) {
        self.writer = None;
        if self.trouble.is_none() {
            (self.hooks.on_disk)(DiskCondition::of(&error), Some(&error));
        }
        self.trouble = Some((error, Instant::now() + AGAIN));
    }

    /// Opens the file afresh, looks what is in it, and goes on from there.
    fn try_again(&mut self) -> Result<(), WriteError> {
        self.writer = None;
        match self.reopened() {
            Ok(Some(writer)) => {
                self.writer = Some(writer);
                self.append_pending();
            }
            Ok(None) => {
                if let Some((_, again_at)) = &mut self.trouble {
                    *again_at = Instant::now() + AGAIN;
                }
            }
            Err(Reopening::Later(error)) => self.in_trouble(error),
            Err(Reopening::Never(error)) => return Err(error),
        }
        Ok(())
    }

    fn append_pending(&mut self) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        let again = self
            .pending
            .iter()
            .filter(|event| event.seq > self.committed)
            .try_for_each(|event| writer.append_event(event))
            .and_then(|()| writer.commit());
        match again {
            Ok(committed) => {
                if let Some(committed) = committed {
                    self.on_disk(committed);
                }
                self.trouble = None;
                self.latency = Latency::default();
                (self.hooks.on_disk)(DiskCondition::Fine, None);
            }
            Err(error) => self.in_trouble(error),
        }
    }

    /// A writer that goes on where the file ends, once what it ends with is known to be on disk; none where a
    /// reader is in the way of making sure.
    fn reopened(&mut self) -> Result<Option<Writer>, Reopening> {
        let mut writer = Writer::go_on(&self.path).map_err(Reopening::Later)?;
        let found = writer.committed();
        let last_pending = self.pending.last().map_or(self.committed, |event| event.seq);
        let never = |reason: String| {
            Reopening::Never(WriteError::CannotGoOn {
                path: self.path.clone(),
                reason,
            })
        };
        if found < self.committed || found > last_pending {
            let reason = format!(
                "it ends at event {found}, but this session had written {} and has {last_pending}",
                self.committed
            );
            return Err(never(reason));
        }
        if found > self.committed {
            // A commit that was reported as failed is there all the same.
            let events = Reader::open(&self.path)
                .and_then(|mut reader| reader.read(self.committed, (found - self.committed) as usize));
            let events = events.map_err(|error| {
                Reopening::Later(WriteError::CannotGoOn {
                    path: self.path.clone(),
                    reason: error.to_string(),
                })
            })?;
            let ours = self.pending.iter().take(events.len());
            if fingerprint(events.iter()) != fingerprint(ours) {
                return Err(never(format!(
                    "events up to {found} are not those of this session"
                )));
            }
            if !writer.write_again().map_err(Reopening::Later)? {
                return Ok(None);
            }
            self.on_disk(Committed {
                first_seq: self.committed + 1,
                last_seq: found,
            });
        }
        Ok(Some(writer))
    }
}

/// A hash over events, by their values as they are stored: NaN is NaN.
fn fingerprint<'e>(events: impl Iterator<Item = &'e Event>) -> blake3::Hash {
    let mut hash = BatchHash::after(&blake3::Hash::from_bytes([0; 32]));
    events.for_each(|event| hash.add(event));
    hash.finish()
}

/// Why a recording cannot be gone on with after an error.
enum Reopening {
    /// The disk is as it was.
    Later(WriteError),
    /// The file is another one now.
    Never(WriteError),
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
    fn after_a_full_disk_the_recording_goes_on_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let (told, conditions) = sync_channel(10);
        let hooks = RecorderHooks {
            on_disk: Box::new(move |condition, error| {
                told.send((condition, error.map(ToString::to_string))).unwrap();
            }),
            ..RecorderHooks::default()
        };
        let mut writer = Writer::create(&path, &Opening::default()).unwrap();
        let mut session = session_of(1, 1).into_iter();
        let (stamp, body) = session.next().unwrap();
        writer.append(stamp, body).unwrap();
        writer.commit().unwrap();
        // Ends with this connection: the file opened afresh has space.
        writer.fill_disk();
        let recorder = Recorder::spawn(writer, hooks).unwrap();
        let blob = EventBody::Wire(crate::event::Wire {
            direction: crate::event::Direction::Rx,
            bytes: vec![7; 1 << 20],
        });
        recorder.record(stamp, blob.clone()).unwrap();
        let patience = Duration::from_secs(20);
        let (condition, said) = conditions.recv_timeout(patience).unwrap();
        assert_eq!(condition, DiskCondition::Full);
        assert!(said.unwrap().contains("up to number 1 are safe"));
        let (later, body) = session.next().unwrap();
        recorder.record(later, body.clone()).unwrap();
        assert_eq!(
            conditions.recv_timeout(patience).unwrap(),
            (DiskCondition::Fine, None)
        );
        recorder.flush().unwrap();
        assert_eq!(recorder.close(|_| Ok(())).unwrap().last_seq, 3);
        let mut reader = Reader::open(&path).unwrap();
        let read: Vec<Event> = reader.events(1).collect::<Result<_, _>>().unwrap();
        let kept: Vec<_> = read.into_iter().map(|event| event.body).collect();
        assert_eq!(kept, [blob, body]);
    }

    #[test]
    fn a_recording_that_somebody_else_has_written_to_meanwhile_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let (told, errors) = sync_channel(10);
        let hooks = RecorderHooks {
            on_error: Box::new(move |error| told.send(error.to_string()).unwrap()),
            ..RecorderHooks::default()
        };
        let recorder = Recorder::spawn(Writer::create(&path, &Opening::default()).unwrap(), hooks).unwrap();
        let mut session = session_of(1, 5).into_iter();
        let mut other = Writer::go_on(&path).unwrap();
        for (stamp, body) in session.by_ref().take(4) {
            other.append(stamp, body).unwrap();
        }
        other.commit().unwrap();
        let (stamp, body) = session.next().unwrap();
        recorder.record(stamp, body).unwrap();
        let said = errors.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(said.contains("it ends at event 4"), "{said}");
        let handle = recorder.handle();
        assert!(recorder.close(|_| Ok(())).is_err());
        let (stamp, body) = session.next().unwrap();
        assert_eq!(handle.record(stamp, body), Err(RecordingEnded));
    }
}
