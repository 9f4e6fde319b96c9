-- What is to be looked at: people whose time is over, or echoes to be judged. An echo is named again after a while, unless it is done by then.
-- ARGV: 'over', n | 'echoes', n, again_ms
-- Returns {now, list of c}, {now, list of {member, payload, a post of its chat is under way or of unknown outcome 0|1}}
local most, echoes = tonumber(ARGV[2]), {}
if ARGV[1] == 'over' then
  return {int(now), redis.call('ZRANGE', shard('humans'), '-inf', now, 'BYSCORE', 'LIMIT', 0, most)}
end
for _, member in ipairs(redis.call('ZRANGE', shard('echoes'), '-inf', now, 'BYSCORE', 'LIMIT', 0, most)) do
  redis.call('ZADD', shard('echoes'), int(now + tonumber(ARGV[3])), member)
  local c, payload = string.match(member, '^(.*):'), redis.call('HGET', shard('echoes:payload'), member)
  local posting = redis.call('ZSCORE', shard('lane:lease'), c) or redis.call('HGET', key('chat', c), 'o:unknown') == '1'
  if payload then
    table.insert(echoes, {member, payload, posting and 1 or 0})
  else
    redis.call('ZREM', shard('echoes'), member)
  end
end
return {int(now), echoes}
