//! The queries.

use async_graphql::{Context, Object, Result};

use super::{
    conditions,
    connections::{
        AdminLogin, GetEndUsersByIpConnection, ListAdminLoginsConnection, ListEndUsersConnection,
    },
    failure,
    input::ListEndUsersInput,
    page::{Limits, page},
    service,
    types::{AwsDateTime, DailyCheckCount, PublicIntegrationStatus},
    user_types::{EndUserRef, EndUserState, GetEndUserOutput, PublicEndUser},
};
use crate::{
    clock,
    tenant::{Tenant, User},
    vocabulary::Order,
};

const USERS_BY_IP: Limits = Limits { usual: 50, most: 1000 };
const END_USERS: Limits = Limits { usual: 100, most: 500 };
const ADMINS: Limits = Limits { usual: 100, most: 500 };

pub(crate) struct Query;

#[expect(clippy::unused_async, reason = "the library wants its resolvers so")]
#[Object]
impl Query {
    async fn ping(&self, context: &Context<'_>) -> Result<bool> {
        service(context).map(|_| true)
    }

    async fn get_end_user_state(
        &self,
        context: &Context<'_>,
        login: String,
    ) -> Result<EndUserState> {
        service(context)?.tenant(|tenant| Ok(EndUserState::from(user(tenant, &login)?)))
    }

    async fn get_end_users_by_ip(
        &self,
        context: &Context<'_>,
        ip_address: String,
        page_size: Option<i32>,
        page_token: Option<String>,
    ) -> Result<GetEndUsersByIpConnection> {
        let users: Vec<EndUserRef> = service(context)?
            .tenant(|tenant| tenant.users_at(&ip_address).map(EndUserRef::from).collect());
        let (items, page_token) = page(users, &USERS_BY_IP, page_size, page_token.as_deref())?;
        Ok(GetEndUsersByIpConnection { items, page_token })
    }

    async fn get_end_user(&self, context: &Context<'_>, login: String) -> Result<GetEndUserOutput> {
        service(context)?.tenant(|tenant| {
            let user = user(tenant, &login)?;
            Ok(GetEndUserOutput::new(user, failing_checks(context, tenant, user)))
        })
    }

    async fn list_end_users(
        &self,
        context: &Context<'_>,
        input: ListEndUsersInput,
        page_size: Option<i32>,
        page_token: Option<String>,
    ) -> Result<ListEndUsersConnection> {
        let is_descending = input
            .order_by
            .iter()
            .flatten()
            .any(|by| by.name == "login" && by.order == Some(Order::Desc));
        let users = service(context)?.tenant(|tenant| {
            let mut users: Vec<_> = tenant
                .users()
                .map(|user| PublicEndUser::new(user, failing_checks(context, tenant, user)))
                .collect();
            if is_descending {
                users.reverse();
            }
            users
        });
        let (items, page_token) = page(users, &END_USERS, page_size, page_token.as_deref())?;
        Ok(ListEndUsersConnection { items, page_token })
    }

    async fn get_total_check_failing_counts(
        &self,
        context: &Context<'_>,
    ) -> Result<Vec<DailyCheckCount>> {
        Ok(service(context)?.tenant(|tenant| {
            let counts = tenant.daily_failing.iter().map(|(day, total)| DailyCheckCount {
                day: day.clone(),
                total: i32::try_from(*total).unwrap_or(i32::MAX),
            });
            counts.collect()
        }))
    }

    async fn list_admin_logins(
        &self,
        context: &Context<'_>,
        page_size: Option<i32>,
        page_token: Option<String>,
    ) -> Result<ListAdminLoginsConnection> {
        let admins: Vec<AdminLogin> = service(context)?.tenant(|tenant| {
            let admins = tenant.admins.iter().map(|login| {
                let user = tenant.user(login);
                AdminLogin {
                    login: login.clone(),
                    display_name: user.map(|user| user.display_name.clone()),
                    last_sign_in: user.and_then(|user| user.last_sign_in.as_ref()).map(Into::into),
                }
            });
            admins.collect()
        });
        let (items, page_token) = page(admins, &ADMINS, page_size, page_token.as_deref())?;
        Ok(ListAdminLoginsConnection { items, page_token })
    }

    async fn get_integrations_status(
        &self,
        context: &Context<'_>,
    ) -> Result<Vec<PublicIntegrationStatus>> {
        Ok(service(context)?.tenant(|tenant| {
            let statuses = tenant.integrations.iter().map(|integration| PublicIntegrationStatus {
                integration_id: integration.id.clone().into(),
                integration_name: integration.name.clone(),
                status: integration.status,
                date: AwsDateTime(clock::now()),
                error: integration.error.clone(),
            });
            statuses.collect()
        }))
    }
}

fn user<'a>(tenant: &'a Tenant, login: &str) -> Result<&'a User> {
    tenant.user(login).ok_or_else(|| failure("NotFound", "the user is not found"))
}

fn failing_checks(context: &Context<'_>, tenant: &Tenant, user: &User) -> Vec<String> {
    let conditions = conditions(context);
    let by_title = conditions.is_some_and(|given| given.by_title) || tenant.failing_checks_by_title;
    let lag = conditions.map(|given| given.lag).unwrap_or_default();
    let now = clock::now();
    let mut names: Vec<String> = tenant
        .failing_checks(user, now - lag)
        .map(|id| match tenant.check(id) {
            Some(check) if by_title => check.title.clone(),
            _ => id.to_owned(),
        })
        .collect();
    // Two checks may have one title; the list has it once.
    names.sort();
    names.dedup();
    names
}
