use std::fmt;

/// What several rounds gave of one figure.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    /// # Panics
    ///
    /// There was no round.
    pub(crate) fn of(rounds: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = rounds.into_iter().collect();
        assert!(!sorted.is_empty(), "a figure needs a round");
        sorted.sort_by(f64::total_cmp);
        Spread { sorted }
    }

    /// Round by round, one figure by the other.
    pub(crate) fn ratio(figures: &[f64], references: &[f64]) -> Spread {
        Spread::of(figures.iter().zip(references).map(|(figure, reference)| figure / reference))
    }

    pub(crate) fn median(&self) -> f64 {
        let (low, high) =
            (self.sorted[(self.sorted.len() - 1) / 2], self.sorted[self.sorted.len() / 2]);
        f64::midpoint(low, high)
    }

    fn least(&self) -> f64 {
        self.sorted[0]
    }

    fn greatest(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }
}

/// The median, and the least and the greatest.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, least, greatest] = [self.median(), self.least(), self.greatest()].map(number);
        if self.sorted.len() == 1 {
            f.write_str(&median)
        } else {
            write!(f, "{median} ({least}–{greatest})")
        }
    }
}

/// A number with three digits or more, and commas between thousands.
pub(crate) fn number(value: f64) -> String {
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

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    Below(f64),
}

impl Target {
    /// The target, and whether the median meets it.
    pub(crate) fn judge(self, spread: &Spread) -> String {
        let median = spread.median();
        let (sign, bound, is_met) = match self {
            Target::AtLeast(bound) => ("≥", bound, median >= bound),
            Target::Below(bound) => ("<", bound, median < bound),
        };
        format!("{sign} {}: {}", number(bound), if is_met { "met" } else { "**missed**" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_a_median_and_its_bounds() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).to_string(), "2.00 (1.00–3.00)");
        assert_eq!(Spread::of([4.0, 1.0]).to_string(), "2.50 (1.00–4.00)");
        assert_eq!(Spread::of([41_234.4]).to_string(), "41,234");
        assert_eq!(Spread::ratio(&[2.0, 3.0], &[4.0, 4.0]).to_string(), "0.62 (0.50–0.75)");
    }

    #[test]
    fn numbers_have_commas() {
        let numbers = [0.0, 0.123, 12.34, 123.4, 1234.0, -1234.0, 1_234_567.0].map(number);
        assert_eq!(numbers, ["0.00", "0.12", "12.3", "123", "1,234", "-1,234", "1,234,567"]);
    }

    #[test]
    fn a_target_is_met_by_the_median() {
        assert_eq!(Target::AtLeast(0.8).judge(&Spread::of([0.7, 0.8, 0.9])), "≥ 0.80: met");
        assert_eq!(Target::Below(20.0).judge(&Spread::of([20.0])), "< 20.0: **missed**");
    }
}
