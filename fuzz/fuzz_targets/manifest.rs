//! Any bytes as a manifest: what is read of it is written and read as the same again, and makes a table of routes.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use mesh_core::route::{Manifest, RouteTable, TableSettings};

fuzz_target!(|document: &[u8]| {
    let registered = Manifest::parse_registration(document);
    let Ok(manifest) = Manifest::parse(document) else {
        assert!(registered.is_err(), "a registration is read more strictly");
        return;
    };
    let written = manifest.to_json();
    let read = Manifest::parse(written.as_bytes()).expect("what is written is read");
    assert_eq!(read, manifest);
    let routes = manifest.routes.len();
    let table = RouteTable::build(&[Arc::new(manifest)], &TableSettings::default());
    assert_eq!(table.entries().len() + table.refused().len(), routes);
});
