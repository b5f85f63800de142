//! A day in the field: sessions with no signal, a phone that dies in the middle, and webhooks that are sent automatically when signal
//! returns.
//!
//! `cargo run --example field_day` needs nothing else: it makes a database, a workflow version, an HTTPS receiver with an authority of its
//! own, and a technician. `-- --help` lists the options.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "an example reads better without them")]

mod afternoon;
mod arguments;
mod interactive;
mod morning;
mod phone;
mod receiver;
mod screen;
mod technician;

use std::process::{Command, ExitCode};

use arguments::{Arguments, Part};

/// The errors of an example are only printed.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    let outcome = match arguments.part {
        Part::Whole if arguments.interactive => interactive::run(&arguments),
        Part::Whole => whole_day(arguments),
        Part::Morning => morning::run(&arguments),
        Part::Afternoon => afternoon::run(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("field_day: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs both halves of the day as processes of their own, so that the second has only the file of the first.
fn whole_day(mut arguments: Arguments) -> Outcome<bool> {
    if arguments.port == 0 {
        // The receiver of the afternoon must have the port of the one in the morning.
        arguments.port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    }
    screen::heading("Morning: no signal");
    let morning = Command::new(std::env::current_exe()?).args(arguments.to_vec(Part::Morning)).status()?;
    if !morning.success() {
        return Ok(false);
    }
    screen::heading("Afternoon: the app starts again on the same file, and signal returns");
    Ok(Command::new(std::env::current_exe()?).args(arguments.to_vec(Part::Afternoon)).status()?.success())
}
