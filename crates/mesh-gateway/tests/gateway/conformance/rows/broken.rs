//! What is no answer: no head, two framings, a switch that nobody asked for.

use super::{
    Row,
    Sees::{Malformed, Unreachable},
};

fn malformed(name: &'static str, bytes: impl Into<Vec<u8>>) -> Row {
    Row::new(name, bytes, Malformed)
}

#[rustfmt::skip]
pub(super) fn rows() -> Vec<Row> {
    let endless = format!("HTTP/1.1 200 OK\r\nX-A: {}", "a".repeat(66_000));
    let large = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(66_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X-A: 1\r\n".repeat(128));
    let interim = ["HTTP/1.1 103 X\r\n\r\n".repeat(17).as_str(), "HTTP/1.1 204 X\r\n\r\n"].concat();
    let larger = "its limits are larger";
    let lists = "it takes lists of one length";
    let codings = "a coding that ends in chunked is enough for it";
    vec![
        malformed("length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            .but_hyper("it takes the chunks"),
        malformed("chunks and length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            .but_hyper("it takes the chunks"),
        malformed("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
        malformed("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok").but_hyper(lists),
        malformed("a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
        malformed("a length below zero", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
        malformed("a length in another base", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok"),
        malformed("an empty length", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok"),
        malformed("a length that no number holds", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nok"),
        malformed("HEAD with two framings", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n").on_head()
            .but_hyper("it looks at no framing here"),
        malformed("chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n").but_hyper(codings),
        malformed("chunked on two lines", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").but_hyper(codings),
        malformed("another coding before", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n").but_hyper(codings),
        malformed("another coding behind", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n").but_hyper("it reads until the end"),
        malformed("identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok").but_hyper("it reads until the end"),
        malformed("chunks over HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        malformed("an unasked 101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n")
            .but_hyper("it leaves that to its caller"),
        malformed("an unasked 101 and bytes", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}")
            .but_hyper("it leaves that to its caller"),
        malformed("interim answers without end", interim).but_hyper(larger),
        malformed("a head without end", endless),
        malformed("a head that is too large", large).but_hyper(larger),
        malformed("too many lines", many),
        malformed("no head at all", "hello\r\n\r\n"),
        malformed("another protocol's greeting", "SSH-2.0-OpenSSH_9.9\r\n"),
        malformed("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"),
        malformed("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"),
        malformed("no version", "HTTP 200 OK\r\n\r\n"),
        malformed("a status of letters", "HTTP/1.1 2x0 OK\r\n\r\n"),
        malformed("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        malformed("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
        malformed("status 0", "HTTP/1.1 000 OK\r\n\r\n"),
        malformed("a line before the head", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").but_hyper("it skips empty lines"),
        malformed("space before the head", " HTTP/1.1 200 OK\r\n\r\n"),
        malformed("NUL in a value", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n"),
        malformed("CR in a value", "HTTP/1.1 200 OK\r\nX-A: a\rb\r\n\r\n"),
        malformed("DEL in a value", "HTTP/1.1 200 OK\r\nX-A: a\x7fb\r\n\r\n"),
        malformed("a folded line", "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n"),
        malformed("space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
        malformed("a line without colon", "HTTP/1.1 200 OK\r\nX-A\r\n\r\n"),
        malformed("a line without name", "HTTP/1.1 200 OK\r\n: a\r\n\r\n"),
        malformed("NUL in a name", "HTTP/1.1 200 OK\r\nX\0A: a\r\n\r\n"),
        Row::new("not a byte", "", Unreachable).closed(),
        Row::new("half a status line", "HTTP/1.1 20", Unreachable).closed(),
        Row::new("half a head", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", Unreachable).closed(),
        Row::new("only an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", Unreachable).closed(),
    ]
}
