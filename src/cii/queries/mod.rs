//! The questions that are asked, a file each.

mod ip_users;
#[cfg(test)]
mod schema;
mod untold;
mod user_state;
