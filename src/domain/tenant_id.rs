//! The tenant that deliveries are from.

use std::fmt;

use uuid::Uuid;

/// The id of a tenant, a UUID, shown in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantId(Uuid);

impl TenantId {
    /// Parses an id; none when the text is not a UUID in the form that deliveries have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const HYPHENATED: usize = 36;
        // The service writes no other form, such as one in braces.
        let text = Some(text).filter(|text| text.len() == HYPHENATED)?;
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The id in the `source` of a delivery's envelope: the part before the two underscores.
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

/// A delivery from another tenant than the deliveries before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherTenant {
    /// The stored tenant.
    pub known: TenantId,
    /// The tenant of the delivery.
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
