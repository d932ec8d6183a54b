use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use jiff::Timestamp;

/// The file to write, relative to the repository root.
const FILE: &str = "docs/performance.md";

/// The result of one benchmark: a section of docs/performance.md that each run replaces.
pub(crate) struct Report {
    /// The argument that selects the benchmark.
    name: &'static str,
    text: String,
}

impl Report {
    pub(crate) fn new(name: &'static str, title: &str) -> Report {
        let mut report = Report { name, text: String::new() };
        report.paragraph(&format!("## {title}"));
        report.paragraph(&format!("`make bench BENCH={name}`, {}.", environment()));
        report
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.text, "{text}\n");
    }

    pub(crate) fn table<const N: usize>(
        &mut self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let _ = writeln!(self.text, "| {} |", head.join(" | "));
        let _ = writeln!(self.text, "|{}", " --- |".repeat(N));
        for row in rows {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
        }
        self.text.push('\n');
    }

    /// Prints the section and replaces the previous one in the file.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        use std::io::Write as _;

        let file = Path::new(FILE);
        let contents = std::fs::read_to_string(file).with_context(|| FILE.to_owned())?;
        std::fs::write(file, self.insert_into(&contents)).with_context(|| FILE.to_owned())?;
        Ok(writeln!(std::io::stdout(), "\n{}", self.text.trim_end())?)
    }

    fn insert_into(&self, file: &str) -> String {
        let (begin, end) =
            (format!("<!-- bench {} -->", self.name), format!("<!-- end {} -->", self.name));
        let section = format!("{begin}\n\n{}\n\n{end}", self.text.trim());
        match (file.find(&begin), file.find(&end)) {
            (Some(from), Some(to)) => {
                format!("{}{section}{}", &file[..from], &file[to + end.len()..])
            }
            _ => format!("{}\n\n{section}\n", file.trim_end()),
        }
    }
}

/// The date, the commit, the compiler and the machine.
fn environment() -> String {
    let output_of = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let date = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let commit = output_of("git", &["rev-parse", "--short", "HEAD"]);
    let rust = output_of("rustc", &["--version"]);
    let rust = rust.split(' ').nth(1).unwrap_or("?");
    let cpu_info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<_> =
        cpu_info.lines().filter_map(|line| line.strip_prefix("model name\t: ")).collect();
    let kernel = output_of("uname", &["-sr"]);
    let model = models.first().unwrap_or(&"?");
    format!("{date}, commit {commit}, Rust {rust}, {} × {model}, {kernel}", models.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_only_its_previous_version() {
        let report = |text: &str| Report { name: "x", text: text.into() };
        let first = report("one").insert_into("# Performance\n");
        assert_eq!(first, "# Performance\n\n<!-- bench x -->\n\none\n\n<!-- end x -->\n");
        let with_text_after = format!("{first}\nafter\n");
        let second = report("two").insert_into(&with_text_after);
        assert_eq!(second, with_text_after.replace("one", "two"));
    }
}
