//! Why a file of a model did not arrive, and how a reader is told: by the file's name; its whole address is a detail.

use moe_trace::UserError;
use web_sys::Url;

use moe_mailbox::scope;

/// A file that did not arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchError {
    pub url: String,
    pub why: Why,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// No answer at all.
    Network,
    /// An answer that is no file.
    Status(u16),
    /// A file, but another kind of one.
    Instead(&'static str),
    /// Fewer or more bytes than promised, at the second try too.
    Length { expected: u32, found: u32 },
    /// More bytes than a file of its kind may have.
    TooLarge { max_bytes: u32 },
    /// The right number of bytes, but others, at the second try too.
    Hash,
    /// It names no place at all.
    Address,
}

impl Why {
    pub fn of(self, url: &str) -> FetchError {
        FetchError { url: url.to_owned(), why: self }
    }
}

impl FetchError {
    /// Might the browser's own cache hold a broken copy, so that a try past it brings the file?
    pub fn may_be_cached(&self) -> bool {
        matches!(self.why, Why::Length { .. } | Why::Hash)
    }

    /// Is it the connection or the host that is in trouble, and no answer about the file? A web page in its place is how
    /// the network of a hotel or a train answers for any address.
    pub fn may_pass(&self) -> bool {
        match self.why {
            Why::Network | Why::Instead(_) | Why::Length { .. } | Why::TooLarge { .. } | Why::Hash => true,
            Why::Status(status) => status >= 500 || matches!(status, 408 | 425 | 429),
            Why::Address => false,
        }
    }
}

const RETRY: &str = "Check the connection and press Retry; the recorded run works without the model.";
const HOST: &str = "Only whoever runs its host can mend that; the recorded run works without the model.";

impl From<FetchError> for UserError {
    fn from(FetchError { url, why }: FetchError) -> UserError {
        let name = file_name(&url);
        let (why, try_this) = match why {
            Why::Network if is_elsewhere(&url) => {
                let why =
                    format!("Nothing came back for {name}: no connection, or its host lets no other site read it.");
                (why, RETRY)
            }
            Why::Network => (format!("Nothing came back for {name}."), RETRY),
            Why::Status(status @ (404 | 410)) => {
                let why = format!("There is no {name} at its address (status {status}).");
                (why, "Check the model's name or address; the recorded run works without the model.")
            }
            Why::Status(status @ (401 | 403)) => {
                (format!("Its host does not give out {name} (status {status})."), HOST)
            }
            Why::Status(status) => (format!("Its host answered for {name} with status {status}."), RETRY),
            Why::Instead(what) => (format!("Instead of {name} {what} arrived."), HOST),
            Why::Length { expected, found } => {
                let why = format!(
                    "The second try, too, brought {found} bytes of {name} instead of {expected}; they were thrown away."
                );
                (why, RETRY)
            }
            Why::TooLarge { max_bytes } => {
                (format!("{name} has more than the {max_bytes} bytes that such a file may have."), HOST)
            }
            Why::Hash => (
                format!("{name} arrived corrupt at the second try, too; it was thrown away."),
                "Press Retry, or reload the page if the site was updated meanwhile; the recorded run works without the model.",
            ),
            Why::Address => (format!("\"{name}\" is no address."), HOST),
        };
        UserError::new("The model could not be fetched.", why, try_this).with_details(url)
    }
}

/// The last part of an address, without its query.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
}

/// Is it of another origin than this worker?
fn is_elsewhere(url: &str) -> bool {
    Url::new(url).is_ok_and(|url| url.origin() != scope().origin())
}
