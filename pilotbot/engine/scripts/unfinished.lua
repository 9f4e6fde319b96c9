-- Messages without a final status for too long, to be asked for at the platform: each a bounded number of times. (design 3.5)
-- ARGV: n, then the waits in ms before the second, third, ... time.  Returns platform ids
local surplus = redis.call('ZCARD', shard('unfinished')) - 10000
if surplus > 0 then -- more than can be asked for: the oldest are given up
  for _, platform in ipairs(redis.call('ZRANGE', shard('unfinished'), 0, surplus - 1)) do redis.call('HDEL', shard('unfinished:asked'), platform) end
  redis.call('ZREMRANGEBYRANK', shard('unfinished'), 0, surplus - 1)
end
local due = redis.call('ZRANGE', shard('unfinished'), '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[1]))
for _, platform in ipairs(due) do
  local asked = redis.call('HINCRBY', shard('unfinished:asked'), platform, 1)
  local wait = ARGV[1 + asked]
  if wait then
    redis.call('ZADD', shard('unfinished'), now + tonumber(wait), platform)
  else
    redis.call('ZREM', shard('unfinished'), platform)
    redis.call('HDEL', shard('unfinished:asked'), platform)
  end
end
return due
