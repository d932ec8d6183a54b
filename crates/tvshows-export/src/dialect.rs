use std::borrow::Cow;

use schemars::JsonSchema;
use strum::{Display, EnumString, VariantNames};
use tvshows_core::ParseEnumError;

/// A dialect of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[derive(Display, EnumString, JsonSchema, VariantNames)]
#[schemars(inline, rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[strum(parse_err_ty = ParseEnumError, parse_err_fn = ParseEnumError::new::<Dialect>)]
pub enum Dialect {
    /// For programs: every value is written unchanged.
    #[default]
    Standard,
    /// For spreadsheets: the file starts with a byte order mark, and text is never interpreted as a formula.
    Excel,
}

impl Dialect {
    pub const ALL: [Dialect; 2] = [Dialect::Standard, Dialect::Excel];

    /// The first characters of the file.
    pub(crate) fn prologue(self) -> &'static str {
        match self {
            Dialect::Standard => "",
            // Without it, Excel reads the file in the Windows code page.
            Dialect::Excel => "\u{feff}",
        }
    }

    /// How a text cell is written.
    pub(crate) fn text(self, text: &str) -> Cow<'_, str> {
        if self == Dialect::Excel && may_be_formula(text) {
            Cow::Owned(format!("'{text}"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Follows OWASP's advice on CSV injection, which includes the full-width forms of the characters. A
/// spreadsheet may trim blanks before it looks for them.
fn may_be_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_named_as_it_is_written() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert!("libreoffice".parse::<Dialect>().is_err());
    }

    #[test]
    fn excel_gets_no_formulas() {
        for text in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\nx", "\tx", "  =1", "＝1", "-"]
        {
            assert_eq!(Dialect::Excel.text(text), format!("'{text}"));
            assert_eq!(Dialect::Standard.text(text), text);
        }
        for text in ["", "x=1", "'=1", "1-1", " x", "{\"a\":1}", "2021-01-01", "é"] {
            assert_eq!(Dialect::Excel.text(text), text);
        }
    }
}
