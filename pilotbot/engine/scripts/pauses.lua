-- Which numbers pause in this shard, for those who ask how it goes. ARGV: numbers.  Returns {until when, 0 for not, why} of each
local found = {}
for _, number in ipairs(ARGV) do
  local until_ms = tonumber(redis.call('GET', key('paused', number)) or '0')
  table.insert(found, {until_ms > now and until_ms or 0, redis.call('GET', key('paused-why', number)) or ''})
end
return found
