//! Random requests: paths with encoded octets, blanks, other scripts and trailing slashes, queries, bodies of any bytes.

use std::hash::{BuildHasher as _, RandomState};

/// A sequence of numbers that nobody foresees (splitmix64).
#[derive(Debug)]
pub struct Chance(u64);

/// What travels: `query` is empty or begins with `?`.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub query: &'static str,
    pub body: Vec<u8>,
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "post", "Patch"];
const PIECES: &[&str] = &[
    "a",
    "Z",
    "7",
    "-",
    "_",
    "~",
    "x.y",
    "@",
    ":",
    "'",
    "(",
    ")",
    "*",
    "+",
    ",",
    "=",
    "$",
    "&",
    "!",
    "%20",
    "%C3%BC",
    "%D0%B7",
    "%e6%97%a5",
    "%2B",
    "%25",
    "%7B",
    "%3a",
    "orders",
    "42",
];
const ODD: &[&str] = &["/", "//", "%2F", "%2f", "%5C", ".", "..", ";x", "%00", "%ff", "%"];
const QUERIES: &[&str] = &["", "", "?", "?a=1", "?q=%C3%BC%20x&b[]=/", "?page=2&page=3"];

impl Chance {
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn segment(&mut self) -> String {
        (0..=self.below(4)).map(|_| self.pick(PIECES)).collect()
    }

    fn body(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 | 1 => Vec::new(),
            2 => "{\"name\":\"Köln / 日本\",\"n\":1.50}".into(),
            3 => (0..self.below(5000)).map(|_| self.next() as u8).collect(),
            _ => (0..=self.below(100)).map(|_| self.next() as u8).collect(),
        }
    }

    /// Any request that can be signed.
    pub fn request(&mut self) -> Request {
        let mut path = String::from("/");
        for _ in 0..self.below(5) {
            path += &if self.below(4) == 0 { self.pick(ODD).to_owned() } else { self.segment() };
            path += self.pick(&["/", "/", ""]);
        }
        Request { method: self.pick(METHODS), path, query: self.pick(QUERIES), body: self.body() }
    }

    /// A request that a gateway lets through to the routes of `service`.
    pub fn canonical(&mut self, service: &str) -> Request {
        let method = self.pick(&METHODS[..5]);
        let mut path = format!("/api/{service}/{}", self.segment());
        if self.below(2) == 0 {
            path = format!("{path}/{}", self.segment());
        }
        path += self.pick(&["", "", "/"]);
        let body = if method == "GET" { Vec::new() } else { self.body() };
        Request { method, path, query: self.pick(&["", "?a=1", "?q=%C3%BC%20x"]), body }
    }
}
