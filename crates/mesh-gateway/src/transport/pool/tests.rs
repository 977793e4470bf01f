//! How long connections wait, and what they hold meanwhile. The clock is moved by hand, the sockets are real.

use std::future::poll_fn;

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use bytes::BytesMut;
use mesh_core::clock::SystemClock;

use super::*;
use crate::socket::Socket;

/// A connection, and the instance's end of it.
async fn connection() -> (Box<Connection>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut connection = Box::new(Connection::new(Socket::Plain(stream)));
    connection.origin = Some("a".into());
    (connection, listener.accept().await.unwrap().0)
}

fn seconds(seconds: u64) -> Tick {
    Tick(0).after(Duration::from_secs(seconds))
}

fn idle(pool: &Pool) -> i64 {
    pool.figures().iter().map(|(_, figures)| figures.idle).sum()
}

#[tokio::test]
async fn a_connection_is_used_for_as_long_as_its_instance_keeps_it() {
    let pool = Pool::new(Arc::new(SystemClock));
    for (limit, last, never) in [(None, 29, 30), (Some(4), 3, 4), (Some(60), 29, 30)] {
        for (after, is_used) in [(last, true), (never, false)] {
            let (mut connection, _instance) = connection().await;
            connection.keep_for(limit.map(Duration::from_secs));
            pool.give_back(connection, seconds(0));
            assert_eq!(pool.take("a", seconds(after)).is_some(), is_used, "{limit:?} after {after} s");
        }
    }
}

#[tokio::test]
async fn a_connection_that_its_instance_does_not_keep_is_not_kept() {
    let pool = Pool::new(Arc::new(SystemClock));
    let (mut connection, _instance) = connection().await;
    connection.keep_for(Some(Duration::ZERO));
    pool.give_back(connection, seconds(0));
    assert_eq!(idle(&pool), 0);
}

#[tokio::test]
async fn a_request_that_must_not_be_repeated_goes_over_no_connection_whose_time_is_over() {
    let pool = Pool::new(Arc::new(SystemClock));
    for (millis, is_used) in [(499, true), (500, false)] {
        let (mut connection, _instance) = connection().await;
        connection.keep_for(Some(Duration::from_millis(500)));
        pool.give_back(connection, seconds(0));
        let now = Tick(0).after(Duration::from_millis(millis));
        assert_eq!(pool.take_steady("a", now).is_some(), is_used, "{millis} ms");
    }
}

#[tokio::test]
async fn the_sweep_closes_those_whose_time_is_over_and_takes_the_memory_of_those_that_wait() {
    let pool = Pool::new(Arc::new(SystemClock));
    let (mut short, _instance) = connection().await;
    short.keep_for(Some(Duration::from_secs(4)));
    pool.give_back(short, seconds(0));
    let (mut large, mut instance) = connection().await;
    instance.write_all(&[b'x'; 20_000]).await.unwrap();
    let mut read = 0;
    while read < 20_000 {
        read += poll_fn(|context| large.poll_read(context, 64 * 1024)).await.unwrap();
        large.take(u64::MAX);
    }
    large.out.reserve(4096);
    assert!(large.held_bytes() > 32 * 1024);
    pool.give_back(large, seconds(4));
    pool.sweep(seconds(4));
    assert_eq!(idle(&pool), 1);
    pool.sweep(seconds(5));
    let rested = pool.take("a", seconds(5)).unwrap();
    assert_eq!(rested.held_bytes(), 0);
}

#[tokio::test]
async fn a_pool_that_is_full_keeps_the_connections_that_were_used_last() {
    let pool = Pool { most_idle: 8, ..Pool::new(Arc::new(SystemClock)) };
    let mut instances = Vec::new();
    for _ in 0..pool.most_idle {
        let (connection, instance) = connection().await;
        pool.give_back(connection, seconds(0));
        instances.push(instance);
    }
    let (last, _instance) = connection().await;
    pool.give_back(last, seconds(5));
    assert_eq!(idle(&pool), 8);
    assert!(pool.take_steady("a", seconds(5)).is_some(), "one that was just used is there");
    assert!(pool.take_steady("a", seconds(5)).is_none(), "and no second one");
}

#[tokio::test]
async fn a_connection_reads_little_at_first_and_more_where_more_comes() {
    let (mut connection, mut instance) = connection().await;
    instance.write_all(&[b'x'; 80_000]).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..3 {
        poll_fn(|context| connection.poll_read(context, 0)).await.unwrap();
        held.push(connection.held_bytes());
        connection.buffer = BytesMut::new();
    }
    assert_eq!(held, [2 * 1024, 8 * 1024, 64 * 1024]);
    connection.rest();
    poll_fn(|context| connection.poll_read(context, 0)).await.unwrap();
    assert_eq!(connection.held_bytes(), 2 * 1024);
}
