use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, Condition, DefaultHeaders};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer, Resource, Route};
use tvshows_core::ShowStore;
use tvshows_pipeline::Runner;
use utoipa_swagger_ui::SwaggerUi;

use crate::answers::Answers;
use crate::problem::Problem;
use crate::routes::{catalogue, events, export, health, pipeline, shows};
use crate::{Origins, openapi, page};

/// How long a stop waits for answers under way. Those that wait for a change end with the runner.
const SHUTDOWN_SECONDS: u64 = 5;

/// What the routes work with.
#[derive(Clone)]
#[expect(missing_docs, reason = "the types say what they are")]
pub struct Services {
    pub runner: Runner,
    pub store: Arc<dyn ShowStore>,
}

/// The service on a listener, which pages of `origins` may use. It ends by its handle, not by signals.
///
/// # Errors
///
/// The listener cannot be used.
pub fn server(
    listener: TcpListener,
    services: Services,
    origins: Origins,
) -> std::io::Result<Server> {
    let answers = web::Data::new(Answers::default());
    let server = HttpServer::new(move || {
        let headers = DefaultHeaders::new()
            .add(("X-Content-Type-Options", "nosniff"))
            .add(("Referrer-Policy", "no-referrer"));
        let elsewhere = Condition::new(origins != Origins::None, origins.cors());
        App::new()
            .wrap(Compress::default())
            .wrap(headers)
            .wrap(elsewhere)
            .app_data(answers.clone())
            .configure(routes(services.clone()))
    });
    let server = server.listen(listener)?.disable_signals().shutdown_timeout(SHUTDOWN_SECONDS);
    Ok(server.run())
}

/// Every route.
pub(crate) fn routes(services: Services) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(services))
            .app_data(
                web::QueryConfig::default().error_handler(|error, _| Problem::from(error).into()),
            )
            .service(only("/pipeline/update", "POST", web::post().to(pipeline::update)))
            .service(read("/pipeline/status/{request_id}", || web::to(pipeline::status)))
            .service(read("/pipeline/status/{request_id}/events", || web::to(events::events)))
            .service(only(
                "/pipeline/cancel/{request_id}",
                "POST",
                web::post().to(pipeline::cancel),
            ))
            .service(read("/pipeline/runs", || web::to(pipeline::runs)))
            .service(read("/shows", || web::to(catalogue::list)))
            .service(read("/shows/stats", || web::to(catalogue::stats)))
            .service(read("/shows/top_shows", || web::to(shows::top_shows)))
            .service(read("/shows/top_shows_multi_char_actors", || {
                web::to(shows::multi_character_actors)
            }))
            .service(read("/shows/{id}", || web::to(shows::show)))
            .service(read("/shows/{id}/cast", || web::to(catalogue::cast)))
            .service(read("/export/tvshows.db", || web::to(export::database)))
            .service(read("/export/{table}.{format}", || web::to(export::table)))
            .service(read("/health/live", || web::to(health::live)))
            .service(read("/health/ready", || web::to(health::ready)))
            .service(read("/", || web::to(page::html)))
            .service(read("/page/{file}", || web::to(page::file)))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", openapi()))
            .default_service(web::to(async || Err::<HttpResponse, _>(Problem::NoSuchPath)));
    }
}

/// A resource that is read: GET, and HEAD for those who want no body.
fn read(path: &str, route: impl Fn() -> Route) -> Resource {
    let get = route().guard(actix_web::guard::Get());
    let head = route().guard(actix_web::guard::Head());
    only(path, "GET, HEAD", get).route(head)
}

fn only(path: &str, methods: &'static str, route: Route) -> Resource {
    let refuse =
        move || std::future::ready(Err::<HttpResponse, _>(Problem::MethodNotAllowed(methods)));
    web::resource(path).route(route).default_service(web::to(refuse))
}
