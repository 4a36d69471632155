//! The `interphase` program: everything is in the library; this prints its last words and exits.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match interphase::cli::run() {
        Ok(code) => code,
        Err(error) if interphase::cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads the message, it is lost, and the status says it all.
            let _ = writeln!(std::io::stderr(), "interphase: {error:#}");
            ExitCode::FAILURE
        }
    }
}
