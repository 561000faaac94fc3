//! The tenant as a whole.

use super::{Family, Samples};
use crate::domain::{Dimension, TenantFigures};

pub(super) fn describe(samples: &mut Samples, figures: &TenantFigures) {
    for ((dimension, value), count) in figures {
        let family = family(*dimension);
        // A dimension that is counted as a whole has one empty value and no label.
        let labels = &[value.as_str()][..family.definition().labels.len()];
        samples.add(family, labels, *count);
    }
}

/// The metric of a dimension, whose label has the dimension's values.
const fn family(dimension: Dimension) -> Family {
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
