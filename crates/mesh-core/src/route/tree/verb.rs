//! A method in one byte: the methods that RFC 9110 and RFC 5789 define. Refuses all others, which routes rarely name.

use http::Method;

macro_rules! verbs {
    ($($verb:ident $method:ident),*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Verb { $($verb),* }

        impl Verb {
            /// `None` of a method that has no verb.
            pub(super) fn of(method: &Method) -> Option<Self> {
                Some(match *method {
                    $(Method::$method => Self::$verb,)*
                    _ => return None,
                })
            }

            pub(super) const fn method(self) -> Method {
                match self { $(Self::$verb => Method::$method),* }
            }
        }
    };
}

verbs!(
    Get GET, Post POST, Put PUT, Patch PATCH, Delete DELETE, Head HEAD, Options OPTIONS, Connect CONNECT, Trace TRACE
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_its_method_and_other_methods_have_none() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"] {
            let method: Method = method.parse().unwrap();
            assert_eq!(Verb::of(&method).map(Verb::method), Some(method));
        }
        assert_eq!(Verb::of(&"PROPFIND".parse().unwrap()), None);
        assert_eq!(Verb::of(&"get".parse().unwrap()), None);
    }
}
