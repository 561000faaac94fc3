//! Pages of users.

use async_graphql::SimpleObject;

use super::user_types::{EndUserRef, PublicEndUser, PublicUserSignInInfo};

#[derive(SimpleObject)]
pub(super) struct AdminLogin {
    pub(super) login: String,
    pub(super) display_name: Option<String>,
    pub(super) last_sign_in: Option<PublicUserSignInInfo>,
}

#[derive(SimpleObject)]
pub(super) struct GetEndUsersByIpConnection {
    pub(super) items: Vec<EndUserRef>,
    pub(super) page_token: Option<String>,
}

#[derive(SimpleObject)]
pub(super) struct ListAdminLoginsConnection {
    pub(super) items: Vec<AdminLogin>,
    pub(super) page_token: Option<String>,
}

#[derive(SimpleObject)]
pub(super) struct ListEndUsersConnection {
    pub(super) items: Vec<PublicEndUser>,
    pub(super) page_token: Option<String>,
}
