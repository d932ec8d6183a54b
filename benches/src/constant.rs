use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use futures::StreamExt;
use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::watch;

use crate::program::Program;

/// The time between two events.
const TICK: Duration = Duration::from_millis(100);

/// Serves one body of `size` bytes with an actix application that does nothing else; at `/events`, a stream of
/// events with such a body.
pub(crate) fn serve(size: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let body = Bytes::from(vec![b'x'; size]);
    let events = watch::Sender::new(event(size));
    let ticks = events.clone();
    let server = HttpServer::new(move || {
        let body = body.clone();
        let answer = move || {
            let answer = HttpResponse::Ok().content_type("application/json").body(body.clone());
            std::future::ready(answer)
        };
        let events = events.clone();
        let stream = move || std::future::ready(stream(events.subscribe()));
        App::new().route("/events", web::get().to(stream)).default_service(web::to(answer))
    });
    let serving = server.listen(listener)?.run();
    Ok(rt::System::new().block_on(async move {
        rt::spawn(async move {
            loop {
                rt::time::sleep(TICK).await;
                ticks.send_replace(event(size));
            }
        });
        serving.await
    })?)
}

fn event(size: usize) -> Bytes {
    let now = Timestamp::now();
    let now = now.round(TimestampRound::new().smallest(Unit::Millisecond)).unwrap_or(now);
    format!("data: {{\"updated_at\":\"{now}\",\"x\":\"{}\"}}\n\n", "x".repeat(size)).into()
}

fn stream(events: watch::Receiver<Bytes>) -> HttpResponse {
    let events = futures::stream::unfold((events, true), async |(mut events, is_first)| {
        if !is_first {
            events.changed().await.ok()?;
        }
        let event = events.borrow_and_update().clone();
        Some((Ok::<_, std::convert::Infallible>(event), (events, false)))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events.boxed_local())
}

/// Starts that in a process of its own.
pub(crate) fn start(size: usize) -> anyhow::Result<Program> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    Program::start(command.args(["--constant", &size.to_string()]))
}
