//! What a caller gives.

use async_graphql::InputObject;

use crate::vocabulary::Order;

#[derive(InputObject)]
pub(super) struct ListEndUsersInput {
    pub(super) order_by: Option<Vec<OrderBy>>,
}

#[derive(InputObject)]
pub(super) struct OrderBy {
    pub(super) name: String,
    pub(super) order: Option<Order>,
}

#[derive(InputObject)]
pub(super) struct RegisterWebhookWithApiKey {
    pub(super) name: String,
    pub(super) endpoint: String,
    pub(super) api_key_name: String,
    pub(super) api_key: String,
    pub(super) check_ids: Vec<String>,
}

#[derive(InputObject)]
pub(super) struct RegisterWebhookWithDuoSecurityClient {
    pub(super) name: String,
    pub(super) duo_integration_instance_id: String,
    pub(super) check_ids: Vec<String>,
}
