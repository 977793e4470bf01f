//! Connections that the server closes while they lie in the pool.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::builder;
use crate::Defaults;

/// Reads one request of the next connection, answers it as if more could follow, and holds the connection.
async fn answer_once(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    let (mut held, mut buffer) = (Vec::new(), [0; 4096]);
    while !held.ends_with(b"\r\n\r\n{}") {
        let read = socket.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "a whole request");
        held.extend_from_slice(&buffer[..read]);
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    socket
}

#[tokio::test]
async fn a_post_is_not_written_to_a_connection_that_its_server_has_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = builder(&[url]).defaults(Defaults { retries: 0, ..Defaults::default() }).build().unwrap();
    for _ in 0..20 {
        let post = client.service("oms").post("/o", &json!({})).send();
        let serving = async { Ok(answer_once(&listener).await) };
        let (answer, socket) = tokio::try_join!(post, serving).unwrap();
        assert_eq!(answer.attempts().len(), 1);
        // The next request is made at once: nothing has run in between that could have seen the end.
        drop(socket);
    }
}
