//! The resource of every batch: which exporter and tenant events are from.

use std::collections::BTreeMap;

use crate::{
    build_info,
    domain::{TenantId, event::key},
};

/// The exporter that sends events, and their tenant.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The id of the store, which becomes `service.instance.id`.
    pub instance_id: String,
    /// The operator's name for the tenant.
    pub tenant_name: Option<String>,
    /// The tenant's id, once a delivery named it.
    pub tenant_id: Option<TenantId>,
}

/// Our own attributes; attributes that the operator configured win over them.
pub(super) fn attributes(
    origin: &Origin,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let own = [
        ("service.name", Some("cii-exporter".to_owned())),
        ("service.version", Some(build_info::VERSION.to_owned())),
        ("service.instance.id", Some(origin.instance_id.clone())),
        (key::TENANT_NAME, origin.tenant_name.clone()),
        (key::TENANT_ID, origin.tenant_id.map(|id| id.to_string())),
    ];
    let own = own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let mut attributes: BTreeMap<_, _> = own.collect();
    attributes.extend(given.clone());
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_our_own() {
        let given = [("service.name", "prod-eu"), ("team", "iam")];
        let given = given.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let id = "a229bd52-608a-4225-bd01-b2214a3c4127";
        let origin = Origin {
            instance_id: "store-1".to_owned(),
            tenant_name: Some("acme".to_owned()),
            tenant_id: TenantId::parse(id),
        };
        let attributes = attributes(&origin, &given);
        assert_eq!((&*attributes["cii.tenant.id"], &*attributes["cii.tenant.name"]), (id, "acme"));
        assert_eq!(attributes["service.name"], "prod-eu");
        assert_eq!(attributes["team"], "iam");
        assert_eq!(attributes["service.instance.id"], "store-1");
        assert_eq!(attributes["service.version"], build_info::VERSION);
        let unknown = super::attributes(&Origin::default(), &given);
        assert!(!unknown.keys().any(|key| key.starts_with("cii.tenant")), "{unknown:?}");
    }
}
