//! Runs code blocks.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::markdown::{Block, Language, Run};
use super::shell::Shell;
use crate::policy::sources::root;
use tvshows_testkit::{Service, terminate, tvshows};

/// The names of the subcommands.
pub(crate) async fn names() -> BTreeSet<String> {
    let help = help(&[]).await;
    let commands = help.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// The help of a subcommand, or of the program.
pub(crate) async fn help(command: &[&str]) -> String {
    let output = tvshows(&[command, &["--help"]].concat()).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a block, or compares it with the output of the one before. The error says what is wrong.
pub(crate) async fn run_block(shell: &mut Shell, block: &Block) -> Result<(), String> {
    let Some(how) = block.run else { return Ok(()) };
    match block.language {
        Language::Shell if how == Run::WithTheServiceStopped => {
            let stopped = shell.service.take().unwrap().terminate().await;
            assert!(stopped.success());
            let outcome = run(shell, &block.text).await;
            shell.service = Some(Service::start(&shell.env, &[]).await);
            outcome
        }
        Language::Shell => match (run(shell, &block.text).await, how == Run::Refused) {
            (Ok(()), true) => Err("is not refused".into()),
            (Err(_), true) => Ok(()),
            (outcome, false) => outcome,
        },
        Language::Json => compare(&block.text, &shell.printed),
        Language::Toml => {
            let file = shell.env.path("documented.toml");
            std::fs::write(&file, &block.text).unwrap();
            let command = "tvshows serve --database-path documented.db --config";
            begin(shell, &format!("{command} {}", file.display())).await
        }
    }
}

pub(crate) async fn run(shell: &mut Shell, commands: &str) -> Result<(), String> {
    let lines: Vec<_> = commands.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.iter().all(|line| line.starts_with("make ")) {
        return lines.iter().try_for_each(|line| target_exists(line));
    }
    if ["tvshows serve", "tvshows sim", "--follow"].iter().any(|command| commands.contains(command))
    {
        return begin(shell, commands).await;
    }
    let cancels =
        ["/pipeline/cancel/", "tvshows cancel"].iter().any(|each| commands.contains(each));
    let run = if cancels { hanging_run(shell).await } else { shell.run.clone() };
    let output = shell.command(&shell.substitute(commands, &run)).output();
    // Longer than any documented command takes.
    let output = tokio::time::timeout(Duration::from_mins(5), output).await;
    shell.env.simulator.set_faults(&[]);
    let output = output.map_err(|_| "does not end".to_owned())?.unwrap();
    shell.printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{}\n{}{error}", output.status, shell.printed))
    }
}

fn target_exists(command: &str) -> Result<(), String> {
    let target = command.split_whitespace().nth(1).unwrap();
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let exists = makefile.contains(&format!("\n{target}:"));
    if exists { Ok(()) } else { Err(format!("`make {target}` does not exist")) }
}

/// Starts a command that runs until a signal, on a free port and in a temporary folder; waits for its first line and
/// stops it.
async fn begin(shell: &Shell, command: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut words: Vec<_> = command.split(' ').collect();
    if let Some(port) = words.iter().position(|word| *word == "--port") {
        words.drain(port..port + 2);
    }
    let port = if command.contains("--follow") { "" } else { " --port 0" };
    let command = format!("exec env {}{port}", words.join(" ").trim());
    let mut command = shell.command(&shell.substitute(&command, &shell.run));
    command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap();
    terminate(&process).await;
    let mut errors = String::new();
    process.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    let status = process.wait().await.unwrap();
    match first {
        Some(_) if status.success() => Ok(()),
        _ => Err(format!("{status}\n{errors}")),
    }
}

/// A run that hangs until it is canceled.
async fn hanging_run(shell: &Shell) -> String {
    shell.env.simulator.set_faults(&["hang@/updates/shows"]);
    let run = shell.service.as_ref().unwrap().submit("?top=20").await;
    shell.env.simulator.wait_for_faults().await;
    run
}

/// Whether the last printed response has exactly the documented keys.
fn compare(documented: &str, printed: &str) -> Result<(), String> {
    // An ellipsis in a list stands for more items.
    let documented = documented.replace(",…", "").replace("…,", "").replace("[…]", "[]");
    let documented: Value =
        serde_json::from_str(&documented).map_err(|error| format!("is no JSON: {error}"))?;
    let answers = serde_json::Deserializer::from_str(printed).into_iter::<Value>();
    let Some(Ok(response)) = answers.last() else {
        return Err(format!("there is no response above it: {printed}"));
    };
    same_keys("", &documented, &response)
}

fn same_keys(path: &str, documented: &Value, response: &Value) -> Result<(), String> {
    match (documented, response) {
        (Value::Object(documented), Value::Object(response)) => {
            let (said, sent): (BTreeSet<_>, BTreeSet<_>) =
                (documented.keys().collect(), response.keys().collect());
            if said != sent {
                return Err(format!("{path} has the keys {sent:?}, not {said:?}"));
            }
            let mut pairs = documented.iter().map(|(key, value)| (key, value, &response[key]));
            pairs.try_for_each(|(key, said, sent)| same_keys(&format!("{path}/{key}"), said, sent))
        }
        (Value::Array(documented), Value::Array(response)) => {
            match (documented.first(), response.first()) {
                (Some(said), Some(sent)) => same_keys(&format!("{path}/0"), said, sent),
                (Some(_), None) => Err(format!("{path} is empty")),
                _ => Ok(()),
            }
        }
        // Any value may be null.
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("{path} is {response}, not {documented}")),
    }
}
