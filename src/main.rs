//! The `interphase` program: everything is in the library; this prints its last words and exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    match interphase::cli::run() {
        Ok(code) => code,
        Err(error) if interphase::cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("interphase: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
