//! Lists as CSV (RFC 4180), read page by page, so that no list is in memory as a whole.

use axum::{
    BoxError,
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use futures_util::stream;

use super::follow::Follower;
use crate::{
    domain::Timestamp,
    store::{Reader, StoreError},
};

/// Records per page. Each page is one read transaction.
pub(super) const PAGE: usize = 500;

/// Most records of a list: about the row limit of spreadsheet programs.
const MOST: usize = 1_000_000;

/// A record, built field by field.
#[derive(Debug, Default)]
pub(super) struct Record(String);

impl Record {
    /// Appends a text of unknown origin, quoted.
    ///
    /// A spreadsheet would run a text that begins like a formula (CSV injection). Such a text gets
    /// an apostrophe before it.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.push_separator();
        let is_formula =
            text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
                || text.starts_with(['\t', '\r', '\n']);
        self.0.push('"');
        if is_formula {
            self.0.push('\'');
        }
        // Some programs treat NUL as the end of the file.
        self.0.push_str(&text.replace('"', "\"\"").replace('\0', "\u{fffd}"));
        self.0.push('"');
        self
    }

    /// Appends a whole number; an empty field for `None`.
    pub(super) fn number(mut self, number: impl Into<Option<u64>>) -> Self {
        self.push_separator();
        if let Some(number) = number.into() {
            self.0.push_str(&number.to_string());
        }
        self
    }

    /// Appends a moment in RFC 3339; an empty field for `None`.
    pub(super) fn moment(mut self, moment: impl Into<Option<Timestamp>>) -> Self {
        self.push_separator();
        if let Some(moment) = moment.into() {
            self.0.push_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
        self
    }

    /// Appends a constant of this program, unquoted.
    pub(super) fn word(mut self, word: &str) -> Self {
        self.push_separator();
        self.0.push_str(word);
        self
    }

    fn push_separator(&mut self) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
    }
}

/// A list that is read page by page.
pub(super) trait List: Send + 'static {
    /// The names of the fields.
    const FIELDS: &'static [&'static str];

    /// Reads the next records, at most [`PAGE`]; `None` at the end of the list.
    ///
    /// # Errors
    /// When the database fails.
    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError>;
}

/// Streams a list as a CSV attachment. The follower's permit is held until the client has read all
/// of it.
pub(super) fn stream_list<L: List>(follower: Follower, list: L, name: &str) -> Response {
    let begin = (follower, Some(list), 0_usize, true);
    let pages = stream::try_unfold(begin, async |(follower, list, sent, is_first)| {
        if is_first {
            return Ok(Some((
                format!("{}\r\n", L::FIELDS.join(",")),
                (follower, list, sent, false),
            )));
        }
        let Some(mut list) = list.filter(|_| sent < MOST && follower.is_running()) else {
            return Ok(None);
        };
        let read = move |reader: &Reader| Ok((list.next_page(reader)?, list));
        let (records, list) = follower.read(read).await?;
        let Some(mut records) = records else { return Ok::<_, BoxError>(None) };
        records.truncate(MOST - sent);
        let sent = sent + records.len();
        let text = records.into_iter().map(|record| record.0 + "\r\n").collect::<String>();
        Ok(Some((text, (follower, Some(list), sent, false))))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    (headers, Body::from_stream(pages)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_field_and_is_no_formula() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("a,b\r\n\"c\"", "\"a,b\r\n\"\"c\"\"\""),
            ("=1+1", "\"'=1+1\""),
            (" @SUM(A1)", "\"' @SUM(A1)\""),
            ("+49", "\"'+49\""),
            ("-2", "\"'-2\""),
            ("＝1", "\"'＝1\""),
            ("\tx", "\"'\tx\""),
            ("a\0b", "\"a\u{fffd}b\""),
            ("", "\"\""),
        ] {
            assert_eq!(Record::default().text(text).0, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_empty_field() {
        let moment = Timestamp::from_timestamp(0, 0);
        let record = Record::default().text("a").number(None).moment(None).number(3).moment(moment);
        assert_eq!(record.0, "\"a\",,,3,1970-01-01T00:00:00Z");
    }
}
