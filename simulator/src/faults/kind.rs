//! What can go wrong, by name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AppsyncError, Oddity};

/// What goes wrong. The names in `snake_case` are those of the control routes and of `--fault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// This HTTP status; 429 and 503 carry `Retry-After` with these seconds.
    Status(u16, Option<u64>),
    /// The connection is accepted and nothing ever comes.
    Hang,
    /// The answer comes this many milliseconds late.
    SlowMillis(u64),
    /// The connection breaks in the middle of the answer.
    Cut,
    /// The answer ends in the middle of its JSON, as if that were all.
    MalformedJson,
    /// The answer has no body.
    EmptyBody,
    /// The answer is a page of a proxy.
    HtmlPage,
    /// A byte order mark stands before the body of an answer or of a delivery.
    ByteOrderMark,

    /// The root field fails with an error of this type.
    RootError(String),
    /// This field of the answer is null, with an error.
    FieldError(String),
    /// An error in the form of `AppSync` at a place of the answer.
    Error(AppsyncError),
    /// The errors of unknown logins are told with this type and message instead.
    UnknownLogin(String, String),
    /// So many errors stand beside the answer.
    ManyErrors(usize),

    /// This field is null, without an error.
    Null(String),
    /// A list that is empty is given as null: `AppSync`'s way with absent attributes.
    NullForEmpty,
    /// This field has another value: a leaf of another type, an enum's value that the
    /// schema lacks, a bad date.
    Set(String, Value),
    /// The text of this field ends in one half of a surrogate pair (`\ud83d`).
    LoneSurrogate(String),
    /// This field is a number that no double holds (`1e999`).
    InvalidNumber(String),
    /// So many more addresses in `ipAddresses`.
    ManyAddresses(usize),

    /// The row at this index of a list is odd.
    OddRow(usize, Oddity),
    /// A row more at this index of a list, which is odd; no real row is lost.
    ExtraRow(usize, Oddity),
    /// The page tokens of a listing go in a circle of so many pages and never end.
    PageCircle(usize),
    /// A page token has expired: an error for each page but the first.
    ExpiredPage,

    /// `failingChecks` names checks by title instead of by id.
    ChecksByTitle,
    /// A failure is in the answers only so many milliseconds after it began.
    LagMillis(u64),

    /// The token endpoint takes JSON only; another body gets this status.
    JsonOnly(u16),
    /// The token endpoint takes a form only; another body gets this status.
    FormOnly(u16),
    /// `expires_in` of a token is this; null: the field is missing.
    ExpiresIn(Value),

    /// A delivery is sent as direct messages, each about one user in `detail.login`, under
    /// the type `FAILED_CHECK`.
    DirectMessages,
    /// The side fields of a delivery have other types than usual.
    OddSideFields,
    /// `usersFailing` of a delivery is one text.
    UsersAsText,
    /// A delivery names this beside its users.
    AlsoNames(Value),
    /// A delivery is compressed, with `Content-Encoding: gzip`.
    Gzip,
    /// A delivery's envelope has no id.
    NoEnvelopeId,
}

impl Kind {
    /// Whether it is made by changing an answer that was right. The other kinds change how a
    /// request is carried out, or put something else in place of the answer.
    pub(crate) const fn is_edit(&self) -> bool {
        matches!(
            self,
            Self::Error(_)
                | Self::UnknownLogin(..)
                | Self::ManyErrors(_)
                | Self::Null(_)
                | Self::NullForEmpty
                | Self::Set(..)
                | Self::LoneSurrogate(_)
                | Self::InvalidNumber(_)
                | Self::ManyAddresses(_)
                | Self::OddRow(..)
                | Self::ExtraRow(..)
                | Self::PageCircle(_)
                | Self::ExpiredPage
        )
    }

    /// [`Self::Set`] with any value.
    #[must_use]
    pub fn set(field: &str, value: impl Into<Value>) -> Self {
        Self::Set(field.to_owned(), value.into())
    }

    /// [`Self::Null`] of a field.
    #[must_use]
    pub fn null(field: &str) -> Self {
        Self::Null(field.to_owned())
    }

    /// [`Self::UnknownLogin`] with a type and a message.
    #[must_use]
    pub fn unknown_login(error_type: &str, message: &str) -> Self {
        Self::UnknownLogin(error_type.to_owned(), message.to_owned())
    }
}
