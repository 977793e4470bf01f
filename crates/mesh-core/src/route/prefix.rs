//! Where a service's prefix stands in the gateway's URIs, and how it is taken out again.

/// Where a service's prefix is inserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrefixStyle {
    /// After the first segment: `/api/products` becomes `/api/catalog/products`.
    #[default]
    AfterFirst,
    /// In front: `/api/products` becomes `/catalog/api/products`, as later package versions do.
    Front,
}

impl PrefixStyle {
    /// The gateway's URI (or path) for the service's. `prefix` has any number of segments; an empty one changes nothing.
    #[must_use]
    pub fn insert(self, prefix: &str, uri: &str) -> String {
        let _ = (prefix, uri);
        todo!()
    }

    /// The service's path for a gateway path that matched a pattern made by [`insert`](Self::insert) from
    /// `service_uri`: the prefix's segments are cut out, every other byte stays as it came.
    #[must_use]
    pub fn remove(self, prefix: &str, service_uri: &str, path: &str) -> String {
        let _ = (prefix, service_uri, path);
        todo!()
    }
}
