use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use jiff::Timestamp;

/// Where the figures are written, from the top of the repository.
const FILE: &str = "docs/performance.md";

/// What one bench found: a section of docs/performance.md, written anew each time.
pub(crate) struct Report {
    /// The argument that asks for this bench.
    name: &'static str,
    text: String,
}

impl Report {
    pub(crate) fn new(name: &'static str, title: &str) -> Report {
        let mut report = Report { name, text: String::new() };
        report.paragraph(&format!("## {title}"));
        report.paragraph(&format!("`make bench BENCH={name}`, {}.", circumstances()));
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

    /// Prints the section, and puts it in the place of its predecessor in the file.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        use std::io::Write as _;

        let file = Path::new(FILE);
        let present = std::fs::read_to_string(file).with_context(|| FILE.to_owned())?;
        std::fs::write(file, self.placed_in(&present)).with_context(|| FILE.to_owned())?;
        Ok(writeln!(std::io::stdout(), "\n{}", self.text.trim_end())?)
    }

    fn placed_in(&self, file: &str) -> String {
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

/// The day, the program and the machine.
fn circumstances() -> String {
    let said_by = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let commit = said_by("git", &["rev-parse", "--short", "HEAD"]);
    let rust = said_by("rustc", &["--version"]);
    let rust = rust.split(' ').nth(1).unwrap_or("?");
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<_> =
        processors.lines().filter_map(|line| line.strip_prefix("model name\t: ")).collect();
    let kernel = said_by("uname", &["-sr"]);
    let model = models.first().unwrap_or(&"?");
    format!("{day}, commit {commit}, Rust {rust}, {} × {model}, {kernel}", models.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_predecessor_alone() {
        let report = |text: &str| Report { name: "x", text: text.into() };
        let first = report("one").placed_in("# Performance\n");
        assert_eq!(first, "# Performance\n\n<!-- bench x -->\n\none\n\n<!-- end x -->\n");
        let behind = format!("{first}\nbehind\n");
        let second = report("two").placed_in(&behind);
        assert_eq!(second, behind.replace("one", "two"));
    }
}
