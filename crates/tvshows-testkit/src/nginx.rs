use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::port::wait_until_listening;
use crate::process::daemon;

/// In one process without privileges, which needs nothing outside its folder.
const OUTSIDE_HTTP: &str = "daemon off; master_process off; pid nginx.pid;\nevents {}\n";
const TEMPORARY_FILES: &str = "access_log off; client_body_temp_path body; proxy_temp_path proxy; \
     fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n";

/// A running `nginx`; dropping it kills it.
pub struct Nginx {
    _process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it with the contents of the `http` block, which listens on `port`; `None` if a port is in use.
    ///
    /// The configuration can name files in `folder`.
    pub async fn start(http: &str, port: u16, folder: TempDir) -> Option<Nginx> {
        let configuration = format!("{OUTSIDE_HTTP}http {{\n{TEMPORARY_FILES}{http}\n}}\n");
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let check = nginx(folder.path()).arg("-t").output().await;
        let check = check.expect("nginx is not installed; `make test` installs it");
        let error = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success() && !error.contains("[warn]"), "{error}");
        let mut process = nginx(folder.path()).kill_on_drop(true).spawn().unwrap();
        let is_listening = wait_until_listening(&mut process, port).await;
        is_listening.then_some(Nginx { _process: process, _folder: folder })
    }
}

fn nginx(folder: &Path) -> Command {
    let mut command = Command::new(daemon("nginx"));
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c", "nginx.conf"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
