//! Why a request goes where it goes: every route that matches, and why the others lost.

use std::sync::Arc;

use http::Method;

use super::{Entry, RouteTable};

/// One route that matched a path, in the order of precedence, and why it was not taken.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The route.
    pub entry: Arc<Entry>,
    /// `None`: it wins. Otherwise why it lost, in words.
    pub reason: Option<String>,
}

impl RouteTable {
    /// Every route that matches `path` with any method, the winner of `method` first, each loser with its reason; at
    /// the end those that another service keeps and those of services that are not served here. Where no route matches at
    /// all: those whose service has such a path, and which are served under another one.
    #[must_use]
    pub fn explain(&self, method: &Method, path: &str) -> Vec<Candidate> {
        let method = super::served_by(method);
        let winner = self.rank(method, path);
        let ranks = self.tree.all(path).into_iter().filter_map(|(_, rank)| usize::try_from(rank).ok());
        let mut ranks: Vec<_> = ranks.collect();
        ranks.sort_unstable_by_key(|rank| (Some(*rank) != winner, *rank));
        let winner = winner.and_then(|rank| self.ranking.get(rank));

        let mut candidates: Vec<Candidate> = ranks
            .into_iter()
            .filter_map(|rank| self.ranking.get(rank))
            .map(|entry| Candidate { entry: entry.clone(), reason: lost(entry, method, winner) })
            .collect();
        for refused in self.refused.iter().filter(|refused| refused.entry.uri.matches(path)) {
            let entry = &refused.entry;
            let reason = if self.settings.gateway_uri(&entry.service, &entry.route.uri).is_none() {
                format!("the prefix {:?} cannot stand in its URI", entry.prefix)
            } else if refused.owner == entry.service {
                format!("the service {} declares this route twice, the first stays", refused.owner)
            } else {
                format!("the service {} keeps this route", refused.owner)
            };
            candidates.push(Candidate { entry: refused.entry.clone(), reason: Some(reason) });
        }
        for entry in self.unserved.iter().filter(|entry| entry.uri.matches(path)) {
            let reason = format!("the service {} is not served by this gateway", entry.service);
            candidates.push(Candidate { entry: entry.clone(), reason: Some(reason) });
        }
        if candidates.is_empty() {
            let elsewhere = self.entries.iter().filter(|entry| entry.route.uri.matches(path));
            candidates.extend(elsewhere.map(|entry| Candidate {
                entry: entry.clone(),
                reason: Some(format!(
                    "the service {} has this path, and it is served at {}",
                    entry.service, entry.uri
                )),
            }));
        }
        candidates
    }
}

fn lost(entry: &Arc<Entry>, method: &Method, winner: Option<&Arc<Entry>>) -> Option<String> {
    if entry.route.method != *method {
        return Some(format!("another method: {}", entry.route.method));
    }
    let winner = winner.filter(|winner| !Arc::ptr_eq(winner, entry))?;
    Some(if winner.uri.specificity() > entry.uri.specificity() {
        format!("less specific than {}", winner.uri)
    } else if winner.service == entry.service {
        format!("as specific as {}, which is declared first", winner.uri)
    } else {
        format!("as specific as {}, and the service {} comes first by name", winner.uri, winner.service)
    })
}
