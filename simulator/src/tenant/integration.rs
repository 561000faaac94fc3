//! An integration of the service with one of the tenant's systems.

use crate::vocabulary::ActivityResultType;

/// What the service tells of an integration; the moment is always now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// The service's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How its last run ended.
    pub status: ActivityResultType,
    /// What went wrong in it.
    pub error: Option<String>,
}

impl Integration {
    /// An integration whose last run went well.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        let (id, name) = (id.to_owned(), name.to_owned());
        Self { id, name, status: ActivityResultType::Success, error: None }
    }
}
