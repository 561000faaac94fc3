//! The types of answers that are made of plain values.

use async_graphql::{
    ID, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::vocabulary::{ActivityResultType, TrustScoreGroupId, TrustScoreWeight};

/// ISO 8601 with an offset.
pub(super) struct AwsDateTime(pub(super) DateTime<Utc>);

#[Scalar(name = "AWSDateTime")]
impl ScalarType for AwsDateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => DateTime::parse_from_rfc3339(text)
                .map(|moment| Self(moment.to_utc()))
                .map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[derive(SimpleObject)]
pub(super) struct DailyCheckCount {
    pub(super) day: String,
    pub(super) total: i32,
}

#[derive(SimpleObject)]
pub(super) struct FeatureExplainabilityItem {
    pub(super) feature_id: String,
    pub(super) details: Option<Vec<KeyValuePair>>,
}

#[derive(SimpleObject)]
pub(super) struct GroupExplainabilityItem {
    pub(super) group_id: TrustScoreGroupId,
    pub(super) severity: Option<i32>,
    pub(super) weight: Option<TrustScoreWeight>,
    pub(super) details: Option<Vec<FeatureExplainabilityItem>>,
}

#[derive(SimpleObject)]
pub(super) struct KeyValuePair {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(SimpleObject)]
pub(super) struct LabelCount {
    pub(super) value: String,
    pub(super) count: i32,
}

#[derive(SimpleObject)]
pub(super) struct PublicIntegrationStatus {
    pub(super) integration_id: ID,
    pub(super) integration_name: String,
    pub(super) status: ActivityResultType,
    pub(super) date: AwsDateTime,
    pub(super) error: Option<String>,
}

#[derive(SimpleObject)]
pub(super) struct PublicRiskyActivityCounts {
    pub(super) total: i32,
    pub(super) level_of_trust: Option<Vec<LabelCount>>,
}

#[derive(SimpleObject)]
pub(super) struct PublicScoreExplainabilitySummary {
    pub(super) risky_activity_counts: PublicRiskyActivityCounts,
    pub(super) combined_score_explainability: Option<Vec<GroupExplainabilityItem>>,
}
