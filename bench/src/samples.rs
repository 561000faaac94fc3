//! What was measured so far.

use std::collections::BTreeMap;

use crate::{
    Result,
    figure::{Figure, Side},
};

/// Every value of every figure, by the figure's name and whose it is.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    values: BTreeMap<(&'static str, Side), Vec<f64>>,
}

impl Samples {
    /// Keeps one value.
    pub(crate) fn add(&mut self, figure: &Figure, side: Side, value: f64) {
        eprintln!("    {} · {}: {}", figure.name, side.as_str(), figure.unit.show(value));
        self.values.entry((figure.name, side)).or_default().push(value);
    }

    /// The values of a figure, ascending.
    pub(crate) fn sorted(&self, figure: &Figure, side: Side) -> Vec<f64> {
        let mut values = self.values.get(&(figure.name, side)).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The middle of a figure's values; `None` without any.
    pub(crate) fn median(&self, figure: &Figure, side: Side) -> Option<f64> {
        let values = self.sorted(figure, side);
        (!values.is_empty()).then(|| median(&values))
    }
}

/// The middle of values that are ascending: of an even number the mean of the two in the middle.
pub(crate) fn median(ascending: &[f64]) -> f64 {
    f64::midpoint(quantile(ascending, 0.5), {
        let middle = ascending.len() / 2;
        ascending.get(middle).copied().unwrap_or_default()
    })
}

/// The median of so many measurements, none of which is kept.
pub(crate) fn median_of(times: u32, mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut values = (0..times).map(|_| measure()).collect::<Result<Vec<_>>>()?;
    values.sort_by(f64::total_cmp);
    Ok(median(&values))
}

/// The value that this share of the values does not exceed.
pub(crate) fn quantile(ascending: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank between 1 and the number of samples, of which there are few millions"
    )]
    let rank = (share * ascending.len() as f64).ceil() as usize;
    ascending.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks() {
        let values = [1.0, 2.0, 3.0, 10.0];
        assert!((median(&values) - 2.5).abs() < f64::EPSILON);
        assert!((median(&values[..3]) - 2.0).abs() < f64::EPSILON);
        assert!((quantile(&values, 0.99) - 10.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).abs() < f64::EPSILON);
    }
}
