-- KEYS: the lock's key. ARGV: token, lease (milliseconds).
-- Answers 1 when the lock is still the owner's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
