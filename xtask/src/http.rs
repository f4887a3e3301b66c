//! A small file server for one's own machine: right types, compressed, readable by pages of other origins, and nothing
//! cached without asking.
//!
//! By hand, since each connection needs a thread of its own: browsers keep several open without using them. The small
//! servers that are kept up (tiny_http) share a few threads among connections and may leave the one in use waiting.

mod request;

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::site::{Content, Site};
use request::Request;

/// A connection without a request for so long is closed.
const IDLE: Duration = Duration::from_secs(120);

/// Fewer bytes than this are not worth compressing.
const MIN_GZIP_BYTES: usize = 1024;

/// Serves a site in the background until the process ends. Port 0 takes a free one; the address in use is returned.
pub fn spawn(site: Site, host: &str, port: u16) -> Result<SocketAddr> {
    let listener = TcpListener::bind((host, port))
        .with_context(|| format!("could not listen on {host}:{port}; is it in use? Try --port"))?;
    let address = listener.local_addr()?;
    let server = Arc::new(Server::new(site));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            // A browser may hang up at any time.
            thread::spawn(move || answer_all(stream, &server).ok());
        }
    });
    Ok(address)
}

/// A site, and what of it has been compressed already.
struct Server {
    site: Site,
    /// By path.
    compressed: Mutex<HashMap<String, Compressed>>,
}

/// The tag of the plain bytes, and the compressed ones.
type Compressed = (String, Arc<Vec<u8>>);

impl Server {
    fn new(site: Site) -> Server {
        Server { site, compressed: Mutex::default() }
    }

    /// Compresses once per content.
    fn gzip(&self, path: &str, tag: &str, bytes: &[u8]) -> io::Result<Arc<Vec<u8>>> {
        if let Ok(compressed) = self.compressed.lock()
            && let Some((_, gzip)) = compressed.get(path).filter(|(known, _)| known == tag)
        {
            return Ok(Arc::clone(gzip));
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes)?;
        let gzip = Arc::new(encoder.finish()?);
        if let Ok(mut compressed) = self.compressed.lock() {
            compressed.insert(path.to_owned(), (tag.to_owned(), Arc::clone(&gzip)));
        }
        Ok(gzip)
    }
}

/// Answers one request after the other until the browser closes the connection.
fn answer_all(stream: TcpStream, server: &Server) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = request::read(&mut reader)? {
        answer(&mut writer, &request, server)?;
        if request.closes {
            break;
        }
    }
    Ok(())
}

fn answer(writer: &mut impl Write, request: &Request, server: &Server) -> io::Result<()> {
    let (status, message) = match (request.method.as_str(), &request.path) {
        ("GET" | "HEAD", Some(path)) => match server.site.content(path) {
            Some(content) => return send(writer, path, &content, "200 OK", request, server),
            None => match server.site.content("/404.html") {
                Some(page) if path.ends_with(".html") || !path.contains('.') => {
                    return send(writer, "/404.html", &page, "404 Not Found", request, server);
                }
                _ => ("404 Not Found", "There is no such file.\n"),
            },
        },
        ("GET" | "HEAD", None) => ("400 Bad Request", "The address is not valid UTF-8.\n"),
        _ => ("405 Method Not Allowed", "Only GET and HEAD are answered here.\n"),
    };
    let length = message.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nAccess-Control-Allow-Origin: *\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    let body = if request.method == "HEAD" { "" } else { message };
    writer.write_all([head.as_str(), body].concat().as_bytes())
}

fn send(
    writer: &mut impl Write,
    path: &str,
    content: &Content,
    status: &str,
    request: &Request,
    server: &Server,
) -> io::Result<()> {
    let plain = content.read()?;
    let mime_type = mime_type(content.path());
    let tag = format!("\"{:.16}\"", format!("{:x}", Sha256::digest(&plain)));
    let mut head = format!(
        "Content-Type: {mime_type}\r\nCache-Control: no-cache\r\nETag: {tag}\r\nAccess-Control-Allow-Origin: *\r\n"
    );
    if status.starts_with("200") && request.if_none_match.as_deref() == Some(&tag) {
        return writer.write_all(format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").as_bytes());
    }
    let mut body = Arc::new(plain);
    if is_worth_compressing(mime_type) && body.len() >= MIN_GZIP_BYTES {
        head.push_str("Vary: Accept-Encoding\r\n");
        if request.accepts_gzip {
            head.push_str("Content-Encoding: gzip\r\n");
            body = server.gzip(path, &tag, &body)?;
        }
    }
    let length = body.len();
    writer.write_all(format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n").as_bytes())?;
    if request.method == "GET" {
        writer.write_all(&body)?;
    }
    Ok(())
}

/// Text and WebAssembly. Weights and pictures hardly shrink.
fn is_worth_compressing(mime_type: &str) -> bool {
    mime_type.starts_with("text/")
        || ["application/wasm", "application/json", "application/x-ndjson", "image/svg+xml"].contains(&mime_type)
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Head and body of the answer to a GET of the site's first page.
    fn get(server: &Server, if_none_match: Option<&str>, accepts_gzip: bool) -> (String, Vec<u8>) {
        let mut out = Vec::new();
        let request = Request {
            method: "GET".to_owned(),
            path: Some("/index.html".to_owned()),
            if_none_match: if_none_match.map(str::to_owned),
            accepts_gzip,
            closes: false,
        };
        answer(&mut out, &request, server).expect("in memory");
        let end = out.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("the end of the head");
        let body = out.split_off(end + 4);
        (String::from_utf8(out).expect("UTF-8"), body)
    }

    fn server() -> Server {
        Server::new(Site::of_folder(crate::project::root().join("www/site")))
    }

    #[test]
    fn a_file_comes_with_its_length_and_once_known_without_its_bytes() {
        let server = server();
        let (head, body) = get(&server, None, false);
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains(&format!("Content-Length: {}\r\n", body.len())));
        let (_, tag) = head.split_once("ETag: ").expect("a tag");
        let (head, body) = get(&server, tag.lines().next(), false);
        assert!(head.starts_with("HTTP/1.1 304 Not Modified") && body.is_empty());
    }

    #[test]
    fn who_accepts_it_gets_the_same_compressed() {
        let server = server();
        let (head, plain) = get(&server, None, false);
        assert!(!head.contains("Content-Encoding") && head.contains("Vary: Accept-Encoding\r\n"));
        for _ in 0..2 {
            let (head, body) = get(&server, None, true);
            assert!(head.contains("Content-Encoding: gzip\r\n"));
            assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())) && body.len() < plain.len());
            let mut decoded = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut decoded).expect("gzip");
            assert_eq!(decoded, plain);
        }
    }

    #[test]
    fn pages_of_other_origins_may_read_all_answers() {
        let server = server();
        assert!(get(&server, None, true).0.contains("Access-Control-Allow-Origin: *\r\n"));
        let mut out = Vec::new();
        let request = Request { method: "GET".to_owned(), path: Some("/no.json".to_owned()), ..Request::default() };
        answer(&mut out, &request, &server).expect("in memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.starts_with("HTTP/1.1 404") && text.contains("Access-Control-Allow-Origin: *\r\n"));
    }

    #[test]
    fn modules_and_wasm_have_the_types_browsers_insist_on() {
        assert_eq!(mime_type(Path::new("web_bg.wasm")), "application/wasm");
        assert!(mime_type(Path::new("element.js")).starts_with("text/javascript"));
    }
}
