//! The loop of the screen: keys, news of the session, signals and the clock of a replay. It draws when
//! something has changed, and never otherwise.

mod input;
mod live;
mod replay;

use std::future::pending;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use self::input::Input;
use self::live::{Live, Word};
use self::replay::Player;
pub use self::replay::ReplayStart;
use super::terminal::ScreenTerminal;
use super::time_left;
use super::{Connection, GlyphSet, Keymap, Request, Theme, View, interpret, render};
use crate::recording::ReadError;
use crate::session::control;
use crate::session::runtime::RuntimeDirectory;
use crate::state::State;

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(50);
/// The same over a slow line.
const FRAME_SLOW: Duration = Duration::from_millis(250);

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// The end of a recording, and of a running session what comes.
    Live,
    /// A recording, with a clock over it.
    Replay(ReplayStart),
}

/// How it is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScreenOptions {
    /// Characters to draw with; by the terminal and the locale where not given.
    pub glyphs: Option<GlyphSet>,
    /// Name of the theme.
    pub theme: Option<String>,
    /// Height of a character cell over its width; asked of the terminal where not given.
    pub cell_aspect: Option<f64>,
    /// Whether to draw at most four times a second.
    pub slow_link: bool,
    /// Leave by itself after so long.
    pub end_after: Option<Duration>,
}

/// Why the screen was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The user wanted to, or the time was over.
    Quit,
    /// The terminal has closed.
    TerminalGone,
    /// The process was told to end.
    Signal,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The terminal does not obey.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] ReadError),
}

/// Shows a recording until the user leaves.
///
/// # Errors
/// Where the terminal does not obey, or the recording cannot be read.
pub fn run(
    source: Source,
    recording: &Path,
    runtime: &RuntimeDirectory,
    options: &ScreenOptions,
) -> Result<Exit, ScreenError> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    executor.block_on(async {
        let mut screen = Screen::open(source, recording, runtime, options)?;
        let outcome = screen.show().await;
        drop(screen);
        outcome
    })
}

/// Where events come from.
enum Feed {
    Live(Box<Live>),
    Replay(Box<Player>),
}

struct Screen {
    state: State,
    view: View,
    theme: Theme,
    keymap: Keymap,
    feed: Feed,
    words: Option<mpsc::UnboundedReceiver<Word>>,
    inputs: mpsc::UnboundedReceiver<Input>,
    signals: Signals,
    frame: Duration,
    cell_aspect: Option<f64>,
    end_at: Option<Instant>,
    /// The picture is not that of the state any more.
    dirty: bool,
    /// There may be more to read at once.
    more: bool,
    terminal: ScreenTerminal,
}

/// What happened.
enum Happening {
    Input(Input),
    Word(Option<Word>),
    Resized,
    Suspend,
    Continued,
    Ended,
    Frame,
    Tick,
    TimeOver,
    /// Nothing is to be done.
    Idle,
}

struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
    resized: Signal,
    suspend: Signal,
    continued: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            resized: signal(SignalKind::window_change())?,
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Happening {
        tokio::select! {
            _ = self.hang_up.recv() => Happening::Input(Input::Gone),
            _ = self.interrupt.recv() => Happening::Ended,
            _ = self.terminate.recv() => Happening::Ended,
            _ = self.resized.recv() => Happening::Resized,
            _ = self.suspend.recv() => Happening::Suspend,
            _ = self.continued.recv() => Happening::Continued,
        }
    }
}

impl Screen {
    fn open(
        source: Source,
        recording: &Path,
        runtime: &RuntimeDirectory,
        options: &ScreenOptions,
    ) -> Result<Self, ScreenError> {
        let (feed, words) = match source {
            Source::Live => {
                let (live, words) = Live::open(recording, runtime)?;
                (Feed::Live(Box::new(live)), Some(words))
            }
            Source::Replay(start) => (Feed::Replay(Box::new(Player::open(recording, start)?)), None),
        };
        let view = View {
            glyphs: options.glyphs.unwrap_or_else(glyphs_of_terminal),
            ..View::default()
        };
        let theme = options
            .theme
            .as_deref()
            .and_then(Theme::named)
            .unwrap_or_default();
        let mut screen = Self {
            state: match source {
                Source::Live => State::without_samples(),
                Source::Replay(_) => State::outline(),
            },
            view,
            theme,
            keymap: Keymap::default(),
            feed,
            words,
            signals: Signals::install()?,
            frame: if options.slow_link { FRAME_SLOW } else { FRAME },
            cell_aspect: options.cell_aspect,
            end_at: options.end_after.map(|after| Instant::now() + after),
            dirty: true,
            more: true,
            terminal: ScreenTerminal::enter()?,
            inputs: input::watch()?,
        };
        screen.look_at_terminal();
        Ok(screen)
    }

    async fn show(&mut self) -> Result<Exit, ScreenError> {
        let mut next_frame = Instant::now();
        let mut last_tick = Instant::now();
        loop {
            if self.more {
                self.read()?;
            }
            let now = Instant::now();
            if self.dirty && now >= next_frame && !self.more {
                if self.draw().is_err() {
                    return Ok(Exit::TerminalGone);
                }
                self.dirty = false;
                next_frame = Instant::now() + self.frame;
            }
            match self.next(next_frame, last_tick).await {
                Happening::Input(Input::Gone) => return Ok(Exit::TerminalGone),
                Happening::Ended => return Ok(Exit::Signal),
                Happening::TimeOver => return Ok(Exit::Quit),
                Happening::Input(Input::Key(key)) => {
                    self.dirty = true;
                    if is_suspend(key) {
                        self.suspend()?;
                    } else if let Some(action) = interpret(key, &self.view, &self.keymap)
                        && let Some(request) = self.view.apply(action, &self.state)
                        && self.request(request)?
                    {
                        return Ok(Exit::Quit);
                    } else if !self.view.frozen {
                        self.more = true;
                    }
                }
                Happening::Word(word) => self.told(word),
                Happening::Resized => {
                    self.terminal.resize()?;
                    self.look_at_terminal();
                    self.dirty = true;
                }
                Happening::Suspend => self.suspend()?,
                Happening::Continued => self.dirty = true,
                Happening::Frame => {}
                Happening::Idle => self.learn()?,
                Happening::Tick => {
                    let passed = last_tick.elapsed();
                    last_tick = Instant::now();
                    self.tick(passed)?;
                }
            }
        }
    }

    async fn next(&mut self, next_frame: Instant, last_tick: Instant) -> Happening {
        let frame_at = self.dirty.then_some(next_frame);
        let tick_at = self.tick_every().map(|every| last_tick + every);
        let end_at = self.end_at;
        let more = self.more;
        let idle = !self.dirty && matches!(&self.feed, Feed::Replay(player) if player.is_learning());
        let Self {
            words,
            inputs,
            signals,
            ..
        } = self;
        tokio::select! {
            biased;
            happening = signals.next() => happening,
            input = inputs.recv() => Happening::Input(input.unwrap_or(Input::Gone)),
            () = sleep_until(end_at) => Happening::TimeOver,
            () = std::future::ready(()), if more => Happening::Frame,
            () = sleep_until(frame_at) => Happening::Frame,
            word = next_word(words) => Happening::Word(word),
            () = sleep_until(tick_at) => Happening::Tick,
            () = std::future::ready(()), if idle => Happening::Idle,
        }
    }

    /// How often time by itself changes the picture; none where it does not.
    fn tick_every(&self) -> Option<Duration> {
        match &self.feed {
            Feed::Replay(player) => player.is_playing().then_some(self.frame),
            Feed::Live(_) => {
                let head = self.state.head();
                let rests = head.ended.is_some() || head.paused || self.view.frozen;
                let linked = self.view.connection.is_linked();
                (!rests && linked).then_some(Duration::from_secs(1))
            }
        }
    }

    fn tick(&mut self, passed: Duration) -> Result<(), ScreenError> {
        match &mut self.feed {
            Feed::Replay(player) => {
                player.advance(passed)?;
                self.more = true;
            }
            Feed::Live(_) => self.look_at_clock(),
        }
        Ok(())
    }

    /// Reads more of a long recording while nobody wants anything.
    fn learn(&mut self) -> Result<(), ScreenError> {
        if let Feed::Replay(player) = &mut self.feed {
            player.learn(&mut self.state)?;
            if !player.is_learning() {
                (self.more, self.dirty) = (true, true);
            }
        }
        Ok(())
    }

    /// Reads what is new and folds it into the state.
    fn read(&mut self) -> Result<(), ScreenError> {
        self.more = false;
        match &mut self.feed {
            Feed::Live(live) => {
                if self.view.frozen {
                    return Ok(());
                }
                let events = live.read()?;
                for event in &events {
                    self.state.apply(event);
                }
                self.more = !events.is_empty();
                self.dirty |= self.more;
                if self.more {
                    self.look_at_clock();
                }
            }
            Feed::Replay(player) => {
                self.more = !player.fold(&mut self.state, self.view.selected)?;
                let connection = Connection::Replay(player.status());
                self.dirty |= self.view.connection != connection || self.more;
                self.view.connection = connection;
                self.view.left_s = time_left::of_sweep(&self.state, self.state.head().last_stamp.elapsed_s());
            }
        }
        Ok(())
    }

    fn told(&mut self, word: Option<Word>) {
        match word {
            Some(Word::New) => self.more = true,
            Some(Word::Disk(condition)) => {
                self.view.disk = condition;
                self.dirty = true;
            }
            Some(Word::Gone) | None => {
                self.words = None;
                self.more = true;
                if let Feed::Live(_) = self.feed {
                    self.view.connection = Connection::Lost;
                    self.dirty = true;
                }
            }
        }
    }

    /// What time it is in the session, and how long the sweep will take.
    fn look_at_clock(&mut self) {
        let Feed::Live(live) = &self.feed else {
            return;
        };
        let head = self.state.head();
        let scale = head
            .session
            .as_ref()
            .map_or(1.0, |(_, session)| session.time_scale);
        let since = if head.ended.is_some() {
            0.0
        } else {
            live.seen_at.elapsed().as_secs_f64() * scale
        };
        let now_s = head.last_stamp.elapsed_s() + since;
        let left_s = time_left::of_sweep(&self.state, now_s).map(f64::round);
        self.dirty |= self.view.left_s != left_s || matches!(self.view.connection, Connection::Lost);
        self.view.left_s = left_s;
        self.view.clock_s = Some(now_s);
    }

    /// Does what the user asked of the outside; true to leave.
    fn request(&mut self, request: Request) -> Result<bool, ScreenError> {
        let asked = match request {
            Request::Quit => return Ok(true),
            Request::Replay(request) => {
                if let Feed::Replay(player) = &mut self.feed {
                    player.request(request)?;
                }
                self.more = true;
                return Ok(false);
            }
            Request::Stop => control::Request::Stop { now: false },
            Request::Pause => control::Request::Pause,
            Request::Resume => control::Request::Resume,
            Request::Note(text) => control::Request::Note { text },
            Request::Acknowledge(name) => control::Request::Acknowledge { name },
        };
        if let Feed::Live(live) = &mut self.feed
            && !live.ask(&asked)
        {
            self.view.message = Some("the session does not answer; see `interphase sessions`".to_owned());
        }
        Ok(false)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.view.observe(&self.state);
        let Self {
            terminal,
            state,
            view,
            theme,
            ..
        } = self;
        terminal.draw(|frame| render(state, view, theme, frame))
    }

    fn suspend(&mut self) -> Result<(), ScreenError> {
        self.terminal.suspend()?;
        self.look_at_terminal();
        self.dirty = true;
        Ok(())
    }

    /// The shape of a character cell: given, or as the terminal says where it knows.
    fn look_at_terminal(&mut self) {
        let asked = crossterm::terminal::window_size().ok().and_then(|size| {
            let cell = |pixels: u16, cells: u16| f64::from(pixels) / f64::from(cells.max(1));
            let (width, height) = (cell(size.width, size.columns), cell(size.height, size.rows));
            (width > 0.0 && height > 0.0).then(|| height / width)
        });
        let aspect = self.cell_aspect.or(asked).unwrap_or(2.0);
        self.view.cell_aspect = aspect.clamp(0.5, 5.0);
    }
}

fn is_suspend(key: crossterm::event::KeyEvent) -> bool {
    use crossterm::event::{KeyCode, KeyModifiers};
    key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// The characters that terminal and locale can be trusted with.
fn glyphs_of_terminal() -> GlyphSet {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let unicode = locale.contains("utf-8") || locale.contains("utf8");
    let plain = matches!(std::env::var("TERM").as_deref(), Ok("linux" | "dumb"));
    if unicode && !plain {
        GlyphSet::Braille
    } else {
        GlyphSet::Ascii
    }
}

async fn next_word(words: &mut Option<mpsc::UnboundedReceiver<Word>>) -> Option<Word> {
    match words {
        Some(words) => words.recv().await,
        None => pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}
