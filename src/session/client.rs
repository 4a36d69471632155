//! The other end of a session's control socket: for screens and commands, blocking.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::control::{Request, Tell, line_of};
use crate::recording::DiskCondition;

/// How long a session may take to answer before it counts as hung.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// Why a session could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("{socket}: {source}; the session does not answer, see `interphase sessions`")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The session ended.
    #[error("the session has ended")]
    Ended,
    /// The session says no.
    #[error("the session refuses: {why}")]
    Refused {
        /// Its words.
        why: String,
    },
}

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Everything up to this seq is on disk.
    Committed(u64),
    /// The disk that the session records on does better or worse.
    Disk(DiskCondition),
    /// Nothing was told in the time given.
    Nothing,
    /// The session has closed its socket.
    Ended,
}

/// A connection to a running session.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    stream: UnixStream,
    lines: BufReader<UnixStream>,
    partial: String,
    committed: Option<u64>,
    disk: Option<DiskCondition>,
}

impl Client {
    /// Connects to the socket of a session.
    ///
    /// # Errors
    /// Where nobody answers there.
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        let unreachable = |source| ClientError::Unreachable {
            socket: socket.to_owned(),
            source,
        };
        let stream = UnixStream::connect(socket).map_err(unreachable)?;
        let lines = BufReader::new(stream.try_clone().map_err(unreachable)?);
        Ok(Self {
            socket: socket.to_owned(),
            stream,
            lines,
            partial: String::new(),
            committed: None,
            disk: None,
        })
    }

    /// Asks for something and waits until the session has taken or refused it.
    ///
    /// # Errors
    /// Where the session refuses, has ended, or does not answer within ten seconds.
    pub fn ask(&mut self, request: &Request) -> Result<(), ClientError> {
        self.send(request)?;
        let deadline = Instant::now() + ANSWER_PATIENCE;
        loop {
            match self.tell(deadline)? {
                Some(Tell::Ok) => return Ok(()),
                Some(Tell::Refused { why }) => return Err(ClientError::Refused { why }),
                Some(Tell::Committed { seq }) => self.committed = Some(seq),
                Some(Tell::Disk(condition)) => self.disk = Some(condition),
                None => {
                    let source = io::Error::from(io::ErrorKind::TimedOut);
                    return Err(ClientError::Unreachable {
                        socket: self.socket.clone(),
                        source,
                    });
                }
            }
        }
    }

    /// Asks for something without waiting for the answer.
    ///
    /// # Errors
    /// Where the session has ended.
    pub fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        self.stream
            .write_all(line_of(request).as_bytes())
            .map_err(|_| ClientError::Ended)
    }

    /// Waits until the session has put something on disk, at most as long as `patience`.
    #[must_use]
    pub fn wait(&mut self, patience: Duration) -> Waited {
        if let Some(condition) = self.disk.take() {
            return Waited::Disk(condition);
        }
        if let Some(seq) = self.committed.take() {
            return Waited::Committed(seq);
        }
        let deadline = Instant::now() + patience;
        loop {
            match self.tell(deadline) {
                Ok(Some(Tell::Committed { seq })) => return Waited::Committed(seq),
                Ok(Some(Tell::Disk(condition))) => return Waited::Disk(condition),
                Ok(Some(Tell::Ok | Tell::Refused { .. })) => {}
                Ok(None) => return Waited::Nothing,
                Err(_) => return Waited::Ended,
            }
        }
    }

    /// A second handle that only sends, for a screen that reads in a thread of its own.
    ///
    /// # Errors
    /// Where the system has no more handles.
    pub fn sender(&self) -> Result<Sender, ClientError> {
        let stream = self
            .stream
            .try_clone()
            .map_err(|source| ClientError::Unreachable {
                socket: self.socket.clone(),
                source,
            })?;
        Ok(Sender { stream })
    }

    /// The next line of the session; none where the deadline has passed.
    fn tell(&mut self, deadline: Instant) -> Result<Option<Tell>, ClientError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // A time-out of zero would mean none.
            let left = left.max(Duration::from_millis(1));
            self.stream
                .set_read_timeout(Some(left))
                .map_err(|_| ClientError::Ended)?;
            match self.lines.read_line(&mut self.partial) {
                Ok(0) => return Err(ClientError::Ended),
                Ok(_) => {
                    let line = std::mem::take(&mut self.partial);
                    if let Ok(tell) = serde_json::from_str(&line) {
                        return Ok(Some(tell));
                    }
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if Instant::now() >= deadline {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(ClientError::Ended),
            }
        }
    }
}

/// Sends requests to a running session.
#[derive(Debug)]
pub struct Sender {
    stream: UnixStream,
}

impl Sender {
    /// Asks for something; the answer is seen in what the session records.
    ///
    /// # Errors
    /// Where the session has ended.
    pub fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        self.stream
            .write_all(line_of(request).as_bytes())
            .map_err(|_| ClientError::Ended)
    }
}
