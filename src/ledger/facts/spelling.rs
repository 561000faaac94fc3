//! Spellings of logins that differ from their identity.

use super::Facts;
use crate::{
    domain::Login,
    ledger::{Fault, Keys, WholeTable},
};

impl Facts {
    /// Stores the service's spelling of a login; the newest one counts.
    ///
    /// # Errors
    /// When the spelling was not loaded.
    pub fn record_spelling(&mut self, login: &Login) -> Result<(), Fault> {
        if !self.has_other_spelling(login)? {
            return Ok(());
        }
        if login.is_respelled() {
            self.spellings.put(login.clone(), login.spelling().into());
        } else {
            self.spellings.remove(login);
        }
        Ok(())
    }

    /// Whether another spelling is stored than this one.
    ///
    /// # Errors
    /// When the spelling was not loaded.
    pub fn has_other_spelling(&self, login: &Login) -> Result<bool, Fault> {
        let kept = self.spellings.get(login)?;
        Ok(kept.map_or(login.as_str(), |kept| &**kept) != login.spelling())
    }

    /// Whether the service named the user or answered about them, and so has a spelling of its own.
    /// Needs the keys of `known_to_service_keys`.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded.
    pub fn is_known_to_service(&self, login: &Login) -> Result<bool, Fault> {
        let is_answered =
            self.answered.get(login)?.is_some_and(|answered| answered.unknown_since.is_none());
        Ok(is_answered
            || self.users.get(login)?.is_some()
            || self.listed.get(login)?.is_some()
            || !self.failures_of(login)?.is_empty())
    }
}

/// Adds the rows by which [`Facts::is_known_to_service`] decides.
pub(in crate::ledger) fn known_to_service_keys(login: &Login, keys: &mut Keys) {
    keys.answered.insert(login.clone());
    keys.users.insert(login.clone());
    keys.failures_of.insert(login.clone());
    keys.whole.insert(WholeTable::Listing);
}
