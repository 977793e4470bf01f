//! The search tree behind the table: segment by segment, most specific first.

#[derive(Debug, Default)]
pub(super) struct Tree;
