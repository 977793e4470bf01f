//! Who the user is: bearer tokens from a file, in place of whatever a real gateway asks.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use serde::Deserialize;

use crate::UserPermissions;

/// Tells the service for whom a request is made. The gateway takes the client's own out before any layer runs.
const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");

/// Users by token.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<HashMap<String, User>>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    id: String,
    permissions: BTreeSet<String>,
}

impl Tokens {
    /// Reads `{"<token>": {"id": "7", "permissions": ["products.view"]}}`.
    ///
    /// # Errors
    ///
    /// When the text is no such JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self(Arc::new(serde_json::from_str(text)?)))
    }
}

/// Notes who the user is. An unknown token is no user, and no reason to refuse: open routes need none.
pub async fn authenticate(State(tokens): State<Tokens>, mut request: Request, next: Next) -> Response {
    let user = bearer(request.headers()).and_then(|token| tokens.0.get(token));
    if let Some(user) = user {
        request.extensions_mut().insert(UserPermissions(user.permissions.clone()));
        if let Ok(id) = HeaderValue::from_str(&user.id) {
            request.headers_mut().insert(X_USER_ID, id);
        }
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
