//! From a manifest to the JSON document that we write.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::EXCLUDED;
use crate::route::{Manifest, Route};

impl Manifest {
    /// The document as we write it: compact JSON, `service`, `routes`, `timestamp`, then `version`, `base_urls` and
    /// `timeout` where there are any. Excluded metadata keys are left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Keys are strings and numbers are finite, so that writing into memory cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("service", &self.service)?;
        map.serialize_entry("routes", &self.routes)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        if let Some(version) = self.version {
            map.serialize_entry("version", &version)?;
        }
        if !self.base_urls.is_empty() {
            map.serialize_entry("base_urls", &self.base_urls)?;
        }
        match self.timeout {
            Some(timeout) if timeout.subsec_nanos() == 0 => {
                map.serialize_entry("timeout", &timeout.as_secs())?
            }
            Some(timeout) => map.serialize_entry("timeout", &timeout.as_secs_f64())?,
            None => {}
        }
        map.end()
    }
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", self.method.as_str())?;
        map.serialize_entry("uri", self.uri.as_str())?;
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        let fixed = ["method", "methods", "uri", "name"];
        for (key, value) in &self.metadata {
            if !fixed.contains(&key.as_str()) && !EXCLUDED.contains(&key.as_str()) {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
