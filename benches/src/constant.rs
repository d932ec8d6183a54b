use std::io::Write;
use std::net::TcpListener;

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::program::Program;

/// Serves one body of `size` bytes with an actix application that does nothing else.
pub(crate) fn serve(size: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let body = web::Bytes::from(vec![b'x'; size]);
    let server = HttpServer::new(move || {
        let body = body.clone();
        let answer = move || {
            let answer = HttpResponse::Ok().content_type("application/json").body(body.clone());
            std::future::ready(answer)
        };
        App::new().default_service(web::to(answer))
    });
    Ok(actix_web::rt::System::new().block_on(server.listen(listener)?.run())?)
}

/// Starts that in a process of its own.
pub(crate) fn start(size: usize) -> anyhow::Result<Program> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    Program::start(command.args(["--constant", &size.to_string()]))
}
