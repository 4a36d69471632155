//! The `interphase` program: everything is in the library; this prints its last words and exits.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// From here on SQLite's numbers of errors are extended ones, which tell more than the kind.
const SQLITE_EXTENDED: i32 = 256;

fn main() -> ExitCode {
    match interphase::cli::run() {
        Ok(code) => code,
        Err(error) if interphase::cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads the message, it is lost, and the status says it all.
            let _ = writeln!(std::io::stderr(), "interphase: {}", last_words(&error));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, with the causes that it does not tell itself.
fn last_words(error: &anyhow::Error) -> String {
    let mut words = error.to_string();
    for cause in error.chain().skip(1).filter(|cause| !is_bare_number(*cause)) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words.push_str(": ");
            words.push_str(&cause);
        }
    }
    words
}

/// Whether it is SQLite's number for what SQLite has said in words; a number of the extended ones says more.
fn is_bare_number(cause: &(dyn Error + 'static)) -> bool {
    let number = cause.downcast_ref::<rusqlite::ffi::Error>();
    number.is_some_and(|number| number.extended_code < SQLITE_EXTENDED)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open a: {source}; check the name")]
    struct Told {
        source: std::io::Error,
    }

    #[test]
    fn a_cause_is_told_once() {
        let told = || Told {
            source: std::io::Error::other("no such file"),
        };
        let words = last_words(&told().into());
        assert_eq!(words, "cannot open a: no such file; check the name");
        let with_context = Err::<(), _>(told()).context("nothing fitted").unwrap_err();
        assert_eq!(
            last_words(&with_context),
            "nothing fitted: cannot open a: no such file; check the name"
        );
    }

    #[test]
    fn a_number_of_sqlite_is_told_only_where_it_says_more_than_the_words() {
        for (code, words) in [
            (rusqlite::ffi::SQLITE_FULL, "the disk is full"),
            (
                rusqlite::ffi::SQLITE_IOERR_WRITE,
                "the disk is full: Error code 778: ",
            ),
        ] {
            let said = Some("the disk is full".to_owned());
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), said);
            let all = last_words(&error.into());
            assert!(all.starts_with(words), "{all}");
            assert_eq!(all.contains("Error code"), words.contains("Error code"), "{all}");
        }
    }
}
