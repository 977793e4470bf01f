//! The methods that a service is called with.

use http::Method;
use serde::Serialize;

use super::ServiceRequest;
use crate::client::ServiceClient;

/// Calls to one service. A path may hold UTF-8, blanks and a query; it is encoded once.
#[derive(Clone, Debug)]
pub struct ServiceCalls {
    client: ServiceClient,
    service: String,
}

impl ServiceCalls {
    pub(crate) const fn new(client: ServiceClient, service: String) -> Self {
        Self { client, service }
    }

    /// A GET.
    pub fn get(&self, path: impl Into<String>) -> ServiceRequest {
        self.request(Method::GET, path)
    }

    /// A POST with a JSON body.
    pub fn post<T: Serialize + ?Sized>(&self, path: impl Into<String>, body: &T) -> ServiceRequest {
        self.request(Method::POST, path).with_json(body)
    }

    /// A PUT with a JSON body.
    pub fn put<T: Serialize + ?Sized>(&self, path: impl Into<String>, body: &T) -> ServiceRequest {
        self.request(Method::PUT, path).with_json(body)
    }

    /// A PATCH with a JSON body.
    pub fn patch<T: Serialize + ?Sized>(&self, path: impl Into<String>, body: &T) -> ServiceRequest {
        self.request(Method::PATCH, path).with_json(body)
    }

    /// A DELETE; [`with_json`](ServiceRequest::with_json) gives it a body.
    pub fn delete(&self, path: impl Into<String>) -> ServiceRequest {
        self.request(Method::DELETE, path)
    }

    /// A call with any method, without a body.
    pub fn request(&self, method: Method, path: impl Into<String>) -> ServiceRequest {
        ServiceRequest::new(self.client.clone(), self.service.clone(), method, path.into())
    }
}
