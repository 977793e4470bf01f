-- KEYS: the set of names, then the key of each manifest that is gone. ARGV: the name of each, in the same order.
-- A manifest stored since stays a member.
local removed = 0
for i, service in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[i + 1]) == 0 then
    removed = removed + redis.call('SREM', KEYS[1], service)
  end
end
return removed
