use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::wait::TIMEOUT;

/// A TCP proxy in front of a server on this machine, with faults that a test switches on and off.
pub struct FaultProxy {
    /// The port it listens on.
    pub port: u16,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

/// A direction in which nothing arrives. Everything does, as with TCP, once the network is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Requests,
    Responses,
    Both,
}

/// When the connection breaks at the end of a transaction of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The server never gets the `COMMIT`.
    BeforeCommit,
    /// The server commits, but the client gets no response.
    AfterCommit,
}

#[derive(Clone)]
struct State {
    target: u16,
    accepts: bool,
    blocked: Option<Direction>,
    delay: Duration,
    cuts: u64,
    /// The fault, and a text in a statement of the transaction.
    commit: Option<(CommitFault, String)>,
    commits_cut: u64,
}

impl FaultProxy {
    /// A proxy in front of a port of this machine.
    pub async fn start(target: u16) -> FaultProxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = watch::Sender::new(State {
            target,
            accepts: true,
            blocked: None,
            delay: Duration::ZERO,
            cuts: 0,
            commit: None,
            commits_cut: 0,
        });
        let task = tokio::spawn(accept(listener, state.clone()));
        FaultProxy { port, state, task }
    }

    /// Ends all faults but the end of connections.
    pub fn pass(&self) {
        self.state.send_modify(|state| {
            (state.accepts, state.blocked, state.delay) = (true, None, Duration::ZERO);
            state.commit = None;
        });
    }

    /// Delays everything in each direction.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Lets nothing through. Connections stay open, and new ones are accepted.
    pub fn block(&self, direction: Direction) {
        self.state.send_modify(|state| state.blocked = Some(direction));
    }

    /// Closes all connections.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Closes each new connection at once.
    pub fn refuse(&self) {
        self.state.send_modify(|state| state.accepts = false);
    }

    /// Uses another server for new connections.
    pub fn set_target(&self, target: u16) {
        self.state.send_modify(|state| state.target = target);
    }

    /// Cuts the connection once, at the next `COMMIT` after a statement with a text on an unencrypted connection to
    /// PostgreSQL.
    pub fn cut_commit(&self, fault: CommitFault, text: &str) {
        self.state.send_modify(|state| state.commit = Some((fault, text.to_owned())));
    }

    /// Waits until [`cut_commit`](Self::cut_commit) has happened `times` in total.
    pub async fn wait_for_cut_commits(&self, times: u64) {
        let mut state = self.state.subscribe();
        let cut = state.wait_for(|state| state.commits_cut >= times);
        tokio::time::timeout(TIMEOUT, cut).await.expect("such a transaction is committed").unwrap();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Sender<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        while connections.try_join_next().is_some() {}
        let (accepts, target, cuts) = {
            let state = state.borrow();
            (state.accepts, state.target, state.cuts)
        };
        let state = state.clone();
        if accepts {
            connections.spawn(async move {
                let mut cut = state.subscribe();
                tokio::select! {
                    _ = forward(client, target, &state) => {}
                    _ = cut.wait_for(|state| state.cuts != cuts) => {}
                }
            });
        }
    }
}

/// Forwards both directions until both have ended or one has failed.
async fn forward(client: TcpStream, target: u16, state: &watch::Sender<State>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let commits = watch::Sender::new(false);
    let requests = requests(from_client, to_server, state, &commits);
    let responses = responses(from_server, to_client, state, &commits);
    let result = tokio::try_join!(requests, responses).map(drop);
    if *commits.borrow() {
        state.send_modify(|state| state.commits_cut += 1);
    }
    result
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &watch::Sender<State>,
    commits: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 16];
    let mut messages = Messages::default();
    loop {
        let length = from.read(&mut chunk).await?;
        hold(state, Direction::Requests).await;
        if length == 0 {
            return to.shutdown().await;
        }
        let armed = state.borrow().commit.clone();
        let text = armed.as_ref().map(|(_, text)| text.as_str());
        if messages.read(&chunk[..length], text) {
            state.send_modify(|state| state.commit = None);
            commits.send_replace(true);
            if armed.is_some_and(|(fault, _)| fault == CommitFault::BeforeCommit) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        to.write_all(&chunk[..length]).await?;
    }
}

async fn responses(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &watch::Sender<State>,
    commits: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut chunk).await?;
        if *commits.borrow() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        hold(state, Direction::Responses).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
    }
}

/// Waits for the delay, and until a direction is not blocked.
async fn hold(state: &watch::Sender<State>, direction: Direction) {
    let mut state = state.subscribe();
    let delay = state.borrow().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let is_open = |state: &State| {
        state.blocked.is_none_or(|blocked| blocked != Direction::Both && blocked != direction)
    };
    let _ = state.wait_for(is_open).await;
}

/// The messages that a client sends to PostgreSQL. A message has a type, a byte, and a length, which counts itself; those
/// before the session starts have no type.
#[derive(Default)]
struct Messages {
    unread: Vec<u8>,
    is_started: bool,
    has_text: bool,
}

impl Messages {
    /// Whether a transaction in which a statement has the text is committed.
    fn read(&mut self, chunk: &[u8], text: Option<&str>) -> bool {
        self.unread.extend(chunk);
        let mut commits = false;
        loop {
            let head = usize::from(self.is_started);
            let Some(length) = self.unread.get(head..head + 4) else { return commits };
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let Some(body) = self.unread.get(head + 4..head + length) else { return commits };
            if self.is_started {
                let statement = String::from_utf8_lossy(body);
                let is_statement = matches!(self.unread[0], b'Q' | b'P');
                self.has_text |= is_statement && text.is_some_and(|text| statement.contains(text));
                if is_statement && has_command(&statement, "commit") {
                    commits |= std::mem::take(&mut self.has_text);
                } else if is_statement && has_command(&statement, "rollback") {
                    self.has_text = false;
                }
            } else {
                // Other messages ask for encryption, or cancel a statement.
                self.is_started = body.starts_with(&[0, 3, 0, 0]);
            }
            self.unread.drain(..head + length);
        }
    }
}

fn has_command(statements: &str, command: &str) -> bool {
    statements.split([';', '\0']).any(|statement| statement.trim().eq_ignore_ascii_case(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that returns what it gets, behind a proxy.
    async fn echo() -> FaultProxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = connection.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        FaultProxy::start(port).await
    }

    async fn connect(proxy: &FaultProxy) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port)).await.unwrap()
    }

    async fn answer(connection: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
        connection.write_all(request).await?;
        let mut answer = vec![0; request.len()];
        connection.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn what_is_blocked_arrives_later() {
        let proxy = echo().await;
        let mut connection = connect(&proxy).await;
        assert_eq!(answer(&mut connection, b"one").await.unwrap(), b"one");
        for direction in [Direction::Requests, Direction::Responses, Direction::Both] {
            proxy.block(direction);
            let blocked = answer(&mut connection, b"two");
            tokio::pin!(blocked);
            let mut waits = async || {
                let wait = tokio::time::timeout(Duration::from_millis(50), &mut blocked);
                assert!(wait.await.is_err(), "{direction:?}");
            };
            waits().await;
            proxy.pass();
            assert_eq!(blocked.await.unwrap(), b"two");
        }
    }

    #[tokio::test]
    async fn a_delay_applies_to_each_direction() {
        let proxy = echo().await;
        let mut connection = connect(&proxy).await;
        proxy.delay(Duration::from_millis(20));
        let start = std::time::Instant::now();
        assert_eq!(answer(&mut connection, b"one").await.unwrap(), b"one");
        assert!(start.elapsed() >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn connections_are_cut_and_refused() {
        let proxy = echo().await;
        let mut connection = connect(&proxy).await;
        assert_eq!(answer(&mut connection, b"one").await.unwrap(), b"one");
        proxy.refuse();
        assert_eq!(answer(&mut connection, b"two").await.unwrap(), b"two", "it is open");
        answer(&mut connect(&proxy).await, b"three").await.unwrap_err();
        proxy.cut();
        answer(&mut connection, b"four").await.unwrap_err();
        proxy.pass();
        assert_eq!(answer(&mut connect(&proxy).await, b"five").await.unwrap(), b"five");
    }

    fn message(kind: u8, body: &str) -> Vec<u8> {
        let length = u32::try_from(body.len() + 5).unwrap();
        [&[kind], &length.to_be_bytes()[..], body.as_bytes(), b"\0"].concat()
    }

    #[test]
    fn the_commit_after_a_text_is_found_wherever_the_messages_are_split() {
        let startup = b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x0a\0\x03\0\0\0\0".to_vec();
        let other = message(b'Q', "INSERT INTO a VALUES ('COMMIT') ON CONFLICT DO NOTHING");
        let all = [
            startup,
            other.clone(),
            message(b'Q', "COMMIT"),
            message(b'P', "\0INSERT INTO b"),
            message(b'Q', "rollback"),
            message(b'Q', "COMMIT"),
            message(b'P', "\0INSERT INTO b"),
            message(b'B', "COMMIT"),
            other,
            message(b'Q', "COMMIT;"),
        ]
        .concat();
        for size in [1, 2, 7, 30] {
            let mut messages = Messages::default();
            let mut found = Vec::new();
            for (index, chunk) in all.chunks(size).enumerate() {
                if messages.read(chunk, Some("INTO b")) {
                    found.push(index);
                }
            }
            assert_eq!(found, [(all.len() - 1) / size], "{size}");
        }
        assert!(!Messages::default().read(&all, None));
    }
}
