//! Following a recording: what is there, and of a running session what comes.

use std::path::Path;
use std::time::Duration;

use super::client::{Client, Waited};
use super::runtime::{RuntimeDirectory, SessionInfo};
use crate::event::{Event, EventBody};
use crate::recording::{DiskCondition, ReadError, Reader};
use crate::state::State;

/// How long to wait for a word of the session before looking for signs of its end.
const PATIENCE: Duration = Duration::from_secs(1);
/// Events that are read at once.
const CHUNK: usize = 4096;

/// What follows next.
#[derive(Debug)]
pub enum Followed {
    /// These events, in order.
    Events(Vec<Event>),
    /// Nothing yet: the session runs, but has nothing new on disk.
    Nothing,
    /// Nothing yet, but the disk does better or worse.
    Disk(DiskCondition),
    /// Nothing more: the session has ended.
    Ended,
    /// Nothing more: the process of the session is gone without having ended the session.
    CutOff,
}

/// A recording that is read to its end and, where its session runs, further.
pub struct Follower {
    reader: Reader,
    runtime: RuntimeDirectory,
    session: Option<SessionInfo>,
    client: Option<Client>,
    last_seq: u64,
    ended: bool,
}

impl Follower {
    /// Opens a recording, and the socket of the session that writes it, if one does.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn open(recording: &Path, runtime: &RuntimeDirectory) -> Result<Self, ReadError> {
        let reader = Reader::open(recording)?;
        let session = runtime.session_of(recording);
        let client = session
            .as_ref()
            .and_then(|info| Client::connect(&runtime.socket(&info.name)).ok());
        Ok(Self {
            reader,
            runtime: runtime.clone(),
            session,
            client,
            last_seq: 0,
            ended: false,
        })
    }

    /// As [`Follower::open`], but what is on disk now is all there is, whether the session runs or not.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn of_recorded(recording: &Path, runtime: &RuntimeDirectory) -> Result<Self, ReadError> {
        let reader = Reader::open(recording)?;
        Ok(Self {
            reader,
            runtime: runtime.clone(),
            session: None,
            client: None,
            last_seq: 0,
            ended: false,
        })
    }

    /// The session that writes the recording, where one does.
    #[must_use]
    pub fn session(&self) -> Option<&SessionInfo> {
        self.session.as_ref()
    }

    /// The digest of a state that has seen what was handed out; what it does not hold is read again.
    ///
    /// # Errors
    /// Where the recording cannot be read any more.
    pub fn digest_of(&mut self, state: &State) -> Result<String, ReadError> {
        state.digest_with(&mut self.reader)
    }

    /// What follows next; waits at most a second for it.
    ///
    /// # Errors
    /// Where the recording cannot be read any more.
    pub fn follow(&mut self) -> Result<Followed, ReadError> {
        if self.ended {
            return Ok(Followed::Ended);
        }
        let events = self.read()?;
        if !events.is_empty() {
            return Ok(Followed::Events(events));
        }
        let Some(info) = &self.session else {
            return Ok(Followed::CutOff);
        };
        let waited = match &mut self.client {
            Some(client) => client.wait(PATIENCE),
            None => {
                std::thread::sleep(PATIENCE / 10);
                self.client = Client::connect(&self.runtime.socket(&info.name)).ok();
                Waited::Nothing
            }
        };
        if let Waited::Disk(condition) = waited {
            return Ok(Followed::Disk(condition));
        }
        if waited == Waited::Ended {
            self.client = None;
        }
        if self.client.is_none() {
            // Whether it runs is looked at before the last reading, so that nothing is missed.
            let runs = self.runtime.session_of(self.reader.path()).is_some();
            let events = self.read()?;
            if !events.is_empty() {
                return Ok(Followed::Events(events));
            }
            if !runs {
                self.session = None;
                return Ok(Followed::CutOff);
            }
        }
        Ok(Followed::Nothing)
    }

    fn read(&mut self) -> Result<Vec<Event>, ReadError> {
        let events = self.reader.read(self.last_seq, CHUNK)?;
        if let Some(last) = events.last() {
            self.last_seq = last.seq;
            self.ended = matches!(last.body, EventBody::SessionEnded(_));
        }
        Ok(events)
    }
}
