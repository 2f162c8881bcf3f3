//! What commands print: data on stdout, talk on stderr, progress where someone watches.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::{Failure, OrFail};

/// The form of what goes to stdout.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value.
    Json,
}

impl Format {
    /// Prints a result: its `Display` for people, its JSON for programs.
    pub(crate) fn print(self, result: &(impl Display + Serialize)) -> Result<(), Failure> {
        let printed = match self {
            Self::Text => print_text(&printable(&result.to_string())),
            Self::Json => print_json(result),
        };
        printed.or_undecided("the result cannot be printed")
    }

    /// Prints what was done before something failed, unless that is nothing, and ends with the failure if there is one.
    pub(crate) fn finish(
        self,
        result: &(impl Display + Serialize),
        nothing: bool,
        failure: Option<Failure>,
    ) -> Result<(), Failure> {
        match failure {
            Some(failure) if nothing => Err(failure),
            Some(failure) => {
                // Programs read one JSON value: what was done; people are told what was not.
                self.print(result)?;
                Err(failure.quietly())
            }
            None => self.print(result),
        }
    }
}

/// Writes `text` and a final newline to stdout. A reader that has gone away no longer wants to know.
pub(crate) fn print_text(text: &str) -> io::Result<()> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { Ok(()) } else { forgive_closed_pipe(writeln!(io::stdout(), "{text}")) }
}

/// Writes data to stdout: byte for byte where a program reads it, without what commands terminals where a person does.
pub(crate) fn print_data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    let shown = if stdout.is_terminal() { printable(text) } else { text.to_owned() };
    let end = if shown.ends_with('\n') { "" } else { "\n" };
    forgive_closed_pipe(write!(stdout, "{shown}{end}"))
}

/// Writes `value` to stdout as indented JSON.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    forgive_closed_pipe(writeln!(io::stdout(), "{text}"))
}

fn forgive_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says something to whoever watches. That nobody listens is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

/// `text` without what would move a terminal's cursor or change its colours: much of what is printed was written by
/// strangers, in certificates and logs. Tabs and line ends stay.
pub(crate) fn printable(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || c == '\n' || c == '\t';
    text.chars().map(|c| if harmless(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Asks a question that is answered with yes or no; anything but `y` or `yes` is no.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Reads a password: asks for it with `prompt` on a terminal, without showing it; else, or without a prompt, it is a line of
/// the standard input.
pub(crate) fn secret(prompt: Option<&str>) -> io::Result<Zeroizing<String>> {
    match prompt {
        Some(prompt) if io::stdin().is_terminal() => {
            rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new)
        }
        _ => {
            let mut line = Zeroizing::new(String::new());
            io::stdin().read_line(&mut line)?;
            Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
        }
    }
}

/// A line that moves while something long is done, when stderr is a terminal.
pub(crate) fn progress(total: u64, what: &'static str) -> ProgressBar {
    moving(total, what, if total > 1 { "{spinner} {msg} {pos}/{len}" } else { "{spinner} {msg}" })
}

/// The same for bytes, with their speed.
pub(crate) fn byte_progress(total: u64, what: &'static str) -> ProgressBar {
    moving(total, what, "{spinner} {msg} {bytes}/{total_bytes} ({bytes_per_sec}, {eta})")
}

fn moving(total: u64, what: &'static str, style: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total).with_message(what);
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Sends events of the program to stderr, for `--verbose`.
pub(crate) fn trace_steps() {
    let level = tracing_subscriber::filter::LevelFilter::DEBUG;
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).without_time().init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_cannot_command_the_terminal() {
        assert_eq!(printable("a\tb\n\u{1b}[2Jc\u{9b}d\r"), "a\tb\n\u{fffd}[2Jc\u{fffd}d\u{fffd}");
    }
}
