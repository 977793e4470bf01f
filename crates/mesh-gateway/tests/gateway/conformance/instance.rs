//! An instance that answers with the bytes of a row, or with an ordinary answer, and knows what became of each of its
//! connections.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// How an answer is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slicing {
    Whole,
    /// After so many bytes.
    At(usize),
    /// Into slices of this size.
    Into(usize),
}

impl Slicing {
    /// Those that an answer of `length` bytes is played in.
    pub(super) fn all(length: usize) -> Vec<Self> {
        let mut all = vec![Self::Whole];
        if length > 2 {
            all.extend([Self::At(1), Self::At(length / 2), Self::At(length - 1)]);
        }
        if length <= 400 {
            all.push(Self::Into(7));
        }
        all
    }

    fn slices(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::At(at) => vec![&bytes[..at], &bytes[at..]],
            Self::Into(size) => bytes.chunks(size).collect(),
        }
    }
}

pub(super) struct Instance {
    port: u16,
    bytes: Vec<u8>,
    /// Whether it closes after the row's answer.
    closes: bool,
    slicing: Mutex<Slicing>,
    opened: AtomicUsize,
    last_used: AtomicUsize,
    ended: Mutex<Vec<usize>>,
}

impl Instance {
    pub(super) async fn start(bytes: Vec<u8>, closes: bool) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let instance = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            bytes,
            closes,
            slicing: Mutex::new(Slicing::Whole),
            opened: AtomicUsize::new(0),
            last_used: AtomicUsize::new(0),
            ended: Mutex::default(),
        });
        let serving = Arc::clone(&instance);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let instance = Arc::clone(&serving);
                let number = instance.opened.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(async move {
                    let _broken = instance.serve(number, stream).await;
                    instance.ended.lock().unwrap().push(number);
                });
            }
        });
        instance
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn slice(&self, slicing: Slicing) {
        *self.slicing.lock().unwrap() = slicing;
    }

    /// The connection that the last request came over.
    pub(super) fn last_used(&self) -> usize {
        self.last_used.load(Ordering::SeqCst)
    }

    pub(super) fn has_ended(&self, connection: usize) -> bool {
        self.ended.lock().unwrap().contains(&connection)
    }

    async fn serve(&self, number: usize, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        loop {
            request.clear();
            while !request.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut request).await? == 0 {
                    return Ok(());
                }
            }
            self.last_used.store(number, Ordering::SeqCst);
            if !request.windows(5).any(|window| window == b"?row ") {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await?;
                continue;
            }
            let slicing = *self.slicing.lock().unwrap();
            for slice in slicing.slices(&self.bytes) {
                stream.write_all(slice).await?;
                // Lets a slice arrive alone; nothing depends on it.
                sleep(Duration::from_millis(1)).await;
            }
            if self.closes {
                return stream.shutdown().await;
            }
        }
    }
}
