//! Reads a list of the service row by row, so that an unreadable row does not affect the others.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::{
    ApiError, Client, GraphqlError, PathSegment,
    batch::{Field, selection},
    graphql::{Answer, is_too_much, too_many},
    meters::Operation,
};

/// A root field that returns a list, or pages of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub(super) operation: Operation,
    /// The variables with their types, in parentheses; empty for none.
    pub(super) declared: &'static str,
    /// The arguments that pass them, in parentheses.
    pub(super) passed: &'static str,
    /// Whether the list is paged: rows are in `items`, with a `pageToken`.
    pub(super) is_paged: bool,
    pub(super) fields: &'static [Field],
    /// The key field, without which a row is useless.
    pub(super) needed: &'static str,
}

/// The rows of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Number of rows that are null or lack the key field.
    pub(super) skipped: usize,
    /// The token of the next page, unchanged.
    pub(super) next: Option<String>,
}

/// A row, with the leaves that errors are about.
pub(super) struct Row<'a> {
    value: &'a Value,
    index: usize,
    doubted: &'a HashSet<(usize, String)>,
}

impl<'a> Row<'a> {
    /// Creates a row that is the whole answer.
    pub(super) const fn new_whole(value: &'a Value, doubted: &'a HashSet<(usize, String)>) -> Self {
        Self { value, index: 0, doubted }
    }
}

impl Row<'_> {
    /// A leaf; null when it is missing.
    pub(super) fn leaf(&self, name: &str) -> &Value {
        &self.value[name]
    }

    /// Whether the leaf is missing or an error is about it.
    pub(super) fn is_untold(&self, name: &str) -> bool {
        self.value.get(name).is_none() || self.doubted.contains(&(self.index, name.to_owned()))
    }
}

impl Rows {
    pub(super) const fn field(&self) -> &'static str {
        self.operation.into_str()
    }

    /// The query without some fields of the rows.
    pub(super) fn query(&self, without: &BTreeSet<&str>) -> String {
        let Self { declared, passed, .. } = self;
        let fields = selection(self.fields, without);
        let inner = if self.is_token_only(without) {
            "    pageToken".to_owned()
        } else if self.is_paged {
            format!("    items {{\n{fields}\n    }}\n    pageToken")
        } else {
            fields
        };
        format!("query {declared} {{\n  {}{passed} {{\n{inner}\n  }}\n}}", self.field())
    }

    /// Reads an answer to a request for only the next page's token.
    fn read_token_only<T>(&self, mut answer: Answer) -> Result<Page<T>, ApiError> {
        let root = answer.take_root(self.field())?;
        if !answer.errors.is_empty() {
            return Err(ApiError::Graphql(answer.root_errors(self.field())));
        }
        let next = self.next_token(&root["pageToken"])?;
        tracing::warn!(field = self.field(), "a row was skipped: nothing of it can be read");
        Ok(Page { items: Vec::new(), skipped: 1, next })
    }

    /// Reads the token of the next page.
    fn next_token(&self, token: &Value) -> Result<Option<String>, ApiError> {
        match token {
            Value::Null => Ok(None),
            Value::String(token) => Ok(Some(token.clone())),
            Value::Number(token) => Ok(Some(token.to_string())),
            _ => Err(self.malformed("its page token is no text")),
        }
    }

    /// Whether only the next page's token is requested.
    fn is_token_only(&self, without: &BTreeSet<&str>) -> bool {
        self.is_paged && without.len() == self.fields.len()
    }

    /// The depth of the list's elements in a path.
    const fn depth(&self) -> usize {
        if self.is_paged { 2 } else { 1 }
    }

    /// Reads an answer. An error about the whole list fails it; one about a row or a leaf only
    /// marks that part as missing.
    pub(super) fn read<T>(
        &self,
        mut answer: Answer,
        read: impl Fn(&Row<'_>) -> Option<T>,
    ) -> Result<Page<T>, ApiError> {
        let mut root = answer.take_root(self.field())?;
        if answer.errors.iter().any(|error| !self.is_about_row(error)) {
            return Err(ApiError::Graphql(answer.root_errors(self.field())));
        }
        let (rows, next) = if self.is_paged {
            // `get_mut`, because mutable indexing panics when the value is no object.
            let mut take = |name| root.get_mut(name).map(Value::take).unwrap_or_default();
            (take("items"), take("pageToken"))
        } else {
            (root, Value::Null)
        };
        let Value::Array(rows) = rows else { return Err(self.malformed("its rows are no list")) };
        let next = self.next_token(&next)?;
        let doubted: HashSet<_> = answer
            .errors
            .iter()
            .filter_map(|error| {
                let name = error.field(self.depth() + 1)?;
                Some((error.index(self.depth())?, name.to_owned()))
            })
            .collect();
        // An error about a row that is not in the list counts as that row.
        let missing: HashSet<_> = answer
            .errors
            .iter()
            .filter_map(|error| error.index(self.depth()))
            .filter(|index| *index >= rows.len())
            .collect();
        let count = rows.len() + missing.len();
        let items: Vec<_> = rows
            .iter()
            .enumerate()
            .filter(|(_, value)| value.is_object())
            .filter_map(|(index, value)| read(&Row { value, index, doubted: &doubted }))
            .collect();
        let skipped = count - items.len();
        if skipped > 0 {
            tracing::warn!(
                field = self.field(),
                skipped,
                rows = count,
                needed = self.needed,
                "rows were skipped: they are null, or the field that names them cannot be read"
            );
        }
        Ok(Page { items, skipped, next })
    }

    fn is_about_row(&self, error: &GraphqlError) -> bool {
        error.field(0) == Some(self.field())
            && (!self.is_paged || error.field(1) == Some("items"))
            && matches!(error.path.get(self.depth()), Some(PathSegment::Index(_)))
    }

    /// The fields that made the whole answer fail and can be left out. By the rules of GraphQL, an
    /// error of a non-null leaf in one row nulls everything above it.
    fn removable_leaves(&self, error: &ApiError) -> BTreeSet<&'static str> {
        let leaf = |error: &GraphqlError| {
            let name = error.field(self.depth() + 1).filter(|_| self.is_about_row(error))?;
            let field = self.fields.iter().find(|field| field.name == name)?;
            (field.name != self.needed).then_some(field.name)
        };
        error.errors().iter().filter_map(leaf).collect()
    }

    /// The first row that makes the whole answer fail.
    pub(super) fn bad_row<'a>(&self, error: &'a ApiError) -> Option<&'a GraphqlError> {
        error.errors().iter().find(|error| self.is_about_row(error))
    }

    pub(super) fn malformed(&self, what: &str) -> ApiError {
        ApiError::Malformed(format!("{}: {what}", self.field()))
    }
}

impl Client {
    /// Requests a list, or a page of it. When leaves of a row make the whole answer fail, they are
    /// left out for this page. When a row itself does, or the page is too large, smaller pages are
    /// requested, so that the rows before it are read; finally the row alone, and then only the
    /// token of the next page, so that the row is skipped.
    pub(super) async fn query_rows<T>(
        &self,
        rows: &Rows,
        mut variables: Value,
        read: impl Fn(&Row<'_>) -> Option<T>,
    ) -> Result<Page<T>, ApiError> {
        let mut without = BTreeSet::new();
        // Terminates: each round leaves out a field or halves the page.
        loop {
            let query = rows.query(&without);
            let is_past_row = rows.is_token_only(&without);
            let understand = |answer| {
                if is_past_row { rows.read_token_only(answer) } else { rows.read(answer, &read) }
            };
            let error =
                match self.execute(rows.operation, &query, variables.clone(), understand).await {
                    Ok(page) => return Ok(page),
                    Err(error) => error,
                };
            let leaves = rows.removable_leaves(&error);
            let count = without.len();
            without.extend(leaves);
            if without.len() > count {
                tracing::warn!(
                    field = rows.field(),
                    ?without,
                    error = error.redacted_text(),
                    "fields made the list fail; it is asked for without them"
                );
                continue;
            }
            let is_too_much = is_too_much(&error);
            let bad = rows.bad_row(&error);
            if bad.is_none() && !is_too_much {
                return Err(error);
            }
            match variables["pageSize"].as_u64() {
                Some(size @ 2..) => variables["pageSize"] = json!(size / 2),
                // The row is unreadable, but perhaps its key field is not.
                Some(_) if is_too_much && without.len() + 1 < rows.fields.len() => {
                    let names = rows.fields.iter().map(|field| field.name);
                    without.extend(names.filter(|name| *name != rows.needed));
                }
                // The key field is unreadable, too: the row is skipped, and the list continues
                // after it. Only for a page of one row, since other rows would be lost.
                Some(_)
                    if rows.is_paged
                        && without.len() < rows.fields.len()
                        && bad.is_none_or(|error| error.index(rows.depth()) == Some(0)) =>
                {
                    without.extend(rows.fields.iter().map(|field| field.name));
                }
                _ => {
                    let why = bad.map_or_else(|| error.to_string(), ToString::to_string);
                    return Err(rows.malformed(&format!(
                        "a row cannot be read, and the list not go on past it: {why}"
                    )));
                }
            }
        }
    }

    /// Checks the number of rows over all pages of a list.
    ///
    /// # Errors
    /// When it exceeds the limit of the setting.
    pub(super) fn check_item_count(&self, what: &str, count: usize) -> Result<(), ApiError> {
        if count > self.max_items() { Err(too_many(what, self.max_items())) } else { Ok(()) }
    }
}
