-- KEYS: the manifest's key, the set of names.
-- ARGV: document, TTL (milliseconds), service, channel, then the expected document, if one is expected.
-- Answers 1 when it is stored, 0 when the stored document is not the expected one.
local stored = redis.call('GET', KEYS[1])
local expected = ARGV[5]
if expected == nil then
  expected = false
end
if stored ~= expected then
  return 0
end
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.pcall('PUBLISH', ARGV[4], ARGV[3])
return 1
