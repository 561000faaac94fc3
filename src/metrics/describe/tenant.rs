//! The tenant as a whole.

use super::{Family, Sample, Value};
use crate::domain::{Dimension, TenantFigures};

pub(super) fn samples(figures: &TenantFigures) -> Vec<Sample> {
    let sample = |((dimension, value), count): (&(Dimension, String), &u64)| {
        let (family, label) = shown(*dimension);
        let label = label.map(|name| (name, value.as_str()));
        Sample::new(family, label.as_slice(), Value::Count(*count))
    };
    figures.iter().map(sample).collect()
}

/// The metric of a dimension, and the label that holds its values.
const fn shown(dimension: Dimension) -> (Family, Option<&'static str>) {
    match dimension {
        Dimension::Status => (Family::TenantUsers, Some("status")),
        Dimension::UserType => (Family::TenantUsersByType, Some("user_type")),
        Dimension::Provider => (Family::TenantUsersByProvider, Some("provider")),
        Dimension::Mfa => (Family::TenantUsersByMfa, Some("mfa")),
        Dimension::LevelOfTrust => (Family::TenantUsersByTrust, Some("level_of_trust")),
        Dimension::InactiveDays => (Family::TenantInactiveUsers, Some("days")),
        Dimension::DeviceType => (Family::TenantDevices, Some("device_type")),
        Dimension::UnlinkedDevices => (Family::TenantUnlinkedDevices, None),
    }
}
