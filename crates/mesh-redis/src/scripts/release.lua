-- KEYS: the lock's key. ARGV: token.
-- Answers 1 when the lock was still the owner's: only then is it deleted.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
