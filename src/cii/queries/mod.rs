//! The questions that are asked, a file each.

mod failing_checks;
mod ip_users;
#[cfg(test)]
mod schema;
mod untold;
mod user_state;
