//! A small file server for one's own machine: right types, nothing cached without asking, no other headers.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

use crate::site::Site;

/// Requests answered at the same time. A browser opens six connections to a server.
const NUM_THREADS: usize = 8;

/// Serves a site in the background until the process ends. Port 0 takes a free one; the address in use is returned.
pub fn spawn(site: Site, host: &str, port: u16) -> Result<SocketAddr> {
    let server = Server::http((host, port))
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("could not listen on {host}:{port}; is it in use? Try --port"))?;
    let address = server.server_addr().to_ip().context("the server has no address")?;
    let (server, site) = (Arc::new(server), Arc::new(site));
    for _ in 0..NUM_THREADS {
        let (server, site) = (Arc::clone(&server), Arc::clone(&site));
        thread::spawn(move || {
            for request in server.incoming_requests() {
                // A browser that hangs up is no concern of ours.
                let _ = answer(request, &site);
            }
        });
    }
    Ok(address)
}

fn answer(request: Request, site: &Site) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(plain(405, "Only GET and HEAD are answered here.\n"));
    }
    let path = request.url().split(['?', '#']).next().unwrap_or("/");
    let Some(path) = percent_decode(path) else {
        return request.respond(plain(400, "The address is not valid UTF-8.\n"));
    };
    let (file_path, status) = match (site.file(&path), site.file("/404.html")) {
        (Some(file), _) => (file, 200),
        (None, Some(page)) if path.ends_with(".html") || !path.contains('.') => (page, 404),
        (None, _) => return request.respond(plain(404, "There is no such file.\n")),
    };
    let file = File::open(&file_path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", modified.as_nanos(), metadata.len());
    let known = request.headers().iter().any(|header| header.field.equiv("If-None-Match") && header.value == tag);
    let headers = [("Content-Type", mime_type(&file_path)), ("Cache-Control", "no-cache"), ("ETag", &tag)];
    if known && status == 200 {
        return request.respond(with_headers(Response::empty(304), &headers));
    }
    // A progress bar needs the length, which chunks would leave out.
    let response = Response::from_file(file).with_chunked_threshold(usize::MAX).with_status_code(StatusCode(status));
    request.respond(with_headers(response, &headers))
}

fn with_headers<R: std::io::Read>(mut response: Response<R>, headers: &[(&str, &str)]) -> Response<R> {
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(*name, *value) {
            response.add_header(header);
        }
    }
    response
}

fn plain(status: u16, text: &str) -> Response<std::io::Cursor<Vec<u8>>> {
    let response = Response::from_data(text.as_bytes()).with_status_code(StatusCode(status));
    with_headers(response, &[("Content-Type", "text/plain; charset=utf-8")])
}

/// The media type of a file. WebAssembly is compiled while it arrives only as `application/wasm`, and a browser
/// refuses a module script of any type that is not JavaScript's.
fn mime_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "webmanifest") => "application/json",
        // A trace is one JSON record a line.
        Some("jsonl") => "application/x-ndjson",
        Some("md" | "txt" | "wgsl") => "text/plain; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

/// `%41` → `A`. `None` where the bytes are not UTF-8.
fn percent_decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded() {
        assert_eq!(percent_decode("/a%20b/%C3%A9%zz%").as_deref(), Some("/a b/é%zz%"));
        assert_eq!(percent_decode("/%ff"), None);
    }

    #[test]
    fn modules_and_wasm_have_the_types_browsers_insist_on() {
        assert_eq!(mime_type(Path::new("web_bg.wasm")), "application/wasm");
        assert!(mime_type(Path::new("element.js")).starts_with("text/javascript"));
    }
}
