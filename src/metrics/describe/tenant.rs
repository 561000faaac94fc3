//! Samples of the tenant as a whole.

use super::{Family, Samples};
use crate::domain::{Dimension, TenantFigures, TenantId};

/// The tenant's name when neither the configuration nor a delivery has one.
const UNNAMED: &str = "unnamed";

/// Adds `cii_tenant_info` with the configured name and the id.
pub(super) fn add_tenant_info(samples: &mut Samples, name: Option<&str>, id: Option<TenantId>) {
    samples.add(Family::TenantInfo, &tenant_labels(name, id).each_ref().map(String::as_str), 1_u64);
}

/// The values of the labels `tenant` and `id`.
pub(in crate::metrics) fn tenant_labels(name: Option<&str>, id: Option<TenantId>) -> [String; 2] {
    let id = id.map(|id| id.to_string());
    let name = name.or(id.as_deref()).unwrap_or(UNNAMED).to_owned();
    [name, id.unwrap_or_default()]
}

pub(super) fn add_figures(samples: &mut Samples, figures: &TenantFigures) {
    for ((dimension, value), count) in figures {
        let family = dimension_family(*dimension);
        // A dimension without values has one empty value, and its metric has no label.
        let labels = &[value.as_str()][..family.definition().labels.len()];
        samples.add(family, labels, *count);
    }
}

/// The metric of a dimension; its label has the dimension's values.
const fn dimension_family(dimension: Dimension) -> Family {
    match dimension {
        Dimension::Status => Family::TenantUsers,
        Dimension::UserType => Family::TenantUsersByType,
        Dimension::Provider => Family::TenantUsersByProvider,
        Dimension::Mfa => Family::TenantUsersByMfa,
        Dimension::LevelOfTrust => Family::TenantUsersByTrust,
        Dimension::InactiveDays => Family::TenantInactiveUsers,
        Dimension::DeviceType => Family::TenantDevices,
        Dimension::UnlinkedDevices => Family::TenantUnlinkedDevices,
    }
}
