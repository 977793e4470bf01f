//! One command and its reply in the Redis protocol (RESP2), so that a test sees a server with other eyes than our store.
//! Source: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use std::{io, net::SocketAddr, pin::Pin};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpStream, tcp::OwnedReadHalf},
};

/// What a Redis server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`.
    Status(String),
    /// `-ERR ...`.
    Error(String),
    /// `:1`.
    Integer(i64),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// No such key.
    Nil,
    /// Several replies.
    Array(Vec<Self>),
}

impl Reply {
    /// The bytes as text; absent when this is no string or not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The number; absent when this is none.
    #[must_use]
    pub const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

pub(super) async fn ask<A: AsRef<[u8]>>(address: SocketAddr, words: &[A]) -> io::Result<Reply> {
    let (read, mut write) = TcpStream::connect(address).await?.into_split();
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    write.write_all(&request).await?;
    read_reply(&mut BufReader::new(read)).await
}

fn malformed() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

fn read_reply(
    from: &mut BufReader<OwnedReadHalf>,
) -> Pin<Box<dyn Future<Output = io::Result<Reply>> + Send + '_>> {
    Box::pin(async move {
        let mut line = String::new();
        from.read_line(&mut line).await?;
        let line = line.strip_suffix("\r\n").ok_or_else(malformed)?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(malformed)?;
        let number = || rest.parse::<i64>().map_err(|_| malformed());
        Ok(match kind {
            "+" => Reply::Status(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Integer(number()?),
            "$" => match usize::try_from(number()?) {
                Err(_) => Reply::Nil,
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    from.read_exact(&mut bytes).await?;
                    bytes.truncate(length);
                    Reply::Bytes(bytes)
                }
            },
            "*" => match usize::try_from(number()?) {
                Err(_) => Reply::Nil,
                Ok(length) => {
                    let mut replies = Vec::new();
                    for _ in 0..length {
                        replies.push(read_reply(from).await?);
                    }
                    Reply::Array(replies)
                }
            },
            _ => return Err(malformed()),
        })
    })
}
