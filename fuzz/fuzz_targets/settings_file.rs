//! Any text as the file mesh.toml: every mistake is told with a line that exists, and every value is read by its kind.
//!
//! The reader is taken in as source: it is a part of a binary, and this needs no more of it.
#![no_main]
#![expect(dead_code, reason = "the target asks for less of the settings than the binary does")]

#[path = "../../crates/mesh-cli/src/settings"]
mod settings {
    pub(crate) mod file;
    pub(crate) mod origin;
    pub(crate) mod schema;
    mod suggest;
    pub(crate) mod value;
}

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use settings::{file, origin::Origin, schema, value};

fuzz_target!(|text: &str| {
    let mut errors = Vec::new();
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let found = file::read(Path::new("mesh.toml"), text, &mut errors);
    let origins = errors.iter().map(|error| &error.origin).chain(found.iter().map(|found| &found.origin));
    for origin in origins {
        assert!(matches!(origin, Origin::File(_, line) if (1..=lines).contains(line)), "{origin}");
    }
    for error in &errors {
        assert!(!error.to_string().is_empty());
    }
    for found in found {
        let path: Vec<_> = found.path.iter().map(String::as_str).collect();
        let (setting, _) = schema::find(&path).expect("what was found is known");
        if let Err(message) = value::read(setting.kind, found.raw) {
            assert!(!message.is_empty());
        }
    }
});
