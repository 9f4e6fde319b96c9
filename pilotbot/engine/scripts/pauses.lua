-- Which numbers pause in this shard, for those who ask how it goes; one that is down pauses between two tries, too.
-- ARGV: numbers.  Returns {until when, 0 for not, why} of each
local found = {}
for _, number in ipairs(ARGV) do
  local known = redis.call('MGET', key('paused', number), key('paused-why', number), key('down', number))
  local until_ms = tonumber(known[1] or '0')
  table.insert(found, {known[3] and math.max(until_ms, now) or until_ms > now and until_ms or 0, known[3] or known[2] or ''})
end
return found
