//! Parses the documents.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::policy::sources::{files, root};

/// A document of the repository.
pub(crate) struct Document {
    /// The path from the root of the repository.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<String>,
    pub(crate) anchors: BTreeSet<String>,
    /// Inline code.
    pub(crate) code: Vec<String>,
    pub(crate) problems: Vec<String>,
}

/// A code block that is run or compared.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: Language,
    pub(crate) text: String,
    /// `None` if the block is not run.
    pub(crate) run: Option<Run>,
}

#[derive(PartialEq)]
pub(crate) enum Language {
    Shell,
    /// The response to the shell block before it.
    Json,
    /// A configuration file.
    Toml,
}

/// How a block is run.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Run {
    Plainly,
    /// Its exit code must not be 0.
    Refused,
    /// The service is stopped meanwhile.
    WithTheServiceStopped,
}

impl Document {
    /// The documents at the top, in docs/ and in the crates.
    pub(crate) fn all() -> Vec<Document> {
        let mut paths = files(&["docs", "crates", "bins"], "md");
        for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
            paths.insert(root().join(name));
        }
        let read = |path: std::path::PathBuf| {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            Document::parse(name, std::fs::read_to_string(path).unwrap())
        };
        paths.into_iter().map(read).collect()
    }

    fn parse(name: String, text: String) -> Document {
        let mut document = Document {
            name,
            blocks: Vec::new(),
            links: Vec::new(),
            anchors: BTreeSet::new(),
            code: Vec::new(),
            problems: Vec::new(),
            text,
        };
        let text = document.text.clone();
        document.read(&text);
        document
    }

    fn read(&mut self, text: &str) {
        let mut comment = None;
        let mut block: Option<(usize, String, String)> = None;
        let mut heading: Option<String> = None;
        let mut seen = BTreeMap::<String, usize>::new();
        for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::HtmlBlock) => comment = Some(String::new()),
                Event::Html(line) => comment.get_or_insert_default().push_str(&line),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let line = text[..place.start].lines().count() + 1;
                    block = Some((line, language.to_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((line, language, text)) = block.take() {
                        self.add_block(line, &language, text, comment.take());
                    }
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let times = seen.entry(slug.clone()).or_default();
                    let anchor = if *times == 0 { slug } else { format!("{slug}-{times}") };
                    *times += 1;
                    self.anchors.insert(anchor);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    self.links.push(dest_url.to_string());
                }
                Event::Text(piece) | Event::Code(piece) if heading.is_some() => {
                    heading.as_mut().unwrap().push_str(&piece);
                }
                Event::Text(piece) => match &mut block {
                    Some((_, _, text)) => text.push_str(&piece),
                    None => comment = None,
                },
                Event::Code(code) => self.code.push(code.to_string()),
                _ => {}
            }
        }
    }

    fn add_block(&mut self, line: usize, language: &str, text: String, comment: Option<String>) {
        let language = match language {
            "sh" => Language::Shell,
            "json" => Language::Json,
            "toml" => Language::Toml,
            "bash" | "shell" | "console" => {
                self.problems.push(format!("{}:{line}: commands are marked as `sh`", self.name));
                return;
            }
            _ => return,
        };
        let comment = comment.unwrap_or_default();
        let comment = comment.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
        let run = match comment {
            "run: refused" => Some(Run::Refused),
            "run: with the service stopped" => Some(Run::WithTheServiceStopped),
            reason if reason.starts_with("not run: ") => None,
            "" => Some(Run::Plainly),
            other => {
                self.problems.push(format!("{}:{line}: what is `{other}`?", self.name));
                return;
            }
        };
        self.blocks.push(Block { line, language, text, run });
    }
}

/// The anchor that GitHub generates for a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
