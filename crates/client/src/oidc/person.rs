//! The person in front of the program.

use std::time::Duration;

use net::Url;

/// What a sign-in needs of a person. The program decides how it looks.
#[async_trait::async_trait]
pub trait Person: Send + Sync {
    /// Whether there is a terminal at which somebody sits.
    fn has_terminal(&self) -> bool;

    /// Opens a browser at `url`; whether that worked.
    fn open_browser(&self, url: &Url) -> bool;

    /// Shows an invitation.
    fn invite(&self, invitation: &Invitation<'_>);

    /// Asks for the code that the browser showed; `None` if nobody gives one.
    async fn ask_for_code(&self) -> Option<String>;
}

/// What a person is told to do.
#[derive(Clone, Copy, Debug)]
pub enum Invitation<'a> {
    /// A browser was opened here; this is where it went.
    Browser {
        /// The address.
        url: &'a Url,
    },
    /// Open this address in any browser, and bring the code here.
    OutOfBand {
        /// The address.
        url: &'a Url,
    },
    /// Open this address in any browser, and confirm that it shows this code.
    Device {
        /// The address, with the code in it if the issuer has one such.
        url: &'a str,
        /// The code.
        user_code: &'a str,
        /// How long there is time.
        within: Duration,
    },
}
