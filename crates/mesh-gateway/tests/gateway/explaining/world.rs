//! Random manifests, settings and requests, the same for the same seed.

use std::{collections::BTreeMap, sync::Arc};

use mesh_core::route::{Manifest, PrefixStyle, RouteTable, TableSettings};
use mesh_gateway::GatewaySettings;

use crate::support::{manifest, name, service};

pub(super) const SERVICES: [&str; 4] = ["crm", "oms", "pim", "wms"];

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const SEGMENTS: [&str; 16] = [
    "api", "api", "a", "b", "ab", "%61", "a.b", "{}", "{}", "{}", "{}.b", "a{}", "{}.{}", "{}-{}", "{}{}",
    "%C3%BC",
];
const VALUES: [&str; 20] = [
    "a",
    "b",
    "ab",
    "x",
    "7",
    "a.b",
    "aa.b",
    "x-y",
    "a.b.b",
    "%61",
    "a%20b",
    "caf%C3%A9",
    "1%252Fprivate",
    "a+b",
    "a;b=c",
    "~@:!$&'()*,=",
    "%2E%62",
    "%c3%bc",
    "api",
    "catalog",
];
/// What the door refuses.
const REFUSED: [&str; 5] = ["..", "%2e%2E", "a%2Fb", "a%zz", ""];
const PREFIXES: [&str; 4] = ["catalog", "o/x", "a", "api"];
const QUERIES: [&str; 4] = ["", "", "?x=1&y=%20", "?a=/b/../c?d"];

/// Numbers without end, from a seed (`SplitMix64`).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }
}

/// Manifests and the settings of a gateway.
#[derive(Debug)]
pub(super) struct World {
    pub(super) manifests: Vec<String>,
    settings: TableSettings,
    /// Every URI with its method, of the service and on the gateway, served or not.
    uris: Vec<(&'static str, String)>,
}

impl World {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let style = if dice.percent(50) { PrefixStyle::Front } else { PrefixStyle::AfterFirst };
        let mut prefixes = BTreeMap::new();
        let (mut manifests, mut uris) = (Vec::new(), Vec::new());
        for service in SERVICES {
            let prefix = if dice.percent(40) { dice.pick(&PREFIXES) } else { "" };
            prefixes.insert(name(service), prefix.to_owned());
            let routes: Vec<_> = (0..1 + dice.below(12)).map(|_| (dice.pick(&METHODS), uri(dice))).collect();
            for (method, uri) in &routes {
                uris.extend([(*method, uri.clone()), (*method, style.insert(prefix, uri))]);
            }
            let routes: Vec<_> = routes.iter().map(|(method, uri)| (*method, uri.as_str())).collect();
            manifests.push(manifest(service, &routes));
        }
        let left_out = dice.percent(25).then(|| dice.below(SERVICES.len()));
        let served = |at: usize| SERVICES.iter().enumerate().filter(move |(other, _)| *other != at);
        let services = left_out.map(|at| served(at).map(|(_, service)| name(service)).collect());
        Self { manifests, settings: TableSettings { services, prefixes, style }, uris }
    }

    pub(super) fn settings(&self, upstreams: &[String]) -> GatewaySettings {
        let configured =
            SERVICES.iter().zip(upstreams).map(|(name, url)| service(name, std::slice::from_ref(url)));
        GatewaySettings {
            configured: configured.collect(),
            services: self.settings.services.clone(),
            prefixes: self.settings.prefixes.clone(),
            prefix_style: self.settings.style,
            ..GatewaySettings::default()
        }
    }

    pub(super) fn table(&self) -> RouteTable {
        let read = |text: &String| Arc::new(Manifest::parse(text.as_bytes()).unwrap());
        RouteTable::build(&self.manifests.iter().map(read).collect::<Vec<_>>(), &self.settings)
    }

    /// A method and a target: mostly near some route, sometimes far from all, sometimes one that the door refuses.
    pub(super) fn request(&self, dice: &mut Dice) -> (String, String) {
        let (own, uri) = &self.uris[dice.below(self.uris.len())];
        let method = match dice.below(50) {
            0 => "PURGE",
            1..5 => "HEAD",
            5..15 => dice.pick(&METHODS),
            _ => own,
        };
        if dice.percent(1) {
            let method = if method == "POST" { "GET" } else { method };
            return (method.to_owned(), "/microservice/manifest".to_owned());
        }
        let mut path = if dice.percent(90) {
            filled(uri, dice)
        } else {
            (0..dice.below(5)).map(|_| format!("/{}", dice.pick(&VALUES))).collect()
        };
        if dice.percent(10) {
            path.push_str(&format!("/{}", dice.pick(&VALUES)));
        }
        if dice.percent(5) {
            path.truncate(path.rfind('/').unwrap_or(0));
        }
        if dice.percent(25) {
            encode_one(&mut path, dice);
        }
        if dice.percent(2) {
            path.push_str(&format!("/{}/z", dice.pick(&REFUSED)));
        }
        if path.is_empty() || dice.percent(10) && !path.ends_with('/') {
            path.push('/');
        }
        (method.to_owned(), path + dice.pick(&QUERIES))
    }
}

fn uri(dice: &mut Dice) -> String {
    let mut uri: String = (0..dice.below(4)).map(|_| format!("/{}", dice.pick(&SEGMENTS))).collect();
    if dice.percent(25) {
        uri.push_str("/{?}");
    }
    if uri.is_empty() || dice.percent(10) && !uri.ends_with('}') {
        uri.push('/');
    }
    let mut parts = uri.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |named, (at, part)| format!("{named}{{p{at}{part}"))
}

/// A path that the pattern may match.
fn filled(uri: &str, dice: &mut Dice) -> String {
    let mut path = String::new();
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        let (parameter, after) = after.split_once('}').unwrap();
        if parameter.ends_with('?') && dice.percent(40) {
            path.pop();
        } else {
            path.push_str(dice.pick(&VALUES));
        }
        rest = after;
    }
    path + rest
}

/// Encodes one unreserved character, which changes nothing of what the path means.
fn encode_one(path: &mut String, dice: &mut Dice) {
    let at = dice.below(path.len().max(1));
    let is_plain = path.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
    // Not within an encoding that stands there already.
    let is_free = !path.as_bytes()[at.saturating_sub(2)..at].contains(&b'%');
    if is_plain && is_free {
        let code = if dice.percent(50) {
            format!("%{:02x}", path.as_bytes()[at])
        } else {
            format!("%{:02X}", path.as_bytes()[at])
        };
        path.replace_range(at..=at, &code);
    }
}
