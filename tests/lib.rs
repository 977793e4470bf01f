//! Nothing here: the tests are in flow/, conformance/ and vectors/.
