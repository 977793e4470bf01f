//! mesh-redis.
