/// An `INSERT` of a whole row, with a parameter for each column. `into` is how it begins, such as
/// `INSERT INTO Runs`.
pub(crate) fn insert<'a>(into: &str, columns: impl IntoIterator<Item = &'a str>) -> String {
    let columns: Vec<_> = columns.into_iter().collect();
    let parameters: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    format!("{into} ({}) VALUES ({})", columns.join(", "), parameters.join(", "))
}
