//! Certificates and keys that settings name: files in PEM, which only a gateway reads.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use mesh_gateway::{Identity, ListenerTls, TlsError, UpstreamTls};

use super::{Origin, SettingError, build::Reader};

/// `[gateway.tls]` and `[gateway.upstream_tls]`.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    listener: Option<Pair>,
    /// Further certificates of the listener, by the name that clients ask for.
    named: Vec<(String, Pair)>,
    roots: Option<PemFile>,
    identity: Option<Pair>,
}

/// What the files hold.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) listener: Option<ListenerTls>,
    pub(crate) upstream: Option<UpstreamTls>,
}

#[derive(Clone, Debug)]
struct Pair {
    certificate: PemFile,
    key: PemFile,
}

/// A file, and who names it.
#[derive(Clone, Debug)]
struct PemFile {
    path: PathBuf,
    key: String,
    origin: Origin,
}

impl Tls {
    pub(super) fn of(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> Self {
        let listener = pair(reader, "gateway.tls", errors);
        let names: BTreeSet<&str> = reader
            .values
            .keys()
            .filter_map(|key| key.strip_prefix("gateway.tls.sni.")?.rsplit_once('.').map(|(name, _)| name))
            .collect();
        let mut named = Vec::new();
        for name in names {
            let section = format!("gateway.tls.sni.{name}");
            if let Some(pair) = pair(reader, &section, errors) {
                if listener.is_none() {
                    errors.push(pair.certificate.error("needs gateway.tls.certificate, which others see"));
                }
                named.push((name.to_owned(), pair));
            }
        }
        let roots = file(reader, "gateway.upstream_tls.roots");
        Self { listener, named, roots, identity: pair(reader, "gateway.upstream_tls", errors) }
    }

    /// Whether the public listener is encrypted.
    pub(crate) const fn is_on(&self) -> bool {
        self.listener.is_some()
    }

    /// Every file that is named.
    pub(crate) fn files(&self) -> Vec<&Path> {
        let pairs = self.listener.iter().chain(self.named.iter().map(|(_, pair)| pair)).chain(&self.identity);
        let in_pairs = pairs.flat_map(|pair| [&pair.certificate, &pair.key]);
        in_pairs.chain(&self.roots).map(|file| file.path.as_path()).collect()
    }

    /// Reads every file.
    ///
    /// # Errors
    ///
    /// Every file that cannot be read or used, with the key that names it.
    pub(crate) fn read(&self) -> Result<Read, Vec<SettingError>> {
        let mut errors = Vec::new();
        let listener = self.listener.as_ref().and_then(|pair| {
            let named: Vec<_> = self
                .named
                .iter()
                .filter_map(|(name, pair)| Some((name.clone(), pair.read(&mut errors)?, pair)))
                .collect();
            let default = pair.read(&mut errors)?;
            let mut good = Vec::new();
            for (name, identity, pair) in named {
                match identity.check_name(&name) {
                    Ok(()) => good.push((name, identity)),
                    Err(error) => errors.push(pair.certificate.error(&error.to_string())),
                }
            }
            ListenerTls::new(default, good)
                .map_err(|error| errors.push(pair.certificate.error(&error.to_string())))
                .ok()
        });
        let identity = self.identity.as_ref().map(|pair| pair.read(&mut errors));
        let roots = self.roots.as_ref().map(|file| (file, file.read(&mut errors)));
        let upstream = match (roots, identity) {
            (None, None) => None,
            (Some((_, None)), _) | (_, Some(None)) => None,
            (roots, identity) => {
                let pem = roots.as_ref().and_then(|(_, pem)| pem.as_deref());
                let named = roots.as_ref().map(|(file, _)| *file);
                UpstreamTls::new(pem, identity.flatten())
                    .map_err(|error| {
                        errors.extend(named.map(|file| file.error(&error.to_string())));
                    })
                    .ok()
            }
        };
        if errors.is_empty() { Ok(Read { listener, upstream }) } else { Err(errors) }
    }
}

impl Pair {
    fn read(&self, errors: &mut Vec<SettingError>) -> Option<Identity> {
        let (certificate, key) = (self.certificate.read(errors), self.key.read(errors));
        let file = |error: &TlsError| match error {
            TlsError::NoKey | TlsError::Unusable(_) => &self.key,
            _ => &self.certificate,
        };
        Identity::from_pem(&certificate?, &key?)
            .map_err(|error| errors.push(file(&error).error(&error.to_string())))
            .ok()
    }
}

impl PemFile {
    fn read(&self, errors: &mut Vec<SettingError>) -> Option<Vec<u8>> {
        std::fs::read(&self.path)
            .map_err(|error| {
                errors.push(self.error(&format!("{} cannot be read: {error}", self.path.display())));
            })
            .ok()
    }

    fn error(&self, message: &str) -> SettingError {
        SettingError::new(self.origin.clone(), Some(self.key.clone()), message.to_owned())
    }
}

fn file(reader: &Reader<'_>, key: &str) -> Option<PemFile> {
    let path = reader.text(key).filter(|path| !path.is_empty())?;
    Some(PemFile { path: path.into(), key: key.to_owned(), origin: reader.origin(key) })
}

/// The certificate and the key of a section; one without the other is a mistake.
fn pair(reader: &Reader<'_>, section: &str, errors: &mut Vec<SettingError>) -> Option<Pair> {
    match (file(reader, &format!("{section}.certificate")), file(reader, &format!("{section}.key"))) {
        (Some(certificate), Some(key)) => Some(Pair { certificate, key }),
        (None, None) => None,
        (Some(alone), None) => {
            errors.push(alone.error(&format!("needs {section}.key")));
            None
        }
        (None, Some(alone)) => {
            errors.push(alone.error(&format!("needs {section}.certificate")));
            None
        }
    }
}
