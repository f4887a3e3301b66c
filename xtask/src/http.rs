//! A small file server for one's own machine: right types, nothing cached without asking, no other headers.
//!
//! Each connection has a thread of its own. Browsers keep several connections open without using them, and a server
//! that shares threads among connections may leave the one in use waiting.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::site::Site;

/// A connection without a request for so long is closed.
const IDLE: Duration = Duration::from_secs(120);

/// More bytes than this before the end of the headers is no browser's request.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

/// Serves a site in the background until the process ends. Port 0 takes a free one; the address in use is returned.
pub fn spawn(site: Site, host: &str, port: u16) -> Result<SocketAddr> {
    let listener = TcpListener::bind((host, port))
        .with_context(|| format!("could not listen on {host}:{port}; is it in use? Try --port"))?;
    let address = listener.local_addr()?;
    let site = Arc::new(site);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let site = Arc::clone(&site);
            // A browser that hangs up is no concern of ours.
            thread::spawn(move || answer_all(stream, &site).ok());
        }
    });
    Ok(address)
}

/// What is read of a request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    method: String,
    /// Decoded, without a query.
    path: Option<String>,
    if_none_match: Option<String>,
    closes: bool,
}

/// Answers one request after the other until the browser closes the connection.
fn answer_all(stream: TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        answer(&mut writer, &request, site)?;
        if request.closes {
            break;
        }
    }
    Ok(())
}

/// The next request's line and headers; `None` at the end of the connection.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut reader = reader.take(MAX_HEAD_BYTES);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let path = percent_decode(target.split(['?', '#']).next().unwrap_or_default());
    let mut request = Request { method, path, ..Request::default() };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(request)) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "if-none-match" => request.if_none_match = Some(value.to_owned()),
            "connection" => request.closes |= value.eq_ignore_ascii_case("close"),
            // A body would have to be skipped; nobody needs to send one here.
            "content-length" | "transfer-encoding" => request.closes |= value != "0",
            _ => {}
        }
    }
}

fn answer(writer: &mut impl Write, request: &Request, site: &Site) -> io::Result<()> {
    let (status, message) = match (request.method.as_str(), &request.path) {
        ("GET" | "HEAD", Some(path)) => match site.file(path) {
            Some(file) => return send_file(writer, &file, "200 OK", request),
            None => match site.file("/404.html") {
                Some(page) if path.ends_with(".html") || !path.contains('.') => {
                    return send_file(writer, &page, "404 Not Found", request);
                }
                _ => ("404 Not Found", "There is no such file.\n"),
            },
        },
        ("GET" | "HEAD", None) => ("400 Bad Request", "The address is not valid UTF-8.\n"),
        _ => ("405 Method Not Allowed", "Only GET and HEAD are answered here.\n"),
    };
    let length = message.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\r\n");
    let body = if request.method == "HEAD" { "" } else { message };
    writer.write_all([head.as_str(), body].concat().as_bytes())
}

fn send_file(writer: &mut impl Write, path: &Path, status: &str, request: &Request) -> io::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let length = metadata.len();
    let tag = format!("\"{:x}-{length:x}\"", modified.as_nanos());
    let is_known = status.starts_with("200") && request.if_none_match.as_deref() == Some(&tag);
    let status = if is_known { "304 Not Modified" } else { status };
    let mime_type = mime_type(path);
    let mut head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {mime_type}\r\nCache-Control: no-cache\r\nETag: {tag}\r\n");
    if !is_known {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    writer.write_all([&head, "\r\n"].concat().as_bytes())?;
    if !is_known && request.method == "GET" {
        // A file that grows meanwhile must not spill into the next answer.
        io::copy(&mut file.take(length), writer)?;
    }
    Ok(())
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
    fn requests_are_read_one_after_the_other() {
        let mut bytes = "GET /a%20b?x=1 HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1-2\"\r\n\r\nHEAD / HTTP/1.1\r\nConnection: close\r\n\r\n".as_bytes();
        let first = read_request(&mut bytes).expect("in memory").expect("a request");
        assert_eq!((first.method.as_str(), first.path.as_deref()), ("GET", Some("/a b")));
        assert_eq!((first.if_none_match.as_deref(), first.closes), (Some("\"1-2\""), false));
        let second = read_request(&mut bytes).expect("in memory").expect("a request");
        assert!(second.method == "HEAD" && second.closes);
        assert_eq!(read_request(&mut bytes).expect("in memory"), None);
    }

    #[test]
    fn a_file_comes_with_its_length_and_once_known_without_its_bytes() {
        let site = Site::of_folder(crate::project::root().join("www/site"));
        let get = |if_none_match: Option<String>| {
            let mut out = Vec::new();
            let path = Some("/index.html".to_owned());
            let request = Request { method: "GET".to_owned(), path, if_none_match, closes: false };
            answer(&mut out, &request, &site).expect("in memory");
            String::from_utf8(out).expect("UTF-8")
        };
        let first = get(None);
        let (head, body) = first.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains(&format!("Content-Length: {}", body.len())));
        let (_, tag) = head.split_once("ETag: ").expect("a tag");
        let tag = tag.lines().next().map(str::to_owned);
        assert!(get(tag).starts_with("HTTP/1.1 304 Not Modified"));
    }

    #[test]
    fn modules_and_wasm_have_the_types_browsers_insist_on() {
        assert_eq!(mime_type(Path::new("web_bg.wasm")), "application/wasm");
        assert!(mime_type(Path::new("element.js")).starts_with("text/javascript"));
    }
}
