//! From manifests to the one table that says where a request goes.

pub mod manifest;
pub mod pattern;
pub mod prefix;
pub mod registration;
pub mod remembered;
pub mod table;
mod timestamp;
mod tree;
pub mod wire;

pub use manifest::{Manifest, Route};
pub use pattern::{Pattern, PatternError};
pub use prefix::PrefixStyle;
pub use table::{Resolution, RouteTable, TableSettings};
pub use wire::{FieldErrors, ManifestError};
