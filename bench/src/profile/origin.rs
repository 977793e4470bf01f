//! Which crate a piece of code is from: by the file that it was written in, or, where no line table tells, by its symbol.

/// The crate of code in a function, of a file, of an object; `???` where callgrind does not know the file.
pub(super) fn of(object: &str, file: &str, function: &str) -> String {
    let name = from_registry(file).or_else(|| from_workspace(file)).or_else(|| is_std(file).then_some("std"));
    if let Some(name) = name {
        return named(name);
    }
    let library = object.rsplit('/').next().unwrap_or_default();
    if library.starts_with("libc") || library.starts_with("ld-linux") || library.starts_with("libgcc") {
        return "libc".to_owned();
    }
    named(from_symbol(function).unwrap_or("unknown"))
}

/// `.../registry/src/INDEX/NAME-VERSION/...`
fn from_registry(file: &str) -> Option<&str> {
    let (_, rest) = file.split_once("/registry/src/")?;
    let package = rest.split('/').nth(1)?;
    let version = package.match_indices('-').find(|(at, _)| {
        package[at + 1..].starts_with(|first: char| first.is_ascii_digit()) && package[at + 1..].contains('.')
    })?;
    Some(&package[..version.0])
}

/// `.../crates/NAME/src/...`, or the same from the workspace's root.
fn from_workspace(file: &str) -> Option<&str> {
    let rest = file.strip_prefix("crates/").or_else(|| file.split_once("/crates/").map(|(_, rest)| rest))?;
    rest.split_once("/src/").map(|(name, _)| name)
}

/// The standard library, as it is compiled and as it is inlined.
fn is_std(file: &str) -> bool {
    file.starts_with("/rustc/")
        || file.contains("/library/core/")
        || file.contains("/library/std/")
        || file.contains("/library/alloc/")
}

/// The first crate that a symbol names which is not the standard library: code of std that was made for a type counts for the
/// type's crate.
fn from_symbol(function: &str) -> Option<&str> {
    if ["mi_", "_mi_"].iter().any(|prefix| function.starts_with(prefix)) {
        return Some("libmimalloc-sys");
    }
    if function.starts_with("ring_core") || function.contains("sha256_block") {
        return Some("ring");
    }
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut is_std = false;
    for (at, _) in function.match_indices("::") {
        let before = &function[..at];
        let begin = before.rfind(|character| !is_name(character)).map_or(0, |last| last + 1);
        // A path's first segment has no `::` before it.
        if before[..begin].ends_with("::") || begin == before.len() {
            continue;
        }
        match &before[begin..] {
            "core" | "alloc" | "std" | "__rustc" => is_std = true,
            name if name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') => {
                return Some(name);
            }
            // A type's parameter.
            _ => {}
        }
    }
    is_std.then_some("std")
}

/// As Rust names it; the allocator and the standard library as people do.
fn named(name: &str) -> String {
    match name {
        "std" => "std (core, alloc)".to_owned(),
        "libmimalloc-sys" | "mimalloc" => "allocator (mimalloc)".to_owned(),
        name => name.replace('-', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(object: &str, file: &str, function: &str, expected: &str) {
        assert_eq!(of(object, file, function), expected, "{file} {function}");
    }

    #[test]
    fn code_is_of_the_crate_whose_file_it_was_written_in() {
        let registry = "/home/a/.cargo/registry/src/index.crates.io-0/";
        check("mesh", &format!("{registry}hyper-1.12.0/src/a.rs"), "mesh_gateway::x", "hyper");
        check("mesh", &format!("{registry}hyper-util-0.1.21/src/a.rs"), "f", "hyper_util");
        check(
            "mesh",
            &format!("{registry}libmimalloc-sys-0.1.44/c_src/alloc.c"),
            "f",
            "allocator (mimalloc)",
        );
        check("mesh", &format!("{registry}ring-0.17.14/pregenerated/sha.S"), "f", "ring");
        check("mesh", "/r/crates/mesh-gateway/src/door.rs", "hyper::x", "mesh_gateway");
        check("mesh", "crates/mesh-core/src/a.rs", "f", "mesh_core");
        check("mesh", "/rustc/abc/library/core/src/ptr/mod.rs", "f", "std (core, alloc)");
        check("/usr/lib/libc.so.6", "./string/memmove.S", "memcpy", "libc");
    }

    #[test]
    fn without_a_file_the_symbol_tells() {
        let symbols = [
            ("mesh_gateway::door::enter", "mesh_gateway"),
            ("<hyper::proto::h1::Conn<I,B,T> as core::fmt::Debug>::fmt", "hyper"),
            ("core::ptr::drop_in_place<tokio::runtime::task::Cell<hyper::x>>", "tokio"),
            ("<core::pin::Pin<P> as core::future::future::Future>::poll", "std (core, alloc)"),
            ("<&mut T as http_body::Body>::poll_frame", "http_body"),
            ("<T as alloc::string::ToString>::to_string", "std (core, alloc)"),
            ("alloc::vec::Vec<T>::push", "std (core, alloc)"),
            ("_mi_page_malloc", "allocator (mimalloc)"),
            ("ring_core_0_17_14__sha256_block_data_order_avx", "ring"),
            ("0x0000000000123", "unknown"),
        ];
        for (symbol, expected) in symbols {
            check("/t/mesh", "???", symbol, expected);
        }
    }
}
