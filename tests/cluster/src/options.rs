//! What a server is started with.

/// Settings of a server. The default is one as an operator has it: it syncs its files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) access: Option<String>,
    pub(crate) files: Vec<(String, String)>,
}

impl Options {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For tests in which the server is never killed: nothing is synced, so that commits are fast.
    #[must_use]
    pub fn fast() -> Self {
        Self::new().set("fsync", "off").set("full_page_writes", "off")
    }

    /// Adds a setting of `postgresql.conf`. The last one of a name wins.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces `pg_hba.conf`, for connections by TCP. The superuser still gets in by the socket
    /// without a password, since the cluster itself needs that.
    #[must_use]
    pub fn access(mut self, lines: &str) -> Self {
        self.access = Some(lines.to_owned());
        self
    }

    /// Adds a file to the data folder, readable by the server alone, such as the key of its
    /// certificate. A relative path in `postgresql.conf` is looked up there.
    #[must_use]
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }
}
