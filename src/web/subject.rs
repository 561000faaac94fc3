//! All that the store knows of one user or address, read in one transaction.

use super::problem::Problem;
use crate::{
    domain::Login,
    store::{FailingCheck, IpRecord, Store, UserRecord, WatchReason},
};

/// What is known of a user.
#[derive(Debug)]
pub(super) struct KnownUser {
    pub(super) record: Option<UserRecord>,
    pub(super) failing: Vec<FailingCheck>,
    pub(super) reasons: Vec<WatchReason>,
}

/// What is known of an address.
#[derive(Debug)]
pub(super) struct KnownIp {
    pub(super) record: Option<IpRecord>,
    pub(super) reasons: Vec<WatchReason>,
}

/// Reads a user.
///
/// # Errors
/// When nothing is known, or the store cannot be read.
pub(super) async fn user(store: &Store, login: &Login) -> Result<KnownUser, Problem> {
    let key = login.to_string();
    let known = store
        .read(move |reader| {
            Ok(KnownUser {
                record: reader.user_record(&key)?,
                failing: reader.failing_checks(&key)?,
                reasons: reader.watch_reasons("user", &key)?,
            })
        })
        .await?;
    if known.record.is_none() && known.failing.is_empty() && known.reasons.is_empty() {
        return Err(Problem::not_found(format!(
            "nothing is known of the user {:?}; logins count case. To have the user asked about, \
             add the login to watch.users and reload",
            login.as_str()
        )));
    }
    Ok(known)
}

/// Why a user is not watched.
pub(super) const fn why_no_user_watch(is_failing: bool) -> &'static str {
    if is_failing {
        "not watched: not in watch.users, and watch.failing_users is off, or watch.max_users was \
         reached when a webhook named the user"
    } else {
        "not watched: not in watch.users, and no webhook named the user"
    }
}

/// Reads an address, in its one spelling.
///
/// # Errors
/// When nothing is known, or the store cannot be read.
pub(super) async fn ip(store: &Store, ip: &str) -> Result<KnownIp, Problem> {
    let key = ip.to_owned();
    let known = store
        .read(move |reader| {
            Ok(KnownIp {
                record: reader.ip_record(&key)?,
                reasons: reader.watch_reasons("ip", &key)?,
            })
        })
        .await?;
    if known.record.is_none() && known.reasons.is_empty() {
        return Err(Problem::not_found(format!(
            "nothing is known of the address {ip}; to have it asked about, add it to watch.ips \
             and reload"
        )));
    }
    Ok(known)
}

/// Why an address is not watched.
pub(super) const WHY_NO_IP_WATCH: &str = "not watched: not in watch.ips";
