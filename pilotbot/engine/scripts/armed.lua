-- The follow-ups of a chat. ARGV: c.  Returns a list of {name, due, payload}, and business time
local c, found = ARGV[1], {}
for name in string.gmatch(redis.call('HGET', key('chat', c), 'timers') or '', '%S+') do
  local due = redis.call('ZSCORE', shard('timers'), c .. ':' .. name)
  if due then table.insert(found, {name, due, redis.call('HGET', shard('timers:payload'), c .. ':' .. name)}) end
end
return {found, int(now)}
