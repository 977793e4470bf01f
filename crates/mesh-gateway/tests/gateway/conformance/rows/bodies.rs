//! Bodies, whole and cut short, and what follows them.

use super::{
    Row,
    Sees::{Aborted, Answer},
};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn chunked(name: &'static str, body: &str, sees: super::Sees) -> Row {
    Row::new(name, [CHUNKED, body].concat(), sees)
}

#[rustfmt::skip]
pub(super) fn rows() -> Vec<Row> {
    let ok = Answer(200, &[], "ok");
    vec![
        chunked("chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Answer(200, &[("transfer-encoding", &["chunked"])], "abcde")),
        chunked("no chunks but the last", "0\r\n\r\n", Answer(200, &[], "")),
        chunked("a last chunk of many zeros", "2\r\nok\r\n0000\r\n\r\n", ok.clone()),
        chunked("sizes in both cases", "00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", Answer(200, &[], "01234567890123456789")),
        chunked("extensions", "2;a=\"b\"; c\r\nok\r\n0;d\r\n\r\n", ok.clone()),
        chunked("space behind a size", "2 \t\r\nok\r\n0\r\n\r\n", ok.clone()),
        chunked("trailers", "2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Service-Name: a\r\n\r\n", ok.clone()),
        Row::new("chunks, written otherwise", "HTTP/1.1 200 OK\r\ntransfer-encoding:  CHUNKED \r\n\r\n2\r\nok\r\n0\r\n\r\n", ok.clone()),
        Row::new("chunks and close", "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ok.clone()).dropped(),
        Row::new("until the end", "HTTP/1.1 200 OK\r\n\r\nok", ok.clone()).closed(),
        Row::new("until the end, over HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", ok.clone()).closed(),
        Row::new("until the end, although it says keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nok", ok.clone()).closed(),
        Row::new("nothing until the end", "HTTP/1.1 200 OK\r\n\r\n", Answer(200, &[], "")).closed(),
        Row::new("an instance that ends after its answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ok.clone()).closed(),
        // What follows an answer is nobody's: the connection is dropped before the next request.
        Row::new("another answer behind a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", ok.clone()).dropped(),
        chunked("another answer behind the last chunk", "2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", ok.clone()).dropped(),
        Row::new("more than the length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", ok.clone()).dropped(),
        Row::new("an empty line behind the body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", ok).dropped(),
        // A body that has no end is never a clean short answer.
        Row::new("less than the length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Aborted(200, "hel")).closed(),
        Row::new("nothing of the length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Aborted(200, "")).closed(),
        Row::new("less than 2^64 bytes", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhel", Aborted(200, "hel")).closed()
            .but_hyper("it keeps two values of a length for itself"),
        chunked("no last chunk", "3\r\nabc\r\n", Aborted(200, "abc")).closed(),
        chunked("half a chunk", "5\r\nabc", Aborted(200, "abc")).closed(),
        chunked("half a size", "3\r\nabc\r\n1", Aborted(200, "abc")).closed(),
        chunked("a last chunk without its end", "3\r\nabc\r\n0\r\n", Aborted(200, "abc")).closed(),
        chunked("trailers without end", "3\r\nabc\r\n0\r\nX-A: 1\r\n", Aborted(200, "abc")).closed(),
        chunked("a size that is none", "3\r\nabc\r\nx\r\n", Aborted(200, "abc")),
        chunked("a size with a sign", "3\r\nabc\r\n+1\r\na\r\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("a size in another base", "3\r\nabc\r\n0x1\r\na\r\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("no size", "3\r\nabc\r\n\r\n", Aborted(200, "abc")),
        chunked("a size that no number holds", "3\r\nabc\r\n10000000000000000\r\n", Aborted(200, "abc")),
        chunked("a size of too many digits", "3\r\nabc\r\n00000000000000001\r\na\r\n0\r\n\r\n", Aborted(200, "abc"))
            .but_hyper("it counts no digits"),
        chunked("two sizes", "3\r\nabc\r\n1 2\r\na\r\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("a size's line that ends in LF", "3\r\nabc\r\n1\na\r\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("more than a chunk", "3\r\nabcd\r\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("a chunk that ends in LF", "3\r\nabc\n0\r\n\r\n", Aborted(200, "abc")),
        chunked("a last line that ends in LF", "3\r\nabc\r\n0\r\n\n", Aborted(200, "abc")),
        chunked("a trailer's line that ends in LF", "3\r\nabc\r\n0\r\nX: 1\n\r\n", Aborted(200, "abc")),
        chunked("a trailer that is none", "3\r\nabc\r\n0\r\nX Y: 1\r\n\r\n", Aborted(200, "abc")),
        Row::new("extensions without end", [CHUNKED, "3\r\nabc\r\n1;", &"x".repeat(20_000)].concat(), Aborted(200, "abc")),
        Row::new("a trailer without end", [CHUNKED, "3\r\nabc\r\n0\r\nX: ", &"x".repeat(20_000)].concat(), Aborted(200, "abc")),
    ]
}
