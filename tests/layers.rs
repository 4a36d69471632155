//! The rooms of the library know only what they may (ARCHITECTURE.md). This test reads the sources.

#![allow(missing_docs)]
// The allowance for tests does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up: a room may name those before it, never those after it.
const ROOMS: &[&str] = &[
    "units",
    "spectrum",
    "circuit",
    "analysis",
    "files",
    "profile",
    "event",
    "state",
    "figure",
    "recording",
    "instrument",
    "simulator",
    "session",
    "screen",
    "cli",
];

/// What a room must not touch, beside the rooms after it.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "units",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "tokio",
            "ratatui",
            "crossterm",
        ],
    ),
    (
        "spectrum",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "SystemTime",
            "tokio",
            "ratatui",
        ],
    ),
    (
        "circuit",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "SystemTime",
            "tokio",
            "ratatui",
        ],
    ),
    (
        "analysis",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "SystemTime",
            "tokio",
            "ratatui",
            "async ",
        ],
    ),
    ("files", &["tokio", "async ", "ratatui"]),
    ("profile", &["tokio", "async ", "ratatui"]),
    (
        "event",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "SystemTime",
            "Timestamp::now",
            "tokio",
            "ratatui",
        ],
    ),
    (
        "state",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "SystemTime",
            "Timestamp::now",
            "tokio",
            "ratatui",
            "async ",
        ],
    ),
    (
        "figure",
        &[
            "std::fs",
            "std::net",
            "Instant::now",
            "tokio",
            "ratatui",
            "crossterm",
        ],
    ),
    ("recording", &["tokio", "ratatui", "async "]),
    ("instrument", &["crate::state", "crate::screen", "ratatui"]),
    ("simulator", &["crate::state", "crate::screen", "ratatui"]),
    ("session", &["ratatui", "crossterm"]),
    (
        "screen",
        &["crate::instrument", "crate::simulator", "tokio_serial"],
    ),
];

/// Only these files of otherwise plain rooms may be asynchronous.
const ASYNC_ONLY_IN: &[(&str, &[&str])] = &[
    ("instrument", &["port.rs", "port/"]),
    ("screen", &["run.rs", "run/", "loop.rs"]),
    ("cli", &[]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let folder = source_root().join(room);
    let mut files = if folder.is_dir() {
        sources(&folder)
    } else {
        Vec::new()
    };
    let file = source_root().join(format!("{room}.rs"));
    if file.is_file() {
        files.push(file);
    }
    files
}

/// The code of a file: without comments and without its tests.
fn code(path: &Path) -> Vec<(usize, String)> {
    let relative = path.strip_prefix(source_root()).unwrap_or(path);
    let is_test =
        |part: &std::path::Component<'_>| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs";
    if relative.components().any(|part| is_test(&part)) {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

/// Whether a line names a module of this crate.
fn names(line: &str, room: &str) -> bool {
    let full = format!("crate::{room}");
    line.match_indices(&full).any(|(at, _)| {
        let next = line[at + full.len()..].chars().next();
        !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_source_file_belongs_to_a_room() {
    let mut strangers = Vec::new();
    for entry in fs::read_dir(source_root()).unwrap().flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !ROOMS.contains(&stem.as_str()) && stem != "lib" && stem != "main" {
            strangers.push(format!("{} is no room of ARCHITECTURE.md", path.display()));
        }
    }
    complain(&strangers);
}

#[test]
fn no_room_names_a_room_after_it() {
    let mut complaints = Vec::new();
    for (index, room) in ROOMS.iter().enumerate() {
        for path in files_of(room) {
            for (number, line) in code(&path) {
                for later in &ROOMS[index + 1..] {
                    if names(&line, later) {
                        complaints.push(format!("{}:{number}: {room} names {later}", path.display()));
                    }
                }
            }
        }
    }
    complain(&complaints);
}

#[test]
fn no_room_touches_what_it_must_not() {
    let mut complaints = Vec::new();
    for (room, words) in FORBIDDEN {
        for path in files_of(room) {
            for (number, line) in code(&path) {
                for word in *words {
                    if line.contains(word) {
                        complaints.push(format!("{}:{number}: {room} touches {word}", path.display()));
                    }
                }
            }
        }
    }
    complain(&complaints);
}

#[test]
fn async_lives_only_where_it_may() {
    let mut complaints = Vec::new();
    for (room, allowed) in ASYNC_ONLY_IN {
        for path in files_of(room) {
            let relative = path.strip_prefix(source_root().join(room)).unwrap_or(&path);
            let relative = relative.to_string_lossy().into_owned();
            if allowed.iter().any(|prefix| relative.starts_with(prefix)) {
                continue;
            }
            for (number, line) in code(&path) {
                if line.contains("async fn") || line.contains(".await") {
                    complaints.push(format!("{}:{number}: async in {room}", path.display()));
                }
            }
        }
    }
    complain(&complaints);
}

#[test]
fn nothing_but_main_prints_or_exits() {
    let mut complaints = Vec::new();
    for path in sources(&source_root()) {
        if path.ends_with("src/main.rs") {
            continue;
        }
        for (number, line) in code(&path) {
            for word in ["println!", "eprintln!", "print!(", "process::exit"] {
                if line.contains(word) {
                    complaints.push(format!("{}:{number}: {word}", path.display()));
                }
            }
        }
    }
    complain(&complaints);
}
