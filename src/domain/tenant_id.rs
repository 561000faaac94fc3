//! Which tenant deliveries are from.

use std::fmt;

use uuid::Uuid;

/// The id of a tenant, a UUID. It is shown in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantId(Uuid);

impl TenantId {
    /// The id that this text is; nothing when it is no UUID as a delivery writes one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const HYPHENATED: usize = 36;
        // Other spellings, such as one in braces, are no id of the service's.
        let text = Some(text).filter(|text| text.len() == HYPHENATED)?;
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The id in the `source` of a delivery's envelope: what is before the two underscores.
    #[must_use]
    pub fn of_source(source: &str) -> Option<Self> {
        Self::parse(source.split_once("__").map_or(source, |(tenant, _)| tenant))
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hyphenated())
    }
}

/// A delivery from another tenant than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherTenant {
    /// The tenant that is known.
    pub known: TenantId,
    /// The one that the delivery is from.
    pub other: TenantId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_uuid_of_the_source_without_its_last_digits() {
        let id = "a229bd52-608a-4225-bd01-b2214a3c4127";
        for source in [id, &format!("{id}__a7708c35"), &id.to_uppercase(), &format!("{id}__")] {
            assert_eq!(TenantId::of_source(source).unwrap().to_string(), id, "{source}");
        }
        let simple = id.replace('-', "");
        let braced = format!("{{{id}}}");
        for source in ["", "cii-exporter", "__a7708c35", &id[1..], &simple, &braced, "x__y"] {
            assert_eq!(TenantId::of_source(source), None, "{source}");
        }
    }
}
