-- KEYS: the manifest's key, the set of names. ARGV: document, TTL (milliseconds), service, channel.
-- The set first: when it is of another type, nothing is stored. Who may not publish still stores; readers poll as well.
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[4], ARGV[3])
return 1
