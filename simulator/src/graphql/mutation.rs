//! The mutations: webhook targets come and go.

use async_graphql::{Context, ID, Object, Result};

use super::{
    failure,
    input::{RegisterWebhookWithApiKey, RegisterWebhookWithDuoSecurityClient},
    service,
};
use crate::{
    service::Service,
    webhook::{self, Target},
};

pub(crate) struct Mutation;

#[expect(clippy::unused_async, reason = "the library wants its resolvers so")]
#[Object]
impl Mutation {
    async fn register_webhook_with_api_key(
        &self,
        context: &Context<'_>,
        input: RegisterWebhookWithApiKey,
    ) -> Result<ID> {
        let service = service(context)?;
        named(&input.name)?;
        let target = Target {
            url: input.endpoint,
            header: input.api_key_name,
            secret: input.api_key,
            check_ids: input.check_ids,
        };
        let id = service.add_target(target.clone());
        webhook::deliver_test(service, &target).await;
        Ok(id.into())
    }

    async fn register_webhook_with_duo_security_client(
        &self,
        context: &Context<'_>,
        input: RegisterWebhookWithDuoSecurityClient,
    ) -> Result<ID> {
        service(context)?;
        named(&input.name)?;
        let what = (input.duo_integration_instance_id, input.check_ids.len());
        Ok(Service::suffixed(&format!("{}-{}", what.0, what.1)).into())
    }

    async fn unregister_webhook(&self, context: &Context<'_>, id: ID) -> Result<bool> {
        Ok(service(context)?.remove_target(&id))
    }
}

fn named(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(failure("BadRequest", "a webhook needs a name"));
    }
    Ok(())
}
