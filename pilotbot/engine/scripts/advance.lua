-- Move business time: forward only. ARGV: offset_ms.  Returns {offset_ms, now}
local offset = math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', shard('offset')) or '0'))
redis.call('SET', shard('offset'), int(offset))
return {int(offset), int(lease_now + offset)}
