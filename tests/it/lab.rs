//! A laboratory of its own for each test: runtime directory, folder, and a lifeline that ends every
//! process of it when the test is over, however it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const BINARY: &str = env!("CARGO_BIN_EXE_interphase");

/// A laboratory.
pub struct Lab {
    folder: TempDir,
    lifeline: Option<File>,
}

impl Lab {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("iph").tempdir().unwrap();
        let pipe = folder.path().join("lifeline");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        // Open for reading and writing, so that opening does not wait for a reader.
        let lifeline = File::options().read(true).write(true).open(&pipe).unwrap();
        Self {
            folder,
            lifeline: Some(lifeline),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn runtime_directory(&self) -> PathBuf {
        self.path("run")
    }

    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("INTERPHASE_RUNTIME_DIR", self.runtime_directory()),
            ("INTERPHASE_LIFELINE", self.path("lifeline")),
            ("XDG_DATA_HOME", self.path("data")),
            ("XDG_CONFIG_HOME", self.path("config")),
            ("XDG_STATE_HOME", self.path("state")),
            ("HOME", self.folder.path().to_owned()),
        ]
    }

    /// The program with arguments, in this laboratory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .envs(self.environment())
            .current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program to its end, which must be a success, and gives back its standard output.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a simulator and waits until it serves its port.
    pub fn simulator(&self, cell: &str, time_scale: u32, seed: u32) -> Simulator {
        self.simulator_of("es4_hr", cell, time_scale, seed)
    }

    /// Starts a simulator of an instrument and waits until it serves its port.
    pub fn simulator_of(&self, instrument: &str, cell: &str, time_scale: u32, seed: u32) -> Simulator {
        self.simulator_with(instrument, cell, time_scale, seed, &[])
    }

    /// Starts a simulator of an instrument with more arguments and waits until it serves its port.
    pub fn simulator_with(
        &self,
        instrument: &str,
        cell: &str,
        time_scale: u32,
        seed: u32,
        more: &[&str],
    ) -> Simulator {
        let cell_log = self.path("cell.jsonl");
        let truth = self.path("truth.jsonl");
        let link = self.path("port");
        let (scale, seed) = (time_scale.to_string(), seed.to_string());
        let mut child = self
            .command(&["simulate", "--instrument", instrument, "--cell", cell])
            .args(["--time-scale", &scale, "--seed", &seed, "--truth"])
            .arg(&truth)
            .arg("--cell-log")
            .arg(&cell_log)
            .arg("--link")
            .arg(&link)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        assert!(port.starts_with("/dev/"), "{port}");
        Simulator {
            child,
            port: port.trim().to_owned(),
            link: link.to_str().unwrap().to_owned(),
            truth,
            cell_log,
        }
    }

    /// Starts a session in the background and gives back its name and recording.
    pub fn detach(&self, port: &str, cell: &str, plan: &str) -> Session {
        let recording = self.path("session.interphase");
        let recording_text = recording.to_str().unwrap();
        let line = self.succeed(&[
            "run",
            "--instrument",
            "es4_hr",
            "--port",
            port,
            "--cell",
            cell,
            "--plan",
            plan,
            "--out",
            recording_text,
            "--detach",
            "--json",
        ]);
        let value: Value = serde_json::from_str(&line).unwrap();
        Session {
            name: value["session"].as_str().unwrap().to_owned(),
            recording,
        }
    }

    /// Measures without a screen to the end of the plan, and gives back the event lines.
    pub fn measure(&self, port: &str, cell: &str, plan: &str, recording: &str) -> String {
        self.succeed(&[
            "run",
            "--instrument",
            "es4_hr",
            "--port",
            port,
            "--cell",
            cell,
            "--plan",
            plan,
            "--out",
            recording,
            "--headless",
            "--json",
        ])
    }

    /// What the running sessions say of themselves.
    pub fn sessions(&self) -> Vec<Value> {
        self.succeed(&["sessions", "--json"])
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The process number of the only session that runs.
    pub fn session_pid(&self) -> i32 {
        let sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        i32::try_from(sessions[0]["pid"].as_i64().unwrap()).unwrap()
    }

    /// Starts the program on a terminal of its own.
    pub fn terminal(&self, arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        let mut command = self.command(arguments);
        command
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("NO_COLOR");
        Terminal::new(command, columns, rows)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Everything that still runs ends with the lifeline; the folder may go only then.
        wait_until("all processes of the laboratory have ended", || {
            processes_in(self.folder.path()) == 0
        });
    }
}

/// Processes that have this folder in their environment.
fn processes_in(folder: &Path) -> usize {
    let wanted = format!("INTERPHASE_LIFELINE={}", folder.display());
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else {
            continue;
        };
        if environment
            .windows(wanted.len())
            .any(|window| window == wanted.as_bytes())
        {
            count += 1;
        }
    }
    count
}

/// Waits until something holds.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running simulator.
pub struct Simulator {
    child: Child,
    pub port: String,
    /// Another name of the port, the same for every simulator of a laboratory.
    pub link: String,
    pub truth: PathBuf,
    cell_log: PathBuf,
}

impl Simulator {
    /// The lines of the truth file so far.
    pub fn truths(&self) -> Vec<Value> {
        lines_of(&std::fs::read_to_string(&self.truth).unwrap())
    }

    /// When its cell was switched on and off so far.
    pub fn switched(&self) -> Vec<Value> {
        lines_of(&std::fs::read_to_string(&self.cell_log).unwrap())
    }

    /// Pulls the plug. The link goes too: the number of the pseudo terminal that it leads to may belong to
    /// another test at once, and a simulator takes no link that leads somewhere.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_file(&self.link).unwrap();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A session in the background.
pub struct Session {
    pub name: String,
    pub recording: PathBuf,
}

impl Session {
    pub fn recording(&self) -> &str {
        self.recording.to_str().unwrap()
    }
}

/// JSON lines.
pub fn lines_of(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The events of one kind.
pub fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["kind"] == kind).collect()
}

/// A terminal with the program on it.
pub struct Terminal {
    master: Option<File>,
    reader: Option<(PipeWriter, JoinHandle<()>)>,
    child: Child,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: usize,
    chunks: Vec<(Instant, usize)>,
}

impl Terminal {
    fn new(mut command: Command, columns: u16, rows: u16) -> Self {
        let (master, slave) = open_pty();
        set_size(&master, columns, rows);
        command
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave);
        let child = command.spawn().unwrap();
        // The command holds the slave's descriptors; with them open no hang-up would be seen.
        drop(command);
        let parser = vt100::Parser::new(nonzero(rows), nonzero(columns), 0);
        let seen = Arc::new(Mutex::new(Seen {
            parser,
            bytes: 0,
            chunks: Vec::new(),
        }));
        let (stopped, stop) = std::io::pipe().unwrap();
        let (reading, shared) = (master.try_clone().unwrap(), Arc::clone(&seen));
        let thread = std::thread::spawn(move || read_terminal(reading, &stopped, &shared));
        Self {
            master: Some(master),
            reader: Some((stop, thread)),
            child,
            seen,
        }
    }

    /// What stands on the screen.
    pub fn contents(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.contents().contains(text) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for `{text}` on:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.master.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Changes the size of the terminal. The kernel tells only programs whose controlling terminal it
    /// is, and this one's is not, so the signal is sent by hand.
    pub fn resize(&self, columns: u16, rows: u16) {
        set_size(self.master.as_ref().unwrap(), columns, rows);
        self.seen
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        self.signal(Signal::WINCH);
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Bytes that came so far.
    pub fn bytes(&self) -> usize {
        self.seen.lock().unwrap().bytes
    }

    /// When how many bytes came.
    pub fn chunks(&self) -> Vec<(Instant, usize)> {
        self.seen.lock().unwrap().chunks.clone()
    }

    /// Whether the screen is given back: no alternate screen, and the cursor is there.
    pub fn is_restored(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        !seen.parser.screen().alternate_screen() && !seen.parser.screen().hide_cursor()
    }

    /// Closes the terminal under the program, as a dropped line does.
    pub fn hang_up(&mut self) {
        if let Some((stop, thread)) = self.reader.take() {
            drop(stop);
            thread.join().unwrap();
        }
        self.master = None;
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub fn wait_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the program does not end:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.hang_up();
    }
}

fn nonzero(value: u16) -> NonZeroU16 {
    NonZeroU16::new(value).unwrap()
}

fn set_size(master: &File, columns: u16, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(master, size).unwrap();
}

/// Both ends of a new pseudo terminal.
pub fn open_pty() -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    let slave = File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)
        .unwrap();
    (File::from(master), slave)
}

fn read_terminal(mut master: File, stopped: &PipeReader, seen: &Mutex<Seen>) {
    let mut buffer = [0; 65536];
    loop {
        let mut fds = [
            PollFd::new(&master, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        if poll(&mut fds, None).is_err() {
            continue;
        }
        if !fds[1].revents().is_empty() {
            return;
        }
        // The end of the program closes the other side, which is an error here and no end of file.
        let Ok(count @ 1..) = master.read(&mut buffer) else {
            return;
        };
        let mut seen = seen.lock().unwrap();
        seen.parser.process(&buffer[..count]);
        seen.bytes += count;
        seen.chunks.push((Instant::now(), count));
    }
}

/// Processor seconds that a process has used.
pub fn cpu_seconds(pid: i32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    // utime and stime are fields 14 and 15 of the whole line, in hundredths of a second.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
