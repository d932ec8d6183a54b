use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use futures::StreamExt;
use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::watch;

use crate::process::ServerProcess;

const EVENT_INTERVAL: Duration = Duration::from_millis(100);

/// Runs an actix application that responds with a constant body of `size` bytes; at `/events` it streams
/// events of that size.
pub(crate) fn serve(size: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let body = Bytes::from(vec![b'x'; size]);
    let events = watch::Sender::new(event(size));
    let publisher = events.clone();
    let server = HttpServer::new(move || {
        let body = body.clone();
        let respond = move || {
            let response = HttpResponse::Ok().content_type("application/json").body(body.clone());
            std::future::ready(response)
        };
        let events = events.clone();
        let stream = move || std::future::ready(stream(events.subscribe()));
        App::new().route("/events", web::get().to(stream)).default_service(web::to(respond))
    });
    let server = server.listen(listener)?.run();
    Ok(rt::System::new().block_on(async move {
        rt::spawn(async move {
            loop {
                rt::time::sleep(EVENT_INTERVAL).await;
                publisher.send_replace(event(size));
            }
        });
        server.await
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

/// Runs [`serve`] in a separate process.
pub(crate) fn start(size: usize) -> anyhow::Result<ServerProcess> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    ServerProcess::start(command.args(["--baseline-server", &size.to_string()]))
}
