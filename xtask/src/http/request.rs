//! A request as a browser sends it: its line and its headers, as far as the server goes by them.

use std::io::{self, BufRead, Read};

/// More bytes than this before the end of the headers is not a browser's request.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

/// What is read of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Decoded, without a query.
    pub path: Option<String>,
    pub if_none_match: Option<String>,
    pub accepts_gzip: bool,
    pub closes: bool,
}

/// The next request's line and headers; `None` at the end of the connection.
pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
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
            "accept-encoding" => request.accepts_gzip = value.split(',').any(|word| word.trim() == "gzip"),
            "connection" => request.closes |= value.eq_ignore_ascii_case("close"),
            // A body would have to be skipped; nobody needs to send one here.
            "content-length" | "transfer-encoding" => request.closes |= value != "0",
            _ => {}
        }
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
        let mut bytes = "GET /a%20b?x=1 HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1-2\"\r\nAccept-Encoding: br, gzip\r\n\r\nHEAD / HTTP/1.1\r\nConnection: close\r\n\r\n".as_bytes();
        let first = read(&mut bytes).expect("in memory").expect("a request");
        assert_eq!((first.method.as_str(), first.path.as_deref()), ("GET", Some("/a b")));
        assert_eq!((first.if_none_match.as_deref(), first.closes), (Some("\"1-2\""), false));
        assert!(first.accepts_gzip);
        let second = read(&mut bytes).expect("in memory").expect("a request");
        assert!(second.method == "HEAD" && second.closes);
        assert_eq!(read(&mut bytes).expect("in memory"), None);
    }
}
