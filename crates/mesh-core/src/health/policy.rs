//! The breaker's rule: Closed, HalfOpen, Open as a function of failures and their age.

use std::{fmt, time::Duration};

/// The numbers that steer the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    failure_threshold: u32,
    recovery_timeout: Duration,
}

/// Why numbers are no policy. The fault of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthPolicyError {
    /// A threshold of zero would never let a call through.
    #[error("failure_threshold is at least 1")]
    ZeroThreshold,
    /// Without a recovery timeout a failing instance would never be left alone.
    #[error("recovery_timeout is at least 1 second")]
    NoRecovery,
}

/// Whether an instance is let through. Closed lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Healthy.
    Closed,
    /// It failed; the recovery timeout has passed; one probe may see whether it is back.
    HalfOpen,
    /// It failed, and not long ago.
    Open,
}

impl BreakerState {
    /// The word in `mesh health --json`: healthy, half_open or unhealthy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "healthy",
            Self::HalfOpen => "half_open",
            Self::Open => "unhealthy",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl HealthPolicy {
    /// A policy of `failure_threshold` failures and `recovery_timeout`.
    ///
    /// # Errors
    ///
    /// When the threshold is zero or the timeout is below one second.
    pub const fn try_new(
        failure_threshold: u32,
        recovery_timeout: Duration,
    ) -> Result<Self, HealthPolicyError> {
        if failure_threshold == 0 {
            return Err(HealthPolicyError::ZeroThreshold);
        }
        if recovery_timeout.as_secs() == 0 {
            return Err(HealthPolicyError::NoRecovery);
        }
        Ok(Self { failure_threshold, recovery_timeout })
    }

    /// The state of an instance with `failures` on record, the last one `age` ago.
    #[must_use]
    pub fn state(&self, failures: u32, age: Duration) -> BreakerState {
        if failures < self.failure_threshold {
            BreakerState::Closed
        } else if age >= self.recovery_timeout {
            BreakerState::HalfOpen
        } else {
            BreakerState::Open
        }
    }

    /// How many failures open the breaker.
    #[must_use]
    pub const fn failure_threshold(&self) -> u32 {
        self.failure_threshold
    }

    /// How long an open instance is left alone.
    #[must_use]
    pub const fn recovery_timeout(&self) -> Duration {
        self.recovery_timeout
    }

    /// How long a record is kept: twice the recovery timeout, renewed at each failure (docs/wire.md, Redis).
    #[must_use]
    pub fn record_ttl(&self) -> Duration {
        self.recovery_timeout.saturating_mul(2)
    }
}

impl Default for HealthPolicy {
    /// The package's: 3 failures, 30 seconds.
    fn default() -> Self {
        Self { failure_threshold: 3, recovery_timeout: Duration::from_secs(30) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failures: u32, age: u64, expected: BreakerState) {
        assert_eq!(HealthPolicy::default().state(failures, Duration::from_secs(age)), expected);
    }

    #[test]
    fn closed_below_the_threshold() {
        check(0, 0, BreakerState::Closed);
        check(2, 0, BreakerState::Closed);
    }

    #[test]
    fn open_until_the_recovery_timeout_has_passed() {
        check(3, 29, BreakerState::Open);
        check(3, 30, BreakerState::HalfOpen);
    }

    #[test]
    fn nonsense_is_no_policy() {
        let second = Duration::from_secs(1);
        assert_eq!(HealthPolicy::try_new(0, second), Err(HealthPolicyError::ZeroThreshold));
        assert_eq!(HealthPolicy::try_new(1, Duration::ZERO), Err(HealthPolicyError::NoRecovery));
        assert_eq!(HealthPolicy::try_new(1, second).unwrap().record_ttl(), 2 * second);
    }
}
