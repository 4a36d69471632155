//! Following a session: what is on disk, told by its socket, or found by looking.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::event::Event;
use crate::recording::{DiskCondition, ReadError, Reader};
use crate::session::client::{Client, Sender, Waited};
use crate::session::control::Request;
use crate::session::runtime::RuntimeDirectory;

/// How often a session without a socket is looked after.
const LOOK: Duration = Duration::from_millis(500);
/// Events that are read at once.
const CHUNK: usize = 4096;

/// What the watching thread tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// There may be something new on disk.
    New,
    /// The disk that the session records on does better or worse.
    Disk(DiskCondition),
    /// The session does not run any more.
    Gone,
}

/// A session that is followed.
pub struct Live {
    reader: Reader,
    last_seq: u64,
    sender: Option<Sender>,
    socket: Option<PathBuf>,
    /// When the newest event was seen, for a clock between events.
    pub seen_at: Instant,
}

impl Live {
    /// Opens the recording of a session and begins to watch the session, if it runs.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn open(
        recording: &Path,
        runtime: &RuntimeDirectory,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Word>), ReadError> {
        let reader = Reader::open(recording)?;
        let (send, receive) = mpsc::unbounded_channel();
        let info = runtime.session_of(recording);
        let socket = info.as_ref().map(|info| runtime.socket(&info.name));
        let client = socket.as_ref().and_then(|socket| Client::connect(socket).ok());
        let sender = client.as_ref().and_then(|client| client.sender().ok());
        let _ = send.send(Word::New);
        if let Some(socket) = socket.clone() {
            let (recording, runtime) = (recording.to_owned(), runtime.clone());
            // Without the thread nothing new is seen; the loop shows what there is.
            let _ = std::thread::Builder::new()
                .name("follower".to_owned())
                .spawn(move || watch(client, &socket, &recording, &runtime, &send));
        } else {
            let _ = send.send(Word::Gone);
        }
        Ok((
            Self {
                reader,
                last_seq: 0,
                sender,
                socket,
                seen_at: Instant::now(),
            },
            receive,
        ))
    }

    /// What is new on disk, at most some thousand events at once.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn read(&mut self) -> Result<Vec<Event>, ReadError> {
        let events = self.reader.read(self.last_seq, CHUNK)?;
        if let Some(last) = events.last() {
            self.last_seq = last.seq;
            self.seen_at = Instant::now();
        }
        Ok(events)
    }

    /// Asks the session for something; false where it cannot be reached.
    pub fn ask(&mut self, request: &Request) -> bool {
        if let Some(sender) = &mut self.sender
            && sender.send(request).is_ok()
        {
            return true;
        }
        // The socket may have been bound again.
        let client = self
            .socket
            .as_ref()
            .and_then(|socket| Client::connect(socket).ok());
        self.sender = client.and_then(|client| client.sender().ok());
        self.sender
            .as_mut()
            .is_some_and(|sender| sender.send(request).is_ok())
    }
}

/// Tells what happens until the session or the screen is gone.
fn watch(
    mut client: Option<Client>,
    socket: &Path,
    recording: &Path,
    runtime: &RuntimeDirectory,
    send: &mpsc::UnboundedSender<Word>,
) {
    loop {
        let waited = match &mut client {
            Some(client) => client.wait(Duration::from_secs(3600)),
            None => {
                std::thread::sleep(LOOK);
                client = Client::connect(socket).ok();
                Waited::Ended
            }
        };
        let word = match waited {
            Waited::Nothing => continue,
            Waited::Committed(_) => Word::New,
            Waited::Disk(condition) => Word::Disk(condition),
            Waited::Ended => {
                let runs = runtime.session_of(recording).is_some();
                if client
                    .as_mut()
                    .is_some_and(|client| client.wait(Duration::ZERO) == Waited::Ended)
                {
                    client = None;
                }
                if runs { Word::New } else { Word::Gone }
            }
        };
        if send.send(word).is_err() || word == Word::Gone {
            return;
        }
    }
}
