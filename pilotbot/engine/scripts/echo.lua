-- Echoes that nobody can judge yet: `echoes` by when to look, `echoes:payload` what it is. Bounded: the oldest go first. (design 3.10)
-- ARGV: 'wait', c, id, payload | 'done', the member as it was named
-- Returns how many went unjudged
local ECHOES = 500
if ARGV[1] == 'done' then
  redis.call('ZREM', shard('echoes'), ARGV[2])
  redis.call('HDEL', shard('echoes:payload'), ARGV[2])
  return 0
end
local member = ARGV[2] .. ':' .. redis.sha1hex(ARGV[3])
if redis.call('ZADD', shard('echoes'), 'NX', now, member) == 0 then return 0 end
redis.call('HSET', shard('echoes:payload'), member, ARGV[4])
local surplus = redis.call('ZCARD', shard('echoes')) - ECHOES
for _, old in ipairs(surplus > 0 and redis.call('ZRANGE', shard('echoes'), 0, surplus - 1) or {}) do
  redis.call('ZREM', shard('echoes'), old)
  redis.call('HDEL', shard('echoes:payload'), old)
end
return math.max(surplus, 0)
