//! A progress bar on standard error, for people who wait.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Work that ends sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const WIDTH: usize = 30;

/// How much of a piece of work is done.
pub(super) struct Progress {
    began: Instant,
    total: usize,
    what: &'static str,
    wanted: bool,
    shown: bool,
}

impl Progress {
    /// Progress over `total` things of a kind (`files`).
    pub(super) fn new(total: usize, what: &'static str) -> Self {
        Self {
            began: Instant::now(),
            total,
            what,
            wanted: total > 1 && io::stderr().is_terminal(),
            shown: false,
        }
    }

    /// Draws the bar, where it is worth it.
    pub(super) fn show(&mut self, done: usize) {
        if self.wanted && self.began.elapsed() >= PATIENCE {
            self.shown = true;
            let _ = write!(
                io::stderr().lock(),
                "\r\x1b[K{}",
                bar(done, self.total, self.what)
            );
        }
    }

    /// Takes the bar away, so that other lines can be written.
    pub(super) fn hide(&mut self) {
        if self.shown {
            self.shown = false;
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}

fn bar(done: usize, total: usize, what: &str) -> String {
    let filled = (WIDTH * done).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    format!(
        "[{}{}] {done}/{total} {what}",
        "#".repeat(filled),
        "-".repeat(WIDTH - filled)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_with_the_work() {
        assert_eq!(bar(0, 4, "files"), format!("[{}] 0/4 files", "-".repeat(30)));
        assert_eq!(
            bar(2, 4, "files"),
            format!("[{}{}] 2/4 files", "#".repeat(15), "-".repeat(15))
        );
        assert_eq!(bar(4, 4, "files"), format!("[{}] 4/4 files", "#".repeat(30)));
        assert!(bar(0, 0, "files").contains(&"#".repeat(30)));
    }
}
