//! The person who runs git. Git keeps standard input and output for itself and shows standard error only when signing
//! fails, so that whoever signs in is spoken to at the terminal itself.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};

use client::oidc::{Invitation, Person};
use net::Url;

use crate::identity::{has_desktop, open_browser, words};
use crate::output::{printable, say};

/// The terminal, if there is one. An editor that runs git has none.
pub(super) struct Terminal(Option<File>);

impl Terminal {
    pub(super) fn open() -> Self {
        Self(OpenOptions::new().read(true).write(true).open("/dev/tty").ok())
    }

    /// Whether anybody could be asked to sign in.
    pub(super) fn has_person(&self) -> bool {
        self.0.is_some() || has_desktop()
    }

    /// Says something to whoever sits there, or else to whoever reads standard error.
    pub(super) fn say(&self, line: &str) {
        if !self.tell(line) {
            say(line);
        }
    }

    /// Says something to whoever sits there; whether there is a terminal.
    pub(super) fn tell(&self, line: &str) -> bool {
        // That nobody listens is no reason to fail.
        let write = |mut terminal: &File| drop(writeln!(terminal, "bulla: {}", printable(line)));
        self.0.as_ref().map(write).is_some()
    }
}

#[async_trait::async_trait]
impl Person for Terminal {
    fn has_terminal(&self) -> bool {
        self.has_person()
    }

    fn open_browser(&self, url: &Url) -> bool {
        open_browser(url)
    }

    fn invite(&self, invitation: &Invitation<'_>) {
        self.say(&words(invitation));
    }

    async fn ask_for_code(&self) -> Option<String> {
        let terminal = self.0.as_ref()?.try_clone().ok()?;
        self.say("Code:");
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(terminal).read_line(&mut line).map(|_| line)
        });
        let line = read.await.ok()?.ok()?;
        Some(line.trim().to_owned()).filter(|code| !code.is_empty())
    }
}
