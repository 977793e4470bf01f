//! The instances of a service as a slice: the only one of a service is found without a look at a list.

use std::{ops::Deref, sync::Arc};

use super::InstanceView;

/// Instances that never change.
#[derive(Clone, Debug)]
pub(super) enum Instances {
    One([Arc<InstanceView>; 1]),
    Others(Arc<[Arc<InstanceView>]>),
}

impl From<Vec<Arc<InstanceView>>> for Instances {
    fn from(instances: Vec<Arc<InstanceView>>) -> Self {
        <[_; 1]>::try_from(instances).map_or_else(|others| Self::Others(others.into()), Self::One)
    }
}

impl Deref for Instances {
    type Target = [Arc<InstanceView>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(one) => one,
            Self::Others(others) => others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_two_words() {
        assert_eq!(size_of::<Instances>(), 2 * size_of::<usize>());
    }
}
