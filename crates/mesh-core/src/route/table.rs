//! The immutable table of all routes: built aside, swapped whole, read by every request.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use http::Method;

use super::{Manifest, Pattern, PrefixStyle, Route};
use crate::name::ServiceName;

/// What steers how a table is built.
#[derive(Clone, Debug, Default)]
pub struct TableSettings {
    /// Only these services; absent: all.
    pub services: Option<BTreeSet<ServiceName>>,
    /// Prefix by service.
    pub prefixes: BTreeMap<ServiceName, String>,
    /// Where prefixes stand.
    pub style: PrefixStyle,
}

/// A route as the gateway serves it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The service that answers.
    pub service: ServiceName,
    /// The route as its manifest declares it.
    pub route: Arc<Route>,
    /// The pattern on the gateway.
    pub uri: Pattern,
    /// The prefix that was inserted; empty: none.
    pub prefix: String,
    /// Where it was inserted.
    pub style: PrefixStyle,
}

impl Entry {
    /// The service's path for a gateway path that matched: the prefix cut out, every other byte as it came.
    #[must_use]
    pub fn service_path(&self, path: &str) -> String {
        let _ = path;
        todo!()
    }
}

/// A route that is not served, and who keeps its place.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The route that is not served.
    pub entry: Arc<Entry>,
    /// The service that keeps the method and pattern.
    pub owner: ServiceName,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// A route serves it. HEAD is served by GET's route.
    Found(Arc<Entry>),
    /// The path is known with these methods only (HEAD among them where GET is), sorted.
    MethodNotAllowed(Vec<Method>),
    /// No route matches.
    NotFound,
}

/// One route that matched a path, in the order of precedence, and why it was not taken.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The route.
    pub entry: Arc<Entry>,
    /// `None`: it wins. Otherwise why it lost, in words.
    pub reason: Option<String>,
}

/// All routes of all manifests.
#[derive(Debug, Default)]
pub struct RouteTable {
    settings: TableSettings,
    entries: Vec<Arc<Entry>>,
    refused: Vec<Refused>,
    tree: super::tree::Tree,
}

impl RouteTable {
    /// Builds the table. Independent of the order of `manifests`: services go by name (bytes), routes by position.
    /// Of two services with one method and one gateway pattern the smaller name keeps it, the other is listed in
    /// [`refused`](Self::refused); within one manifest the first keeps it.
    #[must_use]
    pub fn build(manifests: &[Arc<Manifest>], settings: &TableSettings) -> Self {
        let _ = (manifests, settings);
        todo!()
    }

    /// Where `method` `path` goes; `path` is encoded and without query. Costs one walk down the tree and no
    /// allocation but for a 405's list.
    #[must_use]
    pub fn resolve(&self, method: &Method, path: &str) -> Resolution {
        let _ = (method, path, &self.tree);
        todo!()
    }

    /// Every route that matches `path` with any method, the winner of `method` first, each loser with its reason.
    #[must_use]
    pub fn explain(&self, method: &Method, path: &str) -> Vec<Candidate> {
        let _ = (method, path);
        todo!()
    }

    /// All served routes: by service name, then position.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// Routes that another service keeps.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The settings it was built with.
    #[must_use]
    pub const fn settings(&self) -> &TableSettings {
        &self.settings
    }
}
