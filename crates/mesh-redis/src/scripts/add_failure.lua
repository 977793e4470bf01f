-- KEYS: the health key. ARGV: now (Unix seconds), TTL (seconds).
-- Answers {failures, 1 if the stored value did not parse}.
local stored = redis.call('GET', KEYS[1])
local failures = 0
local malformed = 0
if stored then
  local parsed, value = pcall(cjson.decode, stored)
  -- cjson reads 3.0 and 3e0 as 3: the digits themselves are looked at, as whoever reads the record does.
  local count = tonumber(string.match(stored, '"failures"%s*:%s*(%d+)%s*[,}]'))
  local last = tonumber(string.match(stored, '"last_failure"%s*:%s*(%d+)%s*[,}]'))
  if parsed and type(value) == 'table' and count and last
      and value.failures == count and value.last_failure == last and count <= 4294967295 then
    failures = count
  else
    malformed = 1
  end
end
failures = math.min(failures + 1, 4294967295)
local record = string.format('{"failures":%d,"last_failure":%s}', failures, ARGV[1])
redis.call('SET', KEYS[1], record, 'EX', ARGV[2])
return {failures, malformed}
