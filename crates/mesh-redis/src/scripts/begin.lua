-- KEYS: the answer's key, the lock's key. ARGV: token, lease (milliseconds).
-- Answers the stored answer, or 1 when the key is claimed now, 0 when somebody has it, -1 when what is stored is no text.
local answer = redis.pcall('GET', KEYS[1])
if type(answer) == 'table' then
  if string.find(answer.err, 'WRONGTYPE', 1, true) then
    return -1
  end
  return answer
end
if answer then
  return answer
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
return 0
