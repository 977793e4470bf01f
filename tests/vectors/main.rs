//! What the PHP package recorded, through our code.

mod manifest;
mod redis;
mod registry;
mod signing;
