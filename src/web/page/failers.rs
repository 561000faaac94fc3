//! The users who fail a check: name, login, status, duration, and whether it is overdue.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{checks::no_failure_text, glyph, overview::Row, words};
use crate::{
    domain::Timestamp,
    store::{BeginRange, Counted, FailingLogin, Reader, StoreError},
    web::{filter, link, listing::Listing, problem::Problem, query::Fields},
};

/// Users per page.
const SHOWN: usize = 100;

/// A filter of the users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum View {
    /// All of them.
    #[default]
    All,
    /// Users who fail for longer than the target.
    Overdue,
    /// Users who began to fail in the last 24 hours.
    New,
}

impl View {
    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "all" => Ok(Self::All),
            "overdue" => Ok(Self::Overdue),
            "new" => Ok(Self::New),
            _ => Err(Problem::bad_request(format!(
                "{text:?} is no view; there are all, overdue, new"
            ))),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Overdue => "overdue",
            Self::New => "new",
        }
    }

    /// The URL of the view of a check.
    fn url(self, id: &str) -> String {
        let query = match self {
            Self::All => None,
            view => Some(("view", view.name())),
        };
        link::page_url_with("checks", id, query.as_slice()) + "#users"
    }
}

/// The order of the users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    /// The longest failing first.
    #[default]
    Age,
    /// By login.
    Login,
}

/// The requested view, order and page.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    view: View,
    order: Order,
    after: Option<(Timestamp, String)>,
    cursor: String,
}

impl Asked {
    /// Takes the fields of the section out of a query.
    ///
    /// # Errors
    /// When a value is invalid.
    pub(super) fn take_from(fields: &mut Fields) -> Result<Self, Problem> {
        let view = fields.take("view").as_deref().map(View::parse).transpose()?.unwrap_or_default();
        let order = match fields.take("sort").as_deref() {
            None | Some("age") => Order::Age,
            Some("login") if view == View::All => Order::Login,
            Some(text) => {
                let message = format!(
                    "{text:?} is no order; there are age, and login where all users are shown"
                );
                return Err(Problem::bad_request(message));
            }
        };
        let cursor = fields.take("cursor").unwrap_or_default();
        let after = match order {
            Order::Age if !cursor.is_empty() => Some(filter::parse_cursor_by_age(&cursor)?),
            _ => None,
        };
        Ok(Self { view, order, after, cursor })
    }
}

/// A user with the data of the row.
struct Failer {
    failing: FailingLogin,
    name: String,
    status: String,
    /// How many other checks the user fails.
    others: u64,
}

/// A page of the list.
pub(super) struct Failers {
    asked: Asked,
    /// How many users began to fail before the last 24 hours.
    old: Counted,
    users: Vec<Failer>,
    next: Option<String>,
    now: Timestamp,
}

impl Failers {
    /// Reads a page.
    pub(super) fn read(
        reader: &Reader,
        row: &Row,
        asked: &Asked,
        old: Counted,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let began = match (asked.view, row.target) {
            (View::Overdue, Some(target)) => {
                BeginRange { before: Some(now - target), ..BeginRange::default() }
            }
            // Without a target nothing is overdue.
            (View::Overdue, None) => BeginRange { before: Some(Timestamp::MIN_UTC), since: None },
            (View::New, _) => BeginRange { since: Some(now - TimeDelta::hours(24)), before: None },
            (View::All, _) => BeginRange::default(),
        };
        let mut found = match asked.order {
            Order::Login => reader.failing_logins(&row.id, &asked.cursor, SHOWN + 1)?,
            Order::Age => {
                let after = asked.after.as_ref().map(|(at, login)| (*at, login.as_str()));
                reader.failing_by_age(&row.id, &began, after, SHOWN + 1)?
            }
        };
        let has_more = found.len() > SHOWN;
        found.truncate(SHOWN);
        let next = found.last().filter(|_| has_more).map(|last| match asked.order {
            Order::Login => last.login.as_str().to_owned(),
            Order::Age => filter::cursor_by_age(last),
        });
        let users = found
            .into_iter()
            .map(|failing| {
                let login = failing.login.as_str();
                let (name, status) = reader.name_and_status(login)?.unwrap_or_default();
                let others = reader.count_failing_checks(login)?.saturating_sub(1);
                Ok(Failer { failing, name, status, others })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { asked: asked.clone(), old, users, next, now })
    }

    /// Renders the section.
    pub(super) fn section(&self, row: &Row, listing: &Listing) -> Markup {
        let order = match self.asked.order {
            Order::Age => "the longest first",
            Order::Login => "by login",
        };
        html! {
            section #users .card aria-labelledby="users-title" data-live {
                div .head {
                    h2 #users-title { "Who fails it" }
                    @if row.state.failing > 0 {
                        p .soft { (words::count(row.state.failing, "user", "users")) ", " (order) }
                        span .more {
                            a href=(link::list_url("checks", &row.id, "users.csv")) { "CSV" }
                        }
                    }
                }
                @if row.state.failing == 0 {
                    p .soft { (no_failure_text("No user is known to fail it", listing)) }
                } @else {
                    (self.views(row))
                    @if self.users.is_empty() { p .soft { "Nobody of them." } } @else { (self.table(row)) }
                }
                @if let Some(next) = &self.next {
                    p .end { a href=(self.next_page(&row.id, next)) { "More users" } }
                }
            }
        }
    }

    fn next_page(&self, id: &str, next: &str) -> String {
        let sort = match self.asked.order {
            Order::Age => "age",
            Order::Login => "login",
        };
        let query = [("view", self.asked.view.name()), ("sort", sort), ("cursor", next)];
        link::page_url_with("checks", id, &query) + "#users"
    }

    /// Links to the views, each with its number of users.
    fn views(&self, row: &Row) -> Markup {
        let all = row.state.failing;
        let new = match self.old {
            Counted::Exactly(old) => words::number(all.saturating_sub(old)),
            Counted::MoreThan(most) => format!("over {}", words::number(most)),
        };
        let overdue = row.overdue.map(|overdue| match overdue {
            Counted::Exactly(count) => words::number(count),
            Counted::MoreThan(count) => format!("over {}", words::number(count)),
        });
        let view = |view: View, name: &str, count: &str| {
            let is_current = self.asked.view == view && self.asked.order == Order::Age;
            html! {
                li {
                    a href=(view.url(&row.id)) aria-current=[is_current.then_some("true")] {
                        (name) " " (count)
                    }
                }
            }
        };
        html! {
            ul .views aria-label="Which users" {
                (view(View::All, "All", &words::number(all)))
                @if let Some(overdue) = overdue { (view(View::Overdue, "Overdue", &overdue)) }
                (view(View::New, "Since 24 hours at most", &new))
                li {
                    a href={ (link::page_url_with("checks", &row.id, &[("sort", "login")])) "#users" }
                        aria-current=[(self.asked.order == Order::Login).then_some("true")] { "By login" }
                }
            }
        }
    }

    fn table(&self, row: &Row) -> Markup {
        let has_status = self.users.iter().any(|user| !user.status.is_empty());
        let target = row.target.map(words::two_units);
        html! {
            table .stack {
                caption .unseen { "Users who fail the check" }
                thead {
                    tr {
                        th scope="col" .c-what { "User" }
                        @if has_status { th scope="col" { "Status" } }
                        th scope="col" { "For" }
                        @if let Some(target) = &target { th scope="col" { "Target " (target) } }
                        th scope="col" .number { "Also fails" }
                        th scope="col" .minor { "Last reported" }
                    }
                }
                tbody {
                    @for user in &self.users {
                        tr {
                            th scope="row" { (words::user_link(&user.failing.login, Some(&user.name))) }
                            @if has_status { td data-is="status" { (status_word(&user.status)) } }
                            td data-is="for" { (failing_for(&user.failing)) }
                            @if let Some(target) = row.target { td { (self.due_text(user, target)) } }
                            td class=(if user.others == 0 { "number zero" } else { "number" }) data-is="also fails" { (user.others) }
                            td .minor { (words::ago(user.failing.reported_at)) }
                        }
                    }
                }
            }
        }
    }

    fn due_text(&self, user: &Failer, target: TimeDelta) -> Markup {
        let left = user.failing.since + target - self.now;
        html! {
            @if left < TimeDelta::zero() {
                (glyph::overdue_mark(&format!("{} overdue", words::duration(-left))))
            } @else {
                span .soft { "due in " (words::duration(left)) }
            }
        }
    }
}

/// How long the user has failed. When no delivery dated the beginning, this is a lower bound.
fn failing_for(failing: &FailingLogin) -> Markup {
    html! {
        (words::elapsed(failing.since))
        @if !failing.is_dated { " " span .soft { "or longer" } }
    }
}

/// Formats a status, which the service writes in capitals.
fn status_word(status: &str) -> String {
    words::sentence_case(&status.replace('_', " ").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_word() {
        assert_eq!(
            ["ACTIVE", "PENDING_USER_ACTION", ""].map(status_word),
            ["Active", "Pending user action", ""]
        );
    }
}
