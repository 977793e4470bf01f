-- KEYS: the lock's key, the answer's key. ARGV: token, answer, TTL (milliseconds).
-- Answers 1 when the lock was still the owner's: only then is anything written.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[1])
return 1
