use std::fmt;

use anyhow::Context;

/// The measured values of one figure.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    sorted: Vec<f64>,
}

impl Samples {
    /// # Panics
    ///
    /// If there are no values.
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Samples {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        assert!(!sorted.is_empty(), "a figure needs at least one value");
        sorted.sort_by(f64::total_cmp);
        Samples { sorted }
    }

    /// The ratios of two figures, round by round.
    pub(crate) fn ratio(figures: &[f64], baselines: &[f64]) -> Samples {
        Samples::new(figures.iter().zip(baselines).map(|(figure, baseline)| figure / baseline))
    }

    pub(crate) fn median(&self) -> f64 {
        let (low, high) =
            (self.sorted[(self.sorted.len() - 1) / 2], self.sorted[self.sorted.len() / 2]);
        f64::midpoint(low, high)
    }

    fn min(&self) -> f64 {
        self.sorted[0]
    }

    fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }
}

/// The median, followed by the minimum and the maximum if there are several values.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median(), self.min(), self.max()].map(format_number);
        if self.sorted.len() == 1 {
            f.write_str(&median)
        } else {
            write!(f, "{median} ({min}–{max})")
        }
    }
}

/// The value that this percentage of the values does not exceed.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> anyhow::Result<f64> {
    sorted.get(sorted.len() * percent / 100).copied().context("no value was measured")
}

/// Formats a number with at least three digits and commas between thousands.
pub(crate) fn format_number(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 100.0 => 0,
        large if large >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && digit != '-' && (whole.len() - at).is_multiple_of(3) && !grouped.ends_with('-')
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// Explains how [`Samples`] are displayed, for the text above a table.
pub(crate) fn legend(count: usize) -> String {
    match count {
        1 => "Each figure was measured once.".to_owned(),
        _ => format!("Medians of {count} measurements, with minimum and maximum in parentheses."),
    }
}

/// The bound that a figure should meet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    Below(f64),
}

impl Target {
    /// The bound and whether the median meets it.
    pub(crate) fn verdict(self, samples: &Samples) -> String {
        let median = samples.median();
        let (sign, bound, is_met) = match self {
            Target::AtLeast(bound) => ("≥", bound, median >= bound),
            Target::Below(bound) => ("<", bound, median < bound),
        };
        format!("{sign} {}: {}", format_number(bound), if is_met { "met" } else { "**missed**" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_displayed_as_median_and_range() {
        assert_eq!(Samples::new([3.0, 1.0, 2.0]).to_string(), "2.00 (1.00–3.00)");
        assert_eq!(Samples::new([4.0, 1.0]).to_string(), "2.50 (1.00–4.00)");
        assert_eq!(Samples::new([41_234.4]).to_string(), "41,234");
        assert_eq!(Samples::ratio(&[2.0, 3.0], &[4.0, 4.0]).to_string(), "0.62 (0.50–0.75)");
    }

    #[test]
    fn numbers_have_commas() {
        let numbers = [0.0, 0.123, 12.34, 123.4, 1234.0, -1234.0, 1_234_567.0].map(format_number);
        assert_eq!(numbers, ["0.00", "0.12", "12.3", "123", "1,234", "-1,234", "1,234,567"]);
    }

    #[test]
    fn a_target_is_met_by_the_median() {
        assert_eq!(Target::AtLeast(0.8).verdict(&Samples::new([0.7, 0.8, 0.9])), "≥ 0.80: met");
        assert_eq!(Target::Below(20.0).verdict(&Samples::new([20.0])), "< 20.0: **missed**");
    }
}
